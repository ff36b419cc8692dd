"""Simulated containers as annotations and images want them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from podlab.runtime.errors import CreateFailed, StartFailed
from podlab.runtime.images import PullResult
from podlab.runtime.interface import ContainerResources, Mount, PidNamespace
from podlab.runtime.node_files import NodeFile, folder
from podlab.runtime.sim import images
from podlab.runtime.sim.behaviour import BadBehaviour, duration, parse
from tests.runtime.pods import Lines
from tests.runtime.sim_node import START, Sim

FATES: dict[str, tuple[dict[str, str], dict[str, Any], tuple[float, int, str] | None]] = {
    "exits after a while": ({"exit-after": "10s"}, {}, (10, 0, "Completed")),
    "with a code": ({"exit-after": "1m30s", "exit-code": "3"}, {}, (90, 3, "Error")),
    "a code alone ends at once": ({"exit-code": "1"}, {}, (0, 1, "Error")),
    "codes go by attempt": ({"exit-after": "1", "exit-code": "7,0"}, {"attempt": 4}, (1, 0, "Completed")),
    "too much memory": ({"memory": "20Mi:10s,300Mi"}, {"memory_limit": 64 * 2**20}, (10, 137, "OOMKilled")),
    "memory within the limit": ({"memory": "20Mi:10s,60Mi"}, {"memory_limit": 64 * 2**20}, None),
    "memory without a limit": ({"memory": "20Mi:10s,300Gi"}, {}, None),
}


@pytest.mark.parametrize("case", FATES)
def test_fate_by_annotation(sim: Sim, case: str) -> None:
    said, more, fate = FATES[case]
    container = sim.run("sleep", "100000", said=said, **more)
    sim.to(1000)
    assert sim.fate(container) == fate


TERMS: dict[str, tuple[tuple[str, ...], dict[str, str], tuple[float, int, str] | None]] = {
    "sleep is not told by TERM": (("sleep", "100000"), {}, None),
    "unless an annotation says so": (("sleep", "100000"), {"term-delay": "3s"}, (13, 0, "Completed")),
    "with a code": (("sleep", "100000"), {"term-delay": "2s", "term-code": "143"}, (12, 143, "Error")),
    "ignored": (("redis-server",), {"ignore-term": "true"}, None),
    "scripted containers end on TERM": ((), {"log": "hi"}, (10.05, 0, "Completed")),
    "unless told to ignore it": ((), {"log": "hi", "ignore-term": "true"}, None),
}


@pytest.mark.parametrize("case", TERMS)
def test_term(sim: Sim, case: str) -> None:
    argv, said, fate = TERMS[case]
    container = sim.run(*argv, said=said, image="busybox" if argv[:1] == ("sleep",) else "redis")
    sim.to(10)
    sim.runtime.signal_container(container, "TERM")
    sim.to(60)
    assert sim.fate(container) == fate


def test_in_a_shared_process_namespace_term_ends_who_has_no_handler(sim: Sim) -> None:
    shared = sim.shell("sleep 60", name="shared", pid_namespace=PidNamespace.POD)
    handled = sim.shell("trap 'exit 3' TERM; while true; do sleep 60 & wait; done", pid_namespace=PidNamespace.POD)
    sim.to(5)
    for container_id in (shared, handled):
        sim.runtime.signal_container(container_id, "TERM")
    assert sim.fate(shared) == (5, 143, "Error")
    assert sim.fate(handled) == (5, 3, "Error")


def test_a_termination_message_is_kept(sim: Sim) -> None:
    container = sim.shell("echo why > /dev/termination-log; exit 1")
    assert sim.status(container).message == "why\n"


def test_a_termination_message_may_lie_elsewhere_and_its_end_counts(sim: Sim) -> None:
    script = "printf '%05000d' 7 > /tmp/last; echo why >> /tmp/last; exit 1"
    container = sim.shell(script, message_path="/tmp/last")
    message = sim.status(container).message
    assert len(message) == 4096
    assert message.endswith("7why\n")


def test_lines_at_intervals(sim: Sim) -> None:
    container = sim.run(said={"log": "working", "log-interval": "2s", "exit-after": "5s"})
    lines = Lines(sim.runtime, container)
    sim.to(60)
    assert [(line.at - START).total_seconds() for line in lines.lines] == [0, 2, 4]
    assert (lines.text, lines.ended) == ("working\n" * 3, 1)


def test_probes_turn_out_as_told_each_by_its_purpose(sim: Sim) -> None:
    said = {"liveness": "ok:10s,fail:20s,ok", "readiness": "503:5s,ok", "startup": "hang"}
    container = sim.run(image="nginx", said=said)
    assert sim.http(container, 80, purpose="readiness").status == 503
    assert sim.http(container, 80, purpose="liveness").status == 200
    assert "Client.Timeout exceeded" in sim.http(container, 80, purpose="startup").error
    sim.to(15)
    assert sim.http(container, 80, purpose="readiness").status == 200
    assert sim.http(container, 80, purpose="liveness").status == 500
    assert sim.exec(container, "cat", "/nope", purpose="liveness").exit_code == 1
    sim.to(31)
    assert sim.exec(container, "cat", "/nope", purpose="liveness").exit_code == 0
    assert sim.http(container, 80, "/nope").status == 404


def test_a_slow_answer_is_a_timeout(sim: Sim) -> None:
    container = sim.run(image="nginx", said={"latency": "250ms:10s,3s"})
    assert sim.http(container, 80).seconds == 0.25
    sim.to(10)
    assert "context deadline exceeded" in sim.http(container, 80).error
    assert sim.seconds == 11


def test_grpc_probes_reach_servers_that_answer_everything(sim: Sim) -> None:
    shop = sim.run(image="example.com/shop:2", ports=(9090,), name="shop")
    assert sim.grpc(shop, 9090).message == "service healthy"
    refused = f'timeout: failed to connect service "{sim.ip}:9091" within 1s: context deadline exceeded'
    before = sim.seconds
    assert sim.grpc(shop, 9091).message == refused
    assert sim.seconds == before + 1
    pages = sim.run(image="nginx:1.27", name="pages")
    assert not sim.grpc(pages, 80).ok


SERVERS: dict[str, tuple[dict[str, Any], int, str, int]] = {
    "nginx serves its page": ({"image": "nginx:1.27"}, 80, "/", 200),
    "and nothing else": ({"image": "nginx:1.27"}, 80, "/healthz", 404),
    "and not where the pod says that it does": ({"image": "nginx", "ports": (8080,)}, 8080, "/", 0),
    "an unknown image serves its ports": ({"image": "example.com/shop:2", "ports": (8080,)}, 8080, "/healthz", 200),
    "redis speaks no HTTP": ({"image": "redis"}, 6379, "/", 0),
    "agnhost liveness is well at first": (
        {"image": "registry.k8s.io/e2e-test-images/agnhost:2.40", "args": ("liveness",)},
        8080,
        "/healthz",
        200,
    ),
}


@pytest.mark.parametrize("case", SERVERS)
def test_servers(sim: Sim, case: str) -> None:
    config, port, path, status = SERVERS[case]
    container = sim.run(**config)
    assert sim.http(container, port, path).status == status


def test_the_documentations_liveness_examples(sim: Sim) -> None:
    web = sim.run(image="agnhost", args=("liveness",))
    sim.to(11)
    assert sim.http(web, 8080, "/healthz").status == 500
    script = "touch /tmp/healthy; sleep 30; rm -f /tmp/healthy; sleep 600"
    files = sim.shell(script, name="files")
    assert sim.exec(files, "cat", "/tmp/healthy").exit_code == 0
    sim.to(42)
    found = sim.exec(files, "cat", "/tmp/healthy")
    assert (found.exit_code, found.output) == (1, "cat: can't open '/tmp/healthy': No such file or directory\n")


def test_containers_of_a_pod_share_address_and_volumes(sim: Sim) -> None:
    volume = (Mount(host_path="/data/uid-1/v", container_path="/www"),)
    server = sim.shell("httpd -f -p 8080 -h /www", mounts=volume)
    puller = sim.shell("sleep 5; echo hello > /www/index.html; sleep 3600", name="puller", mounts=volume)
    assert sim.http(puller, 8080).status == 404
    sim.to(6)
    assert sim.http(puller, 8080).body == "hello\n"
    assert sim.exec(server, "cat", "/www/index.html").output == "hello\n"


@pytest.mark.parametrize(
    ("node_disk", "text"),
    [(True, "from a ConfigMap\n"), (False, "cat: can't open '/c/a': No such file or directory\n\n")],
    ids=["beside real pods", "in a simulated cluster"],
)
def test_files_of_the_machine_are_seen_beside_real_pods_only(tmp_path: Path, node_disk: bool, text: str) -> None:
    (tmp_path / "cfg").mkdir()
    (tmp_path / "cfg" / "a").write_text("from a ConfigMap")
    sim = Sim(tmp_path, node_disk=node_disk)
    mount = (Mount(host_path=str(tmp_path / "cfg"), container_path="/c", read_only=True),)
    container = sim.shell("cat /c/a; echo; touch /c/x 2>&1; sleep 3600", mounts=mount)
    assert Lines(sim.runtime, container).text == text + "touch: /c/x: Read-only file system\n"
    sim.runtime.close()


def test_placed_files_are_seen_anew_and_heard_again_in_a_replay(sim: Sim) -> None:
    mount = (Mount(host_path="/pods/uid-1/c", container_path="/c", read_only=True),)
    sim.runtime.place_files("/pods/uid-1/c", {"": folder(0o777), "/a": NodeFile("one\n")})
    container = sim.shell("while true; do cat /c/a; sleep 10; done", mounts=mount)
    sim.to(5)
    sim.runtime.place_files("/pods/uid-1/c", {"": folder(0o777), "/a": NodeFile("two\n")})
    sim.to(15)
    assert Lines(sim.runtime, container).text == "one\ntwo\n"
    sim.crash()
    assert Lines(sim.runtime, container).text == "one\ntwo\n"


def test_exec_times_out_and_leaves_the_container_alone(sim: Sim) -> None:
    container = sim.run("sleep", "3600")
    found = sim.exec(container, "sh", "-c", "echo slow; sleep 5")
    assert (found.timed_out, found.output, found.seconds) == (True, "slow\n", 1)
    assert sim.fate(container) is None


def test_an_unknown_command_of_a_probe_succeeds_in_a_full_image(sim: Sim) -> None:
    container = sim.run(image="postgres", env=(("POSTGRES_PASSWORD", "x"),))
    assert sim.exec(container, "pg_isready", "-U", "postgres").exit_code == 0


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"exit-after": "soon"}, "annotation sim.podlab.dev/main.exit-after: 'soon' is not a duration"),
        ({"liveness": "ok:10s,maybe"}, "annotation sim.podlab.dev/main.liveness: 'maybe' is not ok, fail, hang"),
        ({"exit-code": "x"}, "annotation sim.podlab.dev/main.exit-code: 'x' is not an exit code"),
        ({"memory": "lots"}, "annotation sim.podlab.dev/main.memory: 'lots' is not a size"),
        ({"ignore-term": "perhaps"}, "annotation sim.podlab.dev/main.ignore-term: 'perhaps' is not true or false"),
    ],
)
def test_nonsense_in_an_annotation_is_named(sim: Sim, said: dict[str, str], text: str) -> None:
    with pytest.raises(CreateFailed, match=text):
        sim.run("true", said=said)
    with pytest.raises(BadBehaviour):
        parse({f"sim.podlab.dev/main.{key}": value for key, value in said.items()}, "main")


def test_a_start_error_as_told(sim: Sim) -> None:
    with pytest.raises(StartFailed, match="no more inodes"):
        sim.run("true", said={"start-error": "no more inodes"})


def pull(sim: Sim, ref: str, said: dict[str, str] | None = None) -> tuple[float, PullResult]:
    begun, found = sim.seconds, list[PullResult]()
    sim.runtime.pull_image(ref, found.append, annotations=said)
    while not found:
        sim.clock.fire_next(sim.clock.now() + timedelta(seconds=60))
    return sim.seconds - begun, found[0]


def test_pulling_takes_its_time_once_and_the_same_for_the_same_seed(sim: Sim, tmp_path: Path) -> None:
    first, result = pull(sim, "nginx:1.27")
    assert 0.5 <= first <= 3
    assert result.image == sim.runtime.image("nginx:1.27")
    assert pull(sim, "nginx:1.27")[0] == pytest.approx(0.05)
    (tmp_path / "again").mkdir()
    assert pull(Sim(tmp_path / "again"), "nginx:1.27")[0] == first
    (tmp_path / "other").mkdir()
    assert pull(Sim(tmp_path / "other", seed=2), "nginx:1.27")[0] != first
    assert pull(sim, "redis", {"sim.podlab.dev/pull-time": "42s"})[0] == 42


MISSING = {
    "registry.invalid/x:1": 'failed to do request: Head "https://registry.invalid/v2/x/manifests/1": dial tcp: '
    f"lookup registry.invalid on {images.DNS}: no such host",
    "does-not-exist": 'failed to resolve reference "docker.io/library/does-not-exist:latest": pull access denied, '
    "repository does not exist or may require authorization",
    "example.com/missing:1": 'failed to resolve reference "example.com/missing:1": example.com/missing:1: not found',
}


@pytest.mark.parametrize("ref", MISSING)
def test_images_that_do_not_exist(sim: Sim, ref: str) -> None:
    _, result = pull(sim, ref)
    assert result.image is None
    assert MISSING[ref] in result.error


def test_pulling_fails_as_told(sim: Sim) -> None:
    assert pull(sim, "nginx", {"sim.podlab.dev/pull-error": "toomanyrequests"})[1].error == "toomanyrequests"


def test_an_idle_container_has_no_timer(sim: Sim) -> None:
    sim.run(image="nginx")
    sim.clock.advance(sim.clock.now())
    assert sim.clock.next_due() is None


def test_another_memory_limit_counts_from_then_on(sim: Sim) -> None:
    raised = sim.run("sleep", "3600", name="raised", said={"memory": "20Mi:10s,80Mi"}, memory_limit=64 * 2**20)
    lowered = sim.run("sleep", "3600", name="lowered", said={"memory": "20Mi:10s,50Mi"}, memory_limit=64 * 2**20)
    for container_id, limit in ((raised, 96), (lowered, 40)):
        sim.runtime.update_container(container_id, ContainerResources(memory_limit=limit * 2**20))
    sim.crash()
    sim.to(20)
    assert sim.fate(raised) is None
    assert sim.fate(lowered) == (10, 137, "OOMKilled")


@pytest.mark.parametrize(
    ("text", "micros"), [("10s", 10e6), ("1m30s", 90e6), ("250ms", 250e3), ("4", 4e6), ("1h", 3600e6)]
)
def test_durations(text: str, micros: float) -> None:
    assert duration(text) == micros


def test_a_debugger_sees_the_process_of_its_target_and_a_shared_namespace_all(sim: Sim) -> None:
    target = sim.shell("exec sleep 62")
    count = 'for p in /proc/[0-9]*; do tr "\\0" " " < $p/cmdline; echo; done; ps | wc -l; sleep 600'
    debugger = sim.shell(count, name="dbg", pid_namespace=PidNamespace.TARGET, pid_target=target)
    assert Lines(sim.runtime, debugger).text.startswith("sleep 62 \nsh -c for p in")
    shared = sim.shell(count, name="shared", pid_namespace=PidNamespace.POD)
    said = Lines(sim.runtime, shared).text
    assert said.startswith("/pause \nsleep 62 \nsh -c")
    assert said.endswith("\n6\n")
    sim.crash()
    assert Lines(sim.runtime, shared).text == said
