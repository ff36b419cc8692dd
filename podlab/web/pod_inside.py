"""Into a pod from its page: a terminal in a container, a look at its ports, a container for debugging.

The terminal's websocket and the previews are served by `apiserver.people`; here is what the page offers and to whom.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from podlab.apis.types import Manifest
from podlab.glance import anatomy, kubectl
from podlab.registry import preview_links
from podlab.web.place import Place

DEBUG_IMAGE = "busybox:1.36"


def tab(place: Place, pod: Manifest, user: int, *, gone: bool, wanted: str = "") -> dict[str, Any]:
    """What `parts/pod_terminal.html` shows; `wanted`: the container that is chosen, if it runs."""
    name, namespace = pod["metadata"]["name"], place.namespace
    opens = not gone and place.may("create", "pods", name=name, subresource="exec")
    containers = list(running(pod, simulated=place.simulated)) if opens else []
    names = [one["name"] for one in containers]
    chosen = wanted if wanted in names else next(iter(names), "CONTAINER")
    return {
        "opens": opens,
        "running": containers,
        "ports": list(_ports(place, pod, user)) if not gone else [],
        "debugs": not gone and place.may("patch", "pods", name=name, subresource="ephemeralcontainers"),
        "debug_image": DEBUG_IMAGE,
        "debug_command": kubectl.line(
            "debug", "-it", name, f"--image={DEBUG_IMAGE}", cluster=place.cluster, namespace=namespace
        ),
        "targets": [one.name for one in anatomy.spec_containers(pod) if one.sort == "app"],
        "command": kubectl.line(
            "exec", "-it", name, "-c", chosen, "--", "sh", cluster=place.cluster, namespace=namespace
        ),
        "chosen": chosen,
    }


def running(pod: Manifest, *, simulated: bool) -> Iterator[dict[str, str]]:
    """Containers that one can enter: apps first, as kubectl chooses. Those with a terminal of their own are attached to,
    but a simulated process reads nothing: there one enters beside it."""
    states = {status["name"]: status.get("state") or {} for status in anatomy.container_statuses(pod)}
    found = [one for one in anatomy.spec_containers(pod) if "running" in states.get(one.name, {})]
    for one in sorted(found, key=lambda one: one.sort != "app"):
        own = not simulated and one.sort == "ephemeral" and one.spec.get("stdin") and one.spec.get("tty")
        yield {"name": one.name, "sort": one.sort, "operation": "attach" if own else "exec"}


def _ports(place: Place, pod: Manifest, user: int) -> Iterator[dict[str, str]]:
    meta = pod["metadata"]
    if not place.may("get", "pods", name=meta["name"], subresource="proxy"):
        return
    for container in anatomy.spec_containers(pod):
        for port in container.spec.get("ports") or ():
            number = int(port["containerPort"])
            link = preview_links.PreviewLink(user, place.cluster, meta["namespace"], meta["name"], meta["uid"], number)
            yield {
                "container": container.name,
                "port": f"{number}/{port.get('protocol') or 'TCP'}",
                "name": str(port.get("name") or ""),
                "href": reverse("preview", args=[preview_links.sign(link), "/"])
                if (port.get("protocol") or "TCP") == "TCP"
                else "",
                "command": kubectl.line(
                    "port-forward",
                    f"pod/{meta['name']}",
                    f"{number + 10000 if number < 1024 else number}:{number}",
                    cluster=place.cluster,
                    namespace=place.namespace,
                ),
            }


def debug_container(pod: Manifest, image: str, target: str) -> Manifest:
    """The pod with one more ephemeral container, as `kubectl debug -it --image=… --target=…` adds it."""
    spec = pod["spec"]
    taken = {one.name for one in anatomy.spec_containers(pod)}
    name = next(f"debugger-{number}" for number in range(1, 1000) if f"debugger-{number}" not in taken)
    container: Manifest = {
        "name": name,
        "image": image,
        "stdin": True,
        "tty": True,
        "terminationMessagePolicy": "File",
    }
    if target:
        container["targetContainerName"] = target
    if image == DEBUG_IMAGE:
        container["command"] = ["sh"]  # the image has no command of its own
    return {**pod, "spec": {**spec, "ephemeralContainers": [*(spec.get("ephemeralContainers") or []), container]}}
