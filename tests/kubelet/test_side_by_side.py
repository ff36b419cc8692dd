"""What must not wait for what: probes for each other, the engine for the store; and that nothing is kept for what is gone."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime
from typing import Any

from fake_runtime import FOREVER, Run
from kubelet_world import START, World, container, pod

from podlab.kubelet.environment import Lookup
from podlab.kubelet.lookup import ClientLookup
from podlab.runtime.calls import ExecResult
from podlab.runtime.errors import RuntimeFailure

PROBE = {"exec": {"command": ["ok"]}, "periodSeconds": 1, "timeoutSeconds": 5}


def test_a_probe_that_hangs_leaves_the_probes_of_others_their_seconds(world: World) -> None:
    def answer(argv: tuple[str, ...], now: datetime) -> ExecResult:
        return ExecResult(0, "", 1000 if argv == ("hang",) else 0.02)

    world.runtime.exec_answer = answer
    hanging = {**PROBE, "exec": {"command": ["hang"]}}
    world.apply(pod(container(livenessProbe=hanging, readinessProbe=hanging)))
    world.apply(pod(container(livenessProbe=PROBE), name="other"))
    world.advance(30.5)
    began = [(note.at - START).total_seconds() for note in world.told.probes]
    assert began == [float(second) for second in range(1, 31)]


def test_a_result_that_comes_late_moves_no_later_probe(world: World) -> None:
    """The ticks are those of a ticker; the time that a probe took is in none of them."""
    world.runtime.exec_answer = lambda argv, now: ExecResult(0, "", 0.9)
    world.apply(pod(container(livenessProbe=PROBE)))
    world.advance(60.95)
    began = [(note.at - START).total_seconds() for note in world.told.probes]
    assert began == [float(second) for second in range(1, 61)]


def test_the_engine_goes_on_while_a_status_is_stored(world: World) -> None:
    """And the next status waits for it, so that they are stored in their order."""
    pool, let = ThreadPoolExecutor(1), threading.Event()
    waited: list[bool] = []
    begin = world.runtime.run_sandbox

    def aside(work: Any) -> Future[None]:
        def later() -> None:
            assert let.wait(20)
            work()

        return pool.submit(later)

    def run_sandbox(config: Any) -> str:
        waited.append(not world.api.statuses)
        let.set()
        return begin(config)

    assert world.kubelet._ctx is not None
    object.__setattr__(world.kubelet._ctx, "aside", aside)
    world.runtime.run_sandbox = run_sandbox  # type: ignore[method-assign]
    world.apply(pod(container("one"), container("two")))
    assert waited == [True]
    ready = [
        next(c["status"] for c in status["conditions"] if c["type"] == "PodReadyToStartContainers")
        for status in world.api.statuses
    ]
    assert ready == ["False", "True", "True"]
    assert world.status["phase"] == "Running"
    pool.shutdown()


def as_if_real(world: World) -> list[str]:
    """The node as one with an engine, where things take time; returns what the engine is asked, in order."""
    ctx = world.kubelet._ctx
    assert ctx is not None
    pool = ThreadPoolExecutor(2)
    object.__setattr__(ctx, "machine", replace(ctx.machine, simulated=False))
    object.__setattr__(ctx, "aside", pool.submit)
    begin = world.runtime.start_container

    def start_container(container_id: str) -> None:
        state = world.kubelet._pods.states["uid-p"]
        if state.making_ahead is not None:
            wait([state.making_ahead], timeout=20)
        begin(container_id)

    world.runtime.start_container = start_container  # type: ignore[method-assign]
    return world.runtime.calls


def test_the_next_container_is_made_while_one_starts_and_told_in_its_turn(world: World) -> None:
    calls = as_if_real(world)
    world.apply(pod(container("a"), container("b"), container("c")))
    made = [call for call in calls if call.startswith(("create", "start"))]
    assert made == ["create a 0", "create b 0", "start p-a-0", "create c 0", "start p-b-0", "start p-c-0"]
    assert world.told.reasons() == ["Pulled", "Created", "Started"] * 3
    assert world.status["phase"] == "Running"
    assert not [call for call in calls if call.startswith("remove")]


def test_a_hook_or_another_image_or_policy_keeps_the_next_container_for_its_turn(world: World) -> None:
    calls = as_if_real(world)
    world.runtime.images.add("other:1")
    hooked = container("a", lifecycle={"postStart": {"exec": {"command": ["warm"]}}})
    always = container("c", imagePullPolicy="Always")
    world.apply(pod(hooked, container("b"), always, container("d", image="other:1")))
    world.advance(5)
    made = [call for call in calls if call.startswith(("create", "start", "exec", "pull"))]
    assert made == [
        *("create a 0", "start p-a-0", "exec p-a-0 warm", "create b 0", "start p-b-0", "pull busybox:1.36"),
        *("create c 0", "start p-c-0", "create d 0", "start p-d-0"),
    ]


def test_what_was_made_ahead_goes_when_its_turn_does_not_come(world: World) -> None:
    calls = as_if_real(world)
    start = world.runtime.start_container

    def fail(container_id: str) -> None:
        start(container_id)
        raise RuntimeFailure("the engine went away")

    world.runtime.start_container = fail  # type: ignore[method-assign]
    world.apply(pod(container("a"), container("b")))
    assert calls[:4] == ["run_sandbox 0", "create a 0", "create b 0", "start p-a-0"]
    assert calls[4] == "remove p-b-0"
    world.runtime.start_container = start  # type: ignore[method-assign]
    world.advance(5)
    assert world.status["phase"] == "Running"


def test_a_container_whose_config_is_wrong_is_told_once_in_its_turn(world: World) -> None:
    as_if_real(world)
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "a"}}}]
    world.apply(pod(container("a"), container("b", env=env)))
    assert world.told.messages("Failed") == ['Error: configmap "none" not found']
    assert world.told.reasons() == ["Pulled", "Created", "Started", "Pulled", "Failed"]


def test_containers_of_one_image_ask_the_engine_once(world: World) -> None:
    asked: list[str] = []
    find = world.runtime.image

    def image(ref: str) -> Any:
        asked.append(ref)
        return find(ref)

    world.runtime.image = image  # type: ignore[method-assign]
    world.apply(pod(container("one"), container("two"), container("three")))
    assert asked == ["busybox:1.36"]
    assert world.told.reasons() == ["Pulled", "Created", "Started"] * 3


def test_what_the_engine_tells_during_a_sync_sends_for_nobody(world: World) -> None:
    """Whoever is at the pod looks once more himself."""
    sent: list[str] = []

    def send(uid: str) -> None:
        sent.append(uid)
        world.queue.append(uid)

    world.kubelet._dispatch_outside = send
    world.apply(pod(container("one"), container("two")))
    assert sent == ["uid-p"]
    assert world.status["phase"] == "Running"


def test_runs_whose_containers_were_removed_are_forgotten(world: World) -> None:
    world.runtime.scripts["main"] = [*[Run(seconds=1, code=1)] * 5, FOREVER]
    world.apply(pod(container()))
    world.advance(400)
    state = world.kubelet._pods.states["uid-p"]
    assert world.container()["restartCount"] == 5
    assert set(state.told) == {("main", 4), ("main", 5)}
    assert len(state.actual) <= 2
    assert not state.start_whys
    assert not state.stop_whys
    assert not state.replacing
    assert world.kubelet._ctx is not None
    assert len(world.kubelet._ctx.pump._streams) == 2


def test_the_log_of_a_container_that_somebody_took_away_is_let_go(world: World) -> None:
    world.runtime.scripts["main"] = [Run(seconds=1, lines=("one",)), FOREVER]
    world.apply(pod(container()))
    world.advance(2)
    assert world.kubelet._ctx is not None
    streams = world.kubelet._ctx.pump._streams
    assert len(streams) == 2
    world.runtime.remove_container("p-main-0")
    world.kubelet.resync()
    world.drain()
    assert list(streams) == ["p-main-1"]


def test_nothing_is_kept_for_pods_that_are_gone(world: World) -> None:
    for number in range(20):
        world.apply(pod(container(livenessProbe=PROBE), name=f"p{number}", grace=1))
    world.advance(3)
    for number in range(20):
        world.delete(f"p{number}")
    world.advance(10)
    ctx = world.kubelet._ctx
    assert ctx is not None
    assert not world.kubelet.pods()
    assert not ctx.probes._workers
    assert not ctx.pump._streams
    assert world.clock.next_due() is None or len(world.clock._agenda) < 10


class _Tokens:
    """A client that makes tokens and knows Services of any namespace."""

    def now(self) -> datetime:
        return START

    def create_token(self, namespace: str, account: str, request: Any) -> Any:
        return {"status": {"token": f"{account} of {namespace}"}}, []

    def list(self, resource: str, namespace: str) -> Any:
        return type("Page", (), {"items": []})()

    def find(self, resource: str, namespace: str, name: str) -> None:
        return None


def test_tokens_go_with_their_pod_and_services_of_many_namespaces_are_not_kept() -> None:
    lookup = ClientLookup(_Tokens())  # type: ignore[arg-type]
    as_protocol: Lookup = lookup
    as_protocol.token(pod(), "", 3600)
    as_protocol.token(pod(name="q"), "", 3600)
    as_protocol.forget("uid-p")
    assert [wish[0] for wish in lookup._tokens] == ["uid-q"]
    for number in range(500):
        as_protocol.services(f"n-{number}")
    assert len(lookup._services) == 100
    assert "n-499" in lookup._services
