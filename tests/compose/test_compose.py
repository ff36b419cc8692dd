"""The compose file as a person would use it: build, up, apply the sample pod, see it Running, down."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.compose import stand_ins
from tests.whole_lab import ROOT, eventually, free_port

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Callable[..., str], Path, dict[str, str]]]:
    """A running composition: (its command, its state folder, its environment)."""
    stand_ins.ensure()
    state = tmp_path_factory.mktemp("state")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PODLAB_", "DJANGO_"))},
        "COMPOSE_PROJECT_NAME": f"podlabtest{os.getpid()}",
        "PODLAB_BUILD_NETWORK": "host",
        "PODLAB_STATE": str(state),
        "PODLAB_PORT": str(free_port()),
        "PODLAB_API_PORT": str(free_port()),
    }

    def run(*arguments: str, seconds: float = 600) -> str:
        done = subprocess.run(
            [*stand_ins.compose_command(), *arguments],
            cwd=ROOT,
            env=environment,
            text=True,
            capture_output=True,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{arguments}: {(done.stdout + done.stderr)[-4000:]}"
        return done.stdout

    run("build")
    try:
        run("up", "-d")
        yield run, state, environment
    finally:
        print(
            subprocess.run(
                [*stand_ins.compose_command(), "logs", "--tail=30"],
                cwd=ROOT,
                env=environment,
                text=True,
                capture_output=True,
            ).stdout
        )
        run("down", "-v", "-t", "10")


def kubectl(state: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["kubectl", "--kubeconfig", str(state / "kubeconfig"), *arguments], text=True, capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_sample_pod_runs_on_a_node_worker_of_its_own(
    compose: tuple[Callable[..., str], Path, dict[str, str]],
) -> None:
    run, state, environment = compose

    def two_nodes() -> bool:
        try:
            return kubectl(state, "get", "nodes", "--no-headers").count(" Ready ") == 2
        except AssertionError:
            return False

    eventually("both nodes are ready", two_nodes, 120)
    kubectl(state, "apply", "-f", str(ROOT / "docs" / "samples" / "hello.yaml"))
    kubectl(state, "wait", "--for=condition=Ready", "pod/hello", "--timeout=90s")
    eventually("its log is read through the web process", lambda: "tick" in kubectl(state, "logs", "hello"), 30)
    kubectl(state, "delete", "pod", "hello", "--timeout=60s")


def test_health_checks_hold_for_every_service(compose: tuple[Callable[..., str], Path, dict[str, str]]) -> None:
    run, _, _ = compose

    def all_healthy() -> bool:
        ids = run("ps", "-q").split()
        states = subprocess.run(
            ["docker", "inspect", "--format", "{{.State.Health.Status}}", *ids], text=True, capture_output=True
        ).stdout.split()
        return len(states) == 7 and set(states) == {"healthy"}

    eventually("seven healthy services", all_healthy, 120)


def test_the_printed_login_link_opens_the_lab(compose: tuple[Callable[..., str], Path, dict[str, str]]) -> None:
    run, state, environment = compose
    link = run("exec", "-T", "web", "python", "manage.py", "login_link").strip()
    port = environment["PODLAB_PORT"]
    path = re.sub(r"^http://[^/]+", "", link)
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(), urllib.request.HTTPSHandler(context=ssl.create_default_context())
    )
    with opener.open(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        assert answer.status == 200
        assert "/c/main/" in answer.geturl()
