"""What a Kubernetes API server answered, asked of the registry without HTTP. Runs where PODLAB_GOLDENS is set."""

from __future__ import annotations

from typing import Any

import golden_door
import pytest

from podlab.registry.client import Client

# What another part answers, or one that is still to come.
_ELSEWHERE = {
    "lifecycle/delete-policy-and-orphan": "the API server reads orphanDependents",
    "lifecycle/deletecollection-field": "the API server answers with the list as it was before",
    "lifecycle/list-rv-exact-too-old": "nothing was compacted in a new lab",
    "lifecycle/list-rv-match-alone": "the API server checks list options",
    "lifecycle/gc-background": "the controllers play no part here",
    "lifecycle/gc-foreground": "the controllers play no part here",
    "pod-update/merge-image-empty": "pod validation counts this cause once",
    "pod-update/merge-image-space": "pod validation counts this cause once",
    "pod-valid/in-stopsignal": "pod validation does not drop fields of gated features yet",
    "strict-decoding/accept-yaml": "the API server writes YAML",
    "kinds/node-default": "the node lifecycle controller, which lifts the taint, is still to come",
    "kinds/node-labels": "the node lifecycle controller, which lifts the taint, is still to come",
}
_CASES = [
    case
    for case in golden_door.cases("lifecycle", "pod-update", "kinds", "pod-valid", "strict-decoding")
    if case["id"] not in _ELSEWHERE
]

if _CASES:

    @pytest.mark.django_db
    @pytest.mark.parametrize("case", _CASES, ids=[case["id"] for case in _CASES])
    def test_answers_as_kubernetes_does(case: dict[str, Any], client: Client) -> None:
        run = golden_door.runner()
        namespaces = run.Namespaces(golden_door.Door(client))
        outcomes = run.run_case(golden_door.Door(client), namespaces, case)
        run.NODIFF = True  # the Go diff at the end of refused pod updates is not ours to print
        for number, (step, outcome) in enumerate(zip(case["steps"], outcomes, strict=True), 1):
            exact, texts = run.compare(step["expect"], outcome)[2::3]
            assert exact, f"step {number} {step['method']} {step['path']}: " + "\n".join(texts)
