"""Starting points for the editor: each is a small pod that shows one thing on the timeline, and says what to watch there.

The manifests are the files in gallery/, as people write them, comments included; they need an image with a shell and
busybox' applets. tests/lab/test_patterns.py runs every one of them on Docker and on the simulator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from podlab.apis import scheme

_FOLDER = Path(__file__).parent / "gallery"


@dataclass(frozen=True, slots=True)
class Pattern:
    """`about` is what it is, `watch` what to look at once it runs."""

    id: str
    title: Promise
    about: Promise
    watch: Promise

    @property
    def manifest(self) -> str:
        return _read(self.id)


@cache
def _read(id: str) -> str:
    return (_FOLDER / f"{id}.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Group:
    title: Promise
    patterns: tuple[Pattern, ...]


GROUPS = (
    Group(
        _("First steps"),
        (
            Pattern("single", _("Single container"), _("One program that works until it is told to end."),
                    _("Watch the container go from ContainerCreating to running, and how quickly it ends when you delete the pod: it listens to TERM.")),
            Pattern("web", _("Web server"), _("Serves a page, logs what it does, becomes ready when it answers."),
                    _("Watch the first readiness probe: Ready turns true with it and not before.")),
            Pattern("once", _("Run once"), _("Ends with exit code 0 and is not started again."),
                    _("Watch the end cap: Completed, 0. Change restartPolicy to Always and see the difference.")),
            Pattern("environment", _("Environment"), _("Variables: a value, and facts about the pod itself."),
                    _("Watch the first log line: the pod knows its own name and node.")),
            Pattern("settings", _("Config map"), _("Two documents: a config map, and a pod that reads it as a variable and as a file."),
                    _("Watch the Details tab for the mount; change the map and see that the file follows and the variable does not.")),
        ),
    ),
    Group(
        _("Several containers"),
        (
            Pattern("puller", _("File puller and web server"), _("One container writes files that the other serves, over a shared volume."),
                    _("Watch both lanes: the server becomes ready only when the first page is there.")),
            Pattern("init-wait", _("Init container that waits"), _("The app starts when a service answers, and not before."),
                    _("Watch Initialized turn true when the waiting ends, and the app start right after it.")),
            Pattern("sidecar", _("Sidecar"), _("A helper that starts before the app and ends after it."),
                    _("Watch the order: the sidecar runs first; when the app has finished, it gets TERM and the pod succeeds.")),
            Pattern("adapter", _("Adapter"), _("The app speaks a format of its own, a second container translates."),
                    _("Watch the merged logs: only the adapter says anything that others understand.")),
            Pattern("ambassador", _("Ambassador"), _("The app talks to localhost only; a second container knows the way out."),
                    _("Watch the logs of the app: it gets answers without knowing from where.")),
            Pattern("localhost", _("Talk over localhost"), _("Containers of a pod share one network."),
                    _("Watch the client's log, and that both containers have the pod's one IP.")),
            Pattern("shared-memory", _("Shared memory"), _("A volume in memory at /dev/shm, written by one and read by the other."),
                    _("Watch the reader count along; in the Details tab the volume's medium is Memory.")),
        ),
    ),
    Group(
        _("It does not start"),
        (
            Pattern("missing-image", _("Missing image"), _("Names an image that cannot be pulled: ErrImagePull, then ImagePullBackOff."),
                    _("Watch the pauses between the pulls grow, and the container waiting with its reason.")),
            Pattern("wrong-command", _("Wrong command"), _("The image has no such program."),
                    _("Watch the container end before it ran, with exit code 127 or 128 and the engine's words.")),
            Pattern("missing-config", _("Missing config map"), _("A variable comes from a config map that is not there."),
                    _("Watch CreateContainerConfigError name the map; create it and see the container start by itself.")),
            Pattern("non-root", _("Root refused"), _("runAsNonRoot with an image that wants to be root."),
                    _("Watch the kubelet refuse to create the container; add runAsUser: 1000 to heal it.")),
            Pattern("privileged", _("Privileged refused"), _("Asks for all privileges and forbids to gain any."),
                    _("Watch the editor: the API refuses it at its line, and nothing is created.")),
            Pattern("unschedulable", _("No node fits"), _("Wants a label that no node has."),
                    _("Watch the Details tab: what the scheduler found on every node. Label one and it is placed.")),
        ),
    ),
    Group(
        _("It does not stay up"),
        (
            Pattern("crash", _("Crash loop"), _("Ends with exit code 1 again and again: watch the back-off double."),
                    _("Watch CrashLoopBackOff count down, twice as long each time; the logs of every run are kept.")),
            Pattern("oom", _("Out of memory"), _("Takes more memory than its limit."),
                    _("Watch the end: OOMKilled, 137. The kernel did that, not the kubelet.")),
            Pattern("liveness", _("Failing liveness probe"), _("Healthy for ten seconds, then the probe fails three times and the kubelet restarts the container."),
                    _("Watch the third failure in a row: a line leads from it to the restart.")),
            Pattern("deadline", _("Deadline"), _("activeDeadlineSeconds ends the pod, whatever it does."),
                    _("Watch the phase: Failed, DeadlineExceeded, eight seconds after the start.")),
        ),
    ),
    Group(
        _("Readiness"),
        (
            Pattern("wrong-port", _("Bad probe"), _("The readiness probe asks port 80, the program listens on 8080."),
                    _("Watch it run and never become ready: every tick fails, and nothing restarts it.")),
            Pattern("flapping", _("Flapping readiness"), _("Ready for a while, busy for a while."),
                    _("Watch Ready go up and down with the probe's thresholds while the container runs on.")),
            Pattern("slow-start", _("Slow start"), _("A startup probe gives it time; the strict liveness probe begins after that."),
                    _("Watch that there is no liveness tick before the startup probe has succeeded.")),
        ),
    ),
    Group(
        _("How it ends"),
        (
            Pattern("slow-stop", _("Slow stop"), _("Does not listen to TERM: delete it and watch the grace period run out."),
                    _("Delete it, then watch the countdown from TERM to KILL and the exit code 137.")),
            Pattern("pre-stop", _("preStop hook"), _("A hook takes four seconds before TERM is sent."),
                    _("Delete it, then watch the hook come before TERM, out of the same grace period.")),
        ),
    ),
    Group(
        _("Resources and nodes"),
        (
            Pattern("qos-guaranteed", _("QoS Guaranteed"), _("Requests equal limits for cpu and memory."),
                    _("Watch QoS in the head of the page, and the node's blocks grow by the requests.")),
            Pattern("qos-burstable", _("QoS Burstable"), _("Requests less than it may take."),
                    _("Watch QoS in the head of the page; the scheduler counts the requests, the kernel the limit.")),
            Pattern("qos-besteffort", _("QoS BestEffort"), _("Asks for nothing and is promised nothing."),
                    _("Watch QoS in the head of the page: under pressure such pods go first.")),
            Pattern("static", _("Static pod"), _("Started by the kubelet from a file, without API and scheduler."),
                    _("Created here it is an ordinary pod; its comment says what the folder on the node would change.")),
            Pattern("debug", _("Ephemeral debugging"), _("A quiet pod to look into with kubectl debug."),
                    _("Run the command in its comment: a new lane appears, and the container that it looks at runs on.")),
        ),
    ),
)  # fmt: skip

PATTERNS = tuple(pattern for group in GROUPS for pattern in group.patterns)
FIRST = next(pattern for pattern in PATTERNS if pattern.id == "web")


def find(id: str) -> Pattern:
    """The pattern of that id; the web server for anything else."""
    return next((pattern for pattern in PATTERNS if pattern.id == id), FIRST)


def groups() -> tuple[Group, ...]:
    return GROUPS


def watch(id: str) -> Promise | str:
    return next((pattern.watch for pattern in PATTERNS if pattern.id == id), "")


_BODIES = {
    "configmaps": "data:\n  key: value\n",
    "secrets": "stringData:\n  password: change me\n",
    "services": "spec:\n  selector:\n    app: web\n  ports:\n    - port: 80\n      targetPort: 8080\n",
    "persistentvolumeclaims": "spec:\n  accessModes: [ReadWriteOnce]\n  resources:\n    requests:\n      storage: 1Gi\n",
}


def sample(kind: str) -> str:
    """A manifest to begin with for a kind by its key (configmaps, deployments.apps): the least that it needs."""
    resource = scheme.by_key(kind)
    if resource is None or kind == "pods":
        return FIRST.manifest
    lines = [
        f"apiVersion: {resource.api_version}",
        f"kind: {resource.kind}",
        "metadata:",
        f"  name: {resource.singular}",
    ]
    body = _BODIES.get(kind) or "".join(_template(resource.kind))
    return "\n".join(lines) + "\n" + body


def _template(kind: str) -> Iterator[str]:
    """The pod template of the workloads."""
    if kind not in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"):
        return
    pad = "  "
    yield "spec:\n"
    if kind == "CronJob":
        yield '  schedule: "*/5 * * * *"\n  jobTemplate:\n    spec:\n'
        pad = "      "
    if kind in ("Deployment", "ReplicaSet", "StatefulSet"):
        yield "  replicas: 2\n"
    if kind not in ("Job", "CronJob"):
        yield "  selector:\n    matchLabels:\n      app: web\n"
    yield f"{pad}template:\n"
    if kind not in ("Job", "CronJob"):
        yield f"{pad}  metadata:\n{pad}    labels:\n{pad}      app: web\n"
    yield f"{pad}  spec:\n"
    if kind in ("Job", "CronJob"):
        yield f"{pad}    restartPolicy: Never\n"
    yield f"{pad}    containers:\n{pad}      - name: app\n{pad}        image: busybox:1.36\n"
    yield f'{pad}        command: ["sh", "-c", "echo hello; sleep 3600"]\n'
