"""Pods: the list, one pod with its tabs, deletion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from podlab.apis import scheme, static_pods, times
from podlab.apis.status_errors import ApiError, bad_request
from podlab.apis.types import Key, Manifest
from podlab.glance import kubectl, listing, summary
from podlab.glance.values import Row
from podlab.registry import authorizer
from podlab.registry.operations import ListPage
from podlab.storage import log
from podlab.web import kinds, manifest_lines, past, pod_events, pod_inside, pod_logs, pod_parts, revisions, why
from podlab.web.place import Place, context, namespaces_of, open_place, page, remember

TABS = ("timeline", "why", "logs", "terminal", "details", "yaml", "events")


# What is offered; any part of a status may be written.
STATUSES = ("Running", "Pending", "ContainerCreating", "CrashLoopBackOff", "ImagePullBackOff", "Error", "Completed", "Terminating")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filter of the list, as it stands in the address: part of a name, a label selector, part of a status."""

    name: str
    labels: str
    status: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Wanted:
        return cls(query.get("q", "").strip()[:253], query.get("labels", "").strip()[:500], query.get("status", "").strip()[:80])  # fmt: skip

    @property
    def anything(self) -> bool:
        return bool(self.name or self.labels or self.status)

    def fits(self, row: Row) -> bool:
        return self.name.lower() in row["name"].lower() and self.status.lower() in row["cells"][2].lower()


@page
@require_GET
def pod_list(request: HttpRequest, cluster: str, namespace: str) -> HttpResponse:
    place = open_place(request, cluster, namespace)
    wanted = Wanted.of(request.GET)
    try:
        found, error = place.list("pods", namespace, label_selector=wanted.labels), ""
    except ApiError as refusal:
        if refusal.code != 400 or not wanted.labels:
            raise
        found, error = ListPage([], 0), refusal.message
    now = place.now()
    rows = [row for row in (summary.row(item.obj, now) for item in found.items) if wanted.fits(row)]
    told = {"rows": rows, "filtered": wanted.anything, "wanted": wanted, "revision": found.revision} | _laid_out(rows)
    if request.headers.get("HX-Request"):
        return render(request, "parts/pods_list.html", context(place, **told))
    remember(request)
    options = ["-l", wanted.labels] if wanted.labels else []
    command = kubectl.line("get", "pods", *options, "-o", "wide", "--watch", cluster=cluster, namespace=namespace)
    names = namespaces_of(place)
    more = told | {
        "filter_error": error,
        "statuses": STATUSES,
        "kinds": kinds.bar(place),
        "kind": scheme.by_key("pods"),
        "command": command,
        "namespaces": names,
    }
    return render(request, "pods.html", context(place, **more))


_COLUMNS = ("Name", "Ready", "Status", "Restarts", "Age", "Node", "IP")
_LEAST = (12, 6, 22, 16, 9, 8, 12)  # characters: what is usual needs no other column when it changes


def _laid_out(rows: list[Row]) -> dict[str, Any]:
    shown = [_shown(row) for row in rows]
    if len(rows) <= listing.LONG:
        return {"groups": [shown], "tracks": ""}
    return {"groups": listing.groups(shown), "tracks": listing.tracks(_COLUMNS, [row["cells"] for row in rows], _LEAST)}


def _shown(row: Row) -> dict[str, Any]:
    """By names: of thousands of rows the template would look long for a cell that it knows by its number only."""
    name, ready, status, restarts, age, node, ip = row["cells"]
    often, _space, ago = restarts.partition(" ")
    return {
        **{"uid": row["uid"], "tone": row["tone"], "created": row["created"], "restarts_at": row["restarts_at"] or ""},
        **{"name": name, "ready": ready, "status": status, "restarts": often, "ago": ago},
        **{"age": age, "node": node, "ip": ip},
    }


@dataclass(frozen=True, slots=True)
class Found:
    """A pod that lives, or the last state of one that is gone."""

    obj: Manifest
    uid: str
    gone: bool


