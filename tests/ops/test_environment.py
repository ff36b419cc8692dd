from __future__ import annotations

import pytest

from podlab import env


@pytest.mark.parametrize(
    ("raw", "words"),
    [("eighty", "whole number"), ("0", "between 1 and 65535"), ("70000", "between 1 and 65535")],
)
def test_a_bad_port_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, raw: str, words: str) -> None:
    monkeypatch.setenv("PODLAB_PORT", raw)
    with pytest.raises(env.BadEnvironment, match=f"PODLAB_PORT.*{words}"):
        env.integer("PODLAB_PORT", 8000, low=1, high=65535)


def test_a_bad_runtime_is_refused_with_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODLAB_RUNTIME", "podman")
    with pytest.raises(env.BadEnvironment, match="one of auto, docker, sim, not 'podman'"):
        env.choice("PODLAB_RUNTIME", "auto", ("auto", "docker", "sim"))


def test_unset_means_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PODLAB_NODES", raising=False)
    assert env.names("PODLAB_NODES", "node-a,node-b") == ("node-a", "node-b")


def test_every_variable_of_the_settings_is_documented() -> None:
    import re
    from pathlib import Path

    root = Path(__file__).resolve().parent.parent.parent
    read = set(re.findall(r'env\.\w+\("([A-Z_]+)"', (root / "podlab" / "settings.py").read_text()))
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (root / "docs" / "operations.md").read_text(), re.M))
    assert read <= documented, read - documented


def test_nonsense_in_eviction_thresholds_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODLAB_EVICTION_HARD", "memory.available<lots")
    with pytest.raises(env.BadEnvironment, match="PODLAB_EVICTION_HARD: 'lots' of memory.available"):
        env.thresholds("PODLAB_EVICTION_HARD", "")
