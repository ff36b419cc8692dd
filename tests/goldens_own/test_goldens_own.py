"""The level that podlab's answers have reached cannot fall: every case of every file here is asked again.

Each test plays some cases of one file in one lab; their order is that of the file.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import runner

_FILES = sorted(path.stem for path in runner.HERE.glob("*.jsonl"))
_AT_A_TIME = 40


def _parts() -> Iterator[object]:
    for name in _FILES:
        cases = list(runner.cases(name))
        for start in range(0, len(cases), _AT_A_TIME):
            yield pytest.param(cases[start : start + _AT_A_TIME], id=f"{name}-{start}")


@pytest.mark.parametrize("part", list(_parts()))
def test_answers_as_recorded(part: list[runner.Case], door: runner.Door) -> None:
    problems: list[str] = []
    for number, case in enumerate(part):
        namespace = f"golden-{number}"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        assert door.ask("POST", "/api/v1/namespaces", body=body).code == 201
        problems += runner.play(door, case, namespace)
    assert not problems, "\n".join(problems)
