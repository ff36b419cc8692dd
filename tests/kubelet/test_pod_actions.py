"""compute_pod_actions as a table: an English sentence → how pod and status differ from the base, and what must be done.

The base is a pod of three containers that all run in one ready sandbox, as in TestComputePodActions upstream.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from kubelet_world import container, pod

from podlab.apis.types import Manifest
from podlab.kubelet.actions import compute_pod_actions
from podlab.kubelet.plan import PodActions, Verdict
from podlab.kubelet.pods import container_hash
from podlab.runtime.interface import ContainerState, ContainerStatus, PodRef, PodStatus, SandboxStatus

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
REF = PodRef("default", "p", "uid-p")


@dataclass
class Case:
    """The base fixture, to be changed by a test."""

    pod: Manifest = field(default_factory=lambda: pod(container("a"), container("b"), container("c")))
    sandboxes: list[SandboxStatus] = field(
        default_factory=lambda: [SandboxStatus(id="s0", pod=REF, attempt=0, ready=True, ip="10.0.0.1", created_at=NOW)]
    )
    containers: list[ContainerStatus] = field(default_factory=lambda: [running("a"), running("b"), running("c")])
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    replacing: set[str] = field(default_factory=set)

    def act(self) -> PodActions:
        observed = PodStatus(REF, tuple(self.sandboxes), tuple(self.containers))
        return compute_pod_actions(self.pod, observed, self.verdicts, replacing=self.replacing)

    def policy(self, name: str) -> None:
        self.pod["spec"]["restartPolicy"] = name

    def end(self, name: str, code: int) -> None:
        self.put(replace(self.find(name), state=ContainerState.EXITED, exit_code=code, finished_at=NOW))

    def state(self, name: str, state: ContainerState) -> None:
        self.put(replace(self.find(name), state=state))

    def find(self, name: str) -> ContainerStatus:
        return next(c for c in self.containers if c.name == name)

    def put(self, status: ContainerStatus) -> None:
        self.containers = [status if c.name == status.name else c for c in self.containers]

    def inits(self, *statuses: ContainerStatus) -> None:
        """Two init containers; nothing of the app containers exists yet."""
        self.pod["spec"]["initContainers"] = [container("i1"), container("i2")]
        self.containers = list(statuses)

    def sidecar(self, *statuses: ContainerStatus, startup: bool = False, apps: bool = False) -> None:
        """i1 is a sidecar, i2 a plain init container behind it; `apps`: the containers run already."""
        more = {"startupProbe": {"exec": {"command": ["true"]}}} if startup else {}
        self.pod["spec"]["initContainers"] = [container("i1", restartPolicy="Always", **more), container("i2")]
        self.containers = [*statuses, *(self.containers if apps else [])]

    def lose_sandbox(self) -> None:
        self.sandboxes = [replace(self.sandboxes[0], ready=False)]


def running(name: str) -> ContainerStatus:
    return ContainerStatus(
        id=f"id-{name}",
        pod=REF,
        name=name,
        sandbox_id="s0",
        attempt=0,
        state=ContainerState.RUNNING,
        image="busybox:1.36",
        image_id="",
        created_at=NOW,
        started_at=NOW,
        hash=container_hash(container(name)),
    )


def ended(name: str, code: int) -> ContainerStatus:
    return replace(running(name), state=ContainerState.EXITED, exit_code=code, finished_at=NOW)


def summary(actions: PodActions) -> str:
    """The actions in one line: `new 1`, `kill pod`, `-name` for kills, `+name@attempt` for starts."""
    parts = ["kill pod"] if actions.kill_pod else []
    parts += [f"new {actions.attempt}"] if actions.create_sandbox else []
    parts += [f"-{one.name}" for one in actions.to_kill]
    parts += [f"+{one.name}@{one.attempt}" for one in actions.to_start]
    return ", ".join(parts) or "nothing"


def fail(kind: str) -> Verdict:
    return Verdict(False, f"{kind} probe failed 3 times in a row")


def all_end(code: int) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        for name in "abc":
            case.end(name, code)

    return change


def steps(*changes: Callable[[Case], object]) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        for one in changes:
            one(case)

    return change


RULE_42 = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
CASES: dict[str, tuple[Callable[[Case], object], str]] = {
    "everything runs: nothing is to do": (lambda c: None, "nothing"),
    "a new pod gets a sandbox and all its containers": (
        steps(lambda c: c.sandboxes.clear(), lambda c: c.containers.clear()),
        "new 0, +a@0, +b@0, +c@0",
    ),
    "Always starts containers again whatever their exit": (
        steps(lambda c: c.end("a", 0), lambda c: c.end("b", 1)),
        "+a@1, +b@1",
    ),
    "OnFailure starts only what failed again": (
        steps(lambda c: c.policy("OnFailure"), lambda c: c.end("a", 0), lambda c: c.end("b", 1)),
        "+b@1",
    ),
    "Never starts nothing again": (
        steps(lambda c: c.policy("Never"), lambda c: c.end("a", 0), lambda c: c.end("b", 1)),
        "nothing",
    ),
    "Never with all ended ends the pod": (steps(lambda c: c.policy("Never"), all_end(1)), "kill pod"),
    "OnFailure with all succeeded ends the pod": (steps(lambda c: c.policy("OnFailure"), all_end(0)), "kill pod"),
    "a lost sandbox takes everything with it": (lambda c: c.lose_sandbox(), "kill pod, new 1, +a@1, +b@1, +c@1"),
    "a lost sandbox of a Never pod that has run is not replaced": (
        steps(lambda c: c.policy("Never"), lambda c: c.lose_sandbox()),
        "kill pod",
    ),
    "a lost sandbox leaves what has succeeded under OnFailure alone": (
        steps(lambda c: c.policy("OnFailure"), lambda c: c.end("a", 0), lambda c: c.lose_sandbox()),
        "kill pod, new 1, +b@1, +c@1",
    ),
    "a lost sandbox is not replaced when all have succeeded under OnFailure": (
        steps(lambda c: c.policy("OnFailure"), all_end(0), lambda c: c.lose_sandbox()),
        "kill pod",
    ),
    "two ready sandboxes are one too many": (
        lambda c: c.sandboxes.insert(0, replace(c.sandboxes[0], id="s1", attempt=1)),
        "kill pod, new 2, +a@1, +b@1, +c@1",
    ),
    "a sandbox without an address is replaced": (
        lambda c: c.sandboxes.__setitem__(0, replace(c.sandboxes[0], ip="")),
        "kill pod, new 1, +a@1, +b@1, +c@1",
    ),
    "on the host network a sandbox needs no address": (
        steps(
            lambda c: c.sandboxes.__setitem__(0, replace(c.sandboxes[0], ip="")),
            lambda c: c.pod["spec"].update(hostNetwork=True),
        ),
        "nothing",
    ),
    "a failed liveness probe kills and restarts": (
        lambda c: c.verdicts.update({("id-b", "liveness"): fail("liveness")}),
        "-b, +b@1",
    ),
    "a failed liveness probe under Never only kills": (
        steps(lambda c: c.policy("Never"), lambda c: c.verdicts.update({("id-b", "liveness"): fail("liveness")})),
        "-b",
    ),
    "the last container killed under Never ends the pod": (
        steps(
            lambda c: c.policy("Never"),
            lambda c: c.end("a", 0),
            lambda c: c.end("c", 0),
            lambda c: c.verdicts.update({("id-b", "liveness"): fail("liveness")}),
        ),
        "kill pod",
    ),
    "a failed startup probe kills and restarts": (
        lambda c: c.verdicts.update({("id-a", "startup"): fail("startup")}),
        "-a, +a@1",
    ),
    "a failed readiness probe kills nobody": (
        lambda c: c.verdicts.update({("id-a", "readiness"): fail("readiness")}),
        "nothing",
    ),
    "the verdict about a container that is gone does not count": (
        lambda c: c.verdicts.update({("id-older", "liveness"): fail("liveness")}),
        "nothing",
    ),
    "another image replaces the container, under Never too": (
        steps(lambda c: c.policy("Never"), lambda c: c.pod["spec"]["containers"][1].update(image="busybox:1.37")),
        "-b, +b@1",
    ),
    "a container in an unknown state is killed before it is started": (
        lambda c: c.state("b", ContainerState.UNKNOWN),
        "-b, +b@1",
    ),
    "a created container is started as it is": (lambda c: c.state("b", ContainerState.CREATED), "+b@0"),
    "what was killed for a restart starts again although it exited 0 under OnFailure": (
        steps(lambda c: c.policy("OnFailure"), lambda c: c.end("b", 0), lambda c: c.replacing.add("id-b")),
        "+b@1",
    ),
    "a pod that is being deleted starts nothing": (
        steps(lambda c: c.pod["metadata"].update(deletionTimestamp="2026-11-21T02:00:30Z"), lambda c: c.end("b", 1)),
        "nothing",
    ),
    "the first init container comes first": (lambda c: c.inits(), "+i1@0"),
    "while an init container runs all others wait": (lambda c: c.inits(running("i1")), "nothing"),
    "the second init container follows the first one's success": (lambda c: c.inits(ended("i1", 0)), "+i2@0"),
    "a failed init container is tried again": (lambda c: c.inits(ended("i2", 1), ended("i1", 0)), "+i2@1"),
    "a failed init container ends a pod that never restarts": (
        steps(lambda c: c.policy("Never"), lambda c: c.inits(ended("i1", 1))),
        "kill pod",
    ),
    "the containers follow the last init container": (
        lambda c: c.inits(ended("i2", 0), ended("i1", 0)),
        "+a@0, +b@0, +c@0",
    ),
    "an init container in an unknown state is killed and run again": (
        lambda c: c.inits(replace(running("i1"), state=ContainerState.UNKNOWN)),
        "-i1, +i1@1",
    ),
    "the next container follows a sidecar that has started": (lambda c: c.sidecar(running("i1")), "+i2@0"),
    "a sidecar with a startup probe is waited for": (lambda c: c.sidecar(running("i1"), startup=True), "nothing"),
    "a sidecar whose startup probe has said yes is waited for no longer": (
        steps(
            lambda c: c.sidecar(running("i1"), startup=True),
            lambda c: c.verdicts.update({("id-i1", "startup"): Verdict(True, "startup probe succeeded")}),
        ),
        "+i2@0",
    ),
    "a sidecar whose startup probe fails is replaced": (
        steps(
            lambda c: c.sidecar(running("i1"), startup=True),
            lambda c: c.verdicts.update({("id-i1", "startup"): fail("startup")}),
        ),
        "-i1, +i1@1",
    ),
    "a sidecar that ended is started again beside running containers, whatever the pod's policy": (
        steps(lambda c: c.policy("Never"), lambda c: c.sidecar(ended("i2", 0), ended("i1", 3), apps=True)),
        "+i1@1",
    ),
    "a sidecar that the runtime has lost is started again": (
        lambda c: c.sidecar(ended("i2", 0), apps=True),
        "+i1@0",
    ),
    "a failed liveness probe replaces a sidecar and nothing else": (
        steps(
            lambda c: c.sidecar(ended("i2", 0), running("i1"), apps=True),
            lambda c: c.verdicts.update({("id-i1", "liveness"): fail("liveness")}),
        ),
        "-i1, +i1@1",
    ),
    "sidecars do not keep a pod alive whose containers are done": (
        steps(
            lambda c: c.policy("Never"),
            lambda c: c.sidecar(ended("i2", 0), ended("i1", 1), apps=True),
            all_end(0),
        ),
        "kill pod",
    ),
    "an ephemeral container starts in a running pod": (
        lambda c: c.pod["spec"].update(ephemeralContainers=[container("dbg")]),
        "+dbg@0",
    ),
    "an ephemeral container is never started twice": (
        steps(
            lambda c: c.pod["spec"].update(ephemeralContainers=[container("dbg")]),
            lambda c: c.containers.append(ended("dbg", 3)),
        ),
        "nothing",
    ),
    "a container with a rule for its exit code comes back in a Never pod": (
        steps(
            lambda c: c.policy("Never"),
            lambda c: c.end("b", 42),
            lambda c: c.pod["spec"]["containers"][1].update(restartPolicy="Never", restartPolicyRules=[RULE_42]),
        ),
        "+b@1",
    ),
    "a new sandbox begins with the first init container again": (
        steps(lambda c: c.inits(ended("i2", 0), ended("i1", 0)), lambda c: c.lose_sandbox()),
        "kill pod, new 1, +i1@1",
    ),
    "init containers of an older sandbox do not count": (
        steps(
            lambda c: c.inits(ended("i2", 0), ended("i1", 0)),
            lambda c: c.sandboxes.insert(0, replace(c.sandboxes[0], id="s1", attempt=1)),
            lambda c: c.sandboxes.__setitem__(1, replace(c.sandboxes[1], ready=False)),
        ),
        "+i1@1",
    ),
    "restartCount goes on from the API when the runtime has forgotten": (
        steps(
            lambda c: c.containers.pop(1),
            lambda c: c.pod["status"].update(
                containerStatuses=[{"name": "b", "restartCount": 4, "containerID": "docker://x", "state": {}}]
            ),
        ),
        "+b@5",
    ),
}


@pytest.mark.parametrize("sentence", CASES)
def test_pod_actions(sentence: str) -> None:
    change, expected = CASES[sentence]
    case = Case()
    change(case)
    before = copy.deepcopy(case.pod)
    actions = case.act()
    assert summary(actions) == expected
    assert case.pod == before, "a decision must not change what it looks at"


@pytest.mark.parametrize("sentence", CASES)
def test_every_action_has_its_why(sentence: str) -> None:
    case = Case()
    CASES[sentence][0](case)
    actions = case.act()
    assert all(one.why for one in [*actions.to_kill, *actions.to_start])
    if actions.kill_pod or actions.create_sandbox:
        assert actions.why


@pytest.mark.parametrize(
    ("change", "message", "why"),
    [
        (
            lambda c: c.verdicts.update({("id-b", "liveness"): fail("liveness")}),
            "Container b failed liveness probe, will be restarted",
            "liveness probe failed 3 times in a row",
        ),
        (
            lambda c: c.pod["spec"]["containers"][1].update(image="x:2"),
            "Container b definition changed, will be restarted",
            "the image of container b is now x:2",
        ),
    ],
)
def test_kills_carry_the_words_of_their_event(change: Callable[[Case], object], message: str, why: str) -> None:
    case = Case()
    change(case)
    (one,) = case.act().to_kill
    assert (one.message, one.why) == (message, why)
