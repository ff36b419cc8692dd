"""What is refused and what is warned about in single fields of a pod: pod_fields.jsonl, one case a line.

Source of the texts: pkg/apis/core/validation/validation.go, pkg/api/pod/warnings.go.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from podlab.apis import defaults, scheme, validation
from podlab.apis.types import Manifest

_CASES: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent / "pod_fields.jsonl").read_text(encoding="utf-8").splitlines()
]


def _pod(spec: Manifest) -> Manifest:
    pod: Manifest = {
        "metadata": {"name": "p", "namespace": "n", "labels": {"a": "b"}, "uid": "u"},
        "spec": {"serviceAccountName": "default", "containers": [{"name": "c", "image": "i"}], **spec},
    }
    defaults.apply(scheme.PODS, pod)
    return pod


@pytest.mark.parametrize("case", _CASES, ids=[case["title"] for case in _CASES])
def test_a_field_is_looked_at(case: dict[str, Any]) -> None:
    pod = _pod(case["spec"])
    errors = validation.validate_create(scheme.PODS, pod)
    assert [error.text() for error in errors] == case.get("refused", [])
    if not errors:
        assert validation.warnings_on_create(scheme.PODS, pod) == case["warned"]