def find(place: Place, name: str, uid: str) -> Found:
    """With a uid, that very pod, also after its end; without, the one that has the name now."""
    authorizer.require(
        place.identity,
        authorizer.Attributes(verb="get", resource="pods", cluster=place.cluster, namespace=place.namespace, name=name),
    )
    stored = place.find("pods", place.namespace, name)
    if stored is not None and uid in {"", stored.uid}:
        return Found(stored.obj, stored.uid, gone=False)
    if not uid and place.moment is not None:
        # It was not there yet, or is no longer: the pod that has the name now is meant.
        present = place.client.find("pods", place.namespace, name)
        uid = present.uid if present is not None else ""
    past = log.history_of(place.cluster, uid) if uid else []
    if not past or past[-1].key != Key(place.cluster, "pods", place.namespace, name):
        raise Http404(gettext("There is no such pod."))
    # Before its beginning a pod is shown as it began.
    last = past[-1] if place.moment is None else revisions.at(past, place.moment.rev)
    return Found(last.obj, uid, gone=last.type == "DELETED")


@page
@require_GET
def pod(request: HttpRequest, cluster: str, namespace: str, name: str) -> HttpResponse:
    """The page, or for the script only the panel of a tab."""
    place = open_place(request, cluster, namespace)
    found = find(place, name, request.GET.get("uid", "")[:36])
    tab = request.GET.get("tab", "timeline")
    tab = tab if tab in TABS else "timeline"
    more = _tab(request, place, found, tab)
    if request.headers.get("HX-Request"):
        return render(request, f"parts/pod_{tab}.html", context(place, found=found, **more))
    facts = summary.facts(found.obj, place.now(), gone=found.gone, translate=gettext)
    lines = manifest_lines.lines(revisions.shown(found.obj))
    delete = kubectl.delete_pod(name, cluster=cluster, namespace=namespace, grace=None, force=False)
    return render(
        request,
        "pod.html",
        context(
            place,
            found=found,
            pod=facts,
            age=times.age(found.obj["metadata"].get("creationTimestamp"), place.now()),
            tab=tab,
            yaml_lines=lines,
            delete_command=delete,
            reserved=pod_parts.timeline_height(facts, _services(place, found.obj)),
            edits=place.may("update", "pods", name=name),
            deletes=place.may("delete", "pods", name=name),
            **more,
        ),
    )


def _services(place: Place, pod: Manifest) -> int:
    """How many Services send their requests to the pod, once it is ready."""
    if not place.may("list", "services"):
        return 0
    labels = (pod["metadata"].get("labels") or {}).items()
    wanted = [
        (item.obj["spec"].get("selector") or {}).items() for item in place.list("services", place.namespace).items
    ]
    return sum(bool(selector) and selector <= labels for selector in wanted)


def _tab(request: HttpRequest, place: Place, found: Found, tab: str) -> dict[str, Any]:
    name = found.obj["metadata"]["name"]
    where = {"cluster": place.cluster, "namespace": place.namespace}
    if tab == "yaml":
        command = kubectl.line("get", "pod", name, "-o", "yaml", **where)
        return past.yaml_tab(request.GET, place.cluster, found.uid, found.obj) | {"command": command}
    if tab == "terminal":
        wanted = request.GET.get("container", "")[:63]
        return pod_inside.tab(place, found.obj, int(request.user.pk or 0), gone=found.gone, wanted=wanted)
    if tab == "logs":
        return pod_logs.tab(request.GET, place, found.obj)
    if tab == "details":
        return _details(found, place.cluster, kubectl.line("describe", "pod", name, **where))
    if tab in {"timeline", "why"}:
        return why.panel(place, found.obj, gone=found.gone)
    if tab == "events":
        return pod_events.tab(request.GET, place, static_pods.runtime_uid(found.obj))
    return {}


