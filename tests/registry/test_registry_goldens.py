"""What a Kubernetes API server answered, asked of the registry without HTTP. Runs where PODLAB_GOLDENS is set."""

from __future__ import annotations

from typing import Any

import golden_door
import pytest

from podlab.registry.client import Client

_CASES = golden_door.cases("lifecycle", "pod-update", "kinds", "pod-valid", "pod-invalid", "strict-decoding")

if _CASES:

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("case", _CASES, ids=[case["id"] for case in _CASES])
    def test_answers_as_kubernetes_does(case: dict[str, Any], client: Client) -> None:
        run = golden_door.runner()
        namespaces = run.Namespaces(golden_door.Door(client))
        outcomes = run.run_case(golden_door.Door(client), namespaces, case)
        run.NODIFF = True  # the Go diff at the end of refused pod updates is not ours to print
        for number, (step, outcome) in enumerate(zip(case["steps"], outcomes, strict=True), 1):
            exact, texts = run.compare(step["expect"], outcome)[2::3]
            assert exact, f"step {number} {step['method']} {step['path']}: " + "\n".join(texts)
