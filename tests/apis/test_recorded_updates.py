"""Recorded merge patches of pods, as far as validation alone answers them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from apis_goldens import Case, name_of, recorded

from podlab.apis import defaults, schema_check, scheme, status_errors, validation
from podlab.apis.types import Manifest

UID = "22222222-2222-2222-2222-222222222222"


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merged(out.get(key), value)
    return out


def stored(body: Manifest) -> Manifest:
    obj = schema_check.drop_unknown(scheme.PODS, body)
    obj["metadata"].update(namespace="n", uid=UID, resourceVersion="1", creationTimestamp="2026-11-21T00:00:00Z")
    obj["spec"].setdefault("serviceAccountName", "default")
    defaults.apply(scheme.PODS, obj)
    obj["status"] = {"phase": "Pending", "qosClass": "BestEffort"}
    return obj


def answerable(case: Case) -> bool:
    steps = case["steps"]
    if len(steps) < 2 or steps[0]["method"] != "POST" or steps[0]["expect"]["code"] != 201:
        return False
    last = steps[-1]
    message = (last["expect"].get("status") or {}).get("message", "")
    content = last.get("headers", {}).get("Content-Type", "")
    return (
        len(steps) == 2
        and last["method"] == "PATCH"
        and content == "application/merge-patch+json"
        and last["path"].endswith(("/pods/p", "/status"))
        and isinstance(last["body"], dict)
        and message.startswith("Pod ")
        and last["expect"]["code"] == 422
        and not ({"kind", "apiVersion"} & set(last["body"]))
    )


CASES = [case for case in recorded("pod-update") if answerable(case)]
if CASES:

    @pytest.mark.parametrize("case", CASES, ids=name_of)
    def test_recorded_merge_patches(case: Case) -> None:
        first, last = case["steps"]
        old = stored(json.loads(json.dumps(first["body"]).replace("<ns>", "n")))
        new = schema_check.drop_unknown(scheme.PODS, merged(copy.deepcopy(old), last["body"]))
        status = last["path"].endswith("/status")
        if status:
            new["spec"] = old["spec"]
            errors = validation.validate_status_update(scheme.PODS, new, old)
        else:
            defaults.apply(scheme.PODS, new)
            new["status"] = old["status"]
            errors = validation.validate_update(scheme.PODS, new, old)
        said = status_errors.invalid(scheme.PODS, "p", errors).message
        said = said.replace("11111111-1111-1111-1111-111111111111", "<uid>")
        assert said == last["expect"]["status"]["message"].partition("\n@@")[0]