def _details(found: Found, cluster: str, command: str) -> dict[str, Any]:
    """Conditions, containers, volumes; and of a pod without a node, what the scheduler found on each."""
    pod = found.obj
    return {
        "conditions": pod_parts.conditions(pod),
        "containers": pod_parts.containers(pod),
        "volumes": pod_parts.volumes(pod),
        "verdicts": why.pending(cluster, pod),
        "command": command,
    }


@page
@require_GET
def pod_log_file(request: HttpRequest, cluster: str, namespace: str, name: str) -> HttpResponse:
    """What the Logs tab shows, as a file."""
    place = open_place(request, cluster, namespace)
    found = find(place, name, request.GET.get("uid", "")[:36])
    return pod_logs.download(request.GET, place, found.obj)


@page
@require_http_methods(["GET", "POST"])
def pod_delete(request: HttpRequest, cluster: str, namespace: str, name: str) -> HttpResponse:
    """GET asks, for browsers without the dialog; POST deletes. The pod is named by uid too: a namesake is not meant."""
    place = open_place(request, cluster, namespace)
    uid = request.POST.get("uid") or request.GET.get("uid", "")
    if request.method == "GET":
        found = find(place, name, uid)
        facts = summary.facts(found.obj, place.now(), gone=found.gone, translate=gettext)
        command = kubectl.delete_pod(name, cluster=cluster, namespace=namespace, grace=None, force=False)
        return render(request, "pod_delete.html", context(place, found=found, pod=facts, delete_command=command))
    grace, force = _grace(request.POST.get("how", ""), request.POST.get("seconds", ""))
    reason = f"{place.identity.actor} deleted the pod on its page."
    deleted = place.client.delete("pods", namespace, name, grace=grace, uid=uid or None, why=reason)
    command = kubectl.delete_pod(name, cluster=cluster, namespace=namespace, grace=grace, force=force)
    text = _("Pod {name} is deleted.") if deleted.gone else _("Pod {name} is being deleted.")
    if request.headers.get("HX-Request"):
        return render(request, "parts/done.html", {"text": text.format(name=name), "command": command})
    messages.success(request, f"{text.format(name=name)} $ {command}")
    return redirect(f"{request.path.removesuffix('/delete')}?uid={uid}")


_LONGEST_GRACE = 7 * 24 * 3600


def _grace(how: str, seconds: str) -> tuple[int | None, bool]:
    """The grace period that was asked for (None: the pod's own), and whether kubectl would need --force for it."""
    if how == "force":
        return 0, True
    if how != "seconds":
        return None, False
    if not seconds.isdecimal() or len(seconds) > 9 or int(seconds) > _LONGEST_GRACE:
        raise bad_request(_("The grace period must be a whole number of seconds."))
    return int(seconds), False


_LONGEST_IMAGE = 500


@page
@require_POST
def pod_debug(request: HttpRequest, cluster: str, namespace: str, name: str) -> HttpResponse:
    """Put an ephemeral container into the pod and lead to its terminal."""
    place = open_place(request, cluster, namespace)
    image = request.POST.get("image", "").strip()[:_LONGEST_IMAGE] or pod_inside.DEBUG_IMAGE
    target = request.POST.get("target", "")[:63]
    stored = place.client.get("pods", namespace, name)
    if request.POST.get("uid") != stored.uid:
        raise Http404(gettext("There is no such pod."))
    changed = pod_inside.debug_container(stored.obj, image, target)
    place.client.update(
        "pods",
        namespace,
        name,
        changed,
        subresource="ephemeralcontainers",
        why=f"{place.identity.actor} wants to look into the pod.",
    )
    added = changed["spec"]["ephemeralContainers"][-1]["name"]
    words = ["debug", "-it", name, f"--image={image}", *([f"--target={target}"] if target else [])]
    told = _("Container {name} joins the pod; it can be entered as soon as it runs.").format(name=added)
    messages.success(request, f"{told} $ {kubectl.line(*words, cluster=cluster, namespace=namespace)}")
    return redirect(f"{request.path.removesuffix('/debug')}?tab=terminal&uid={stored.uid}&container={added}")
