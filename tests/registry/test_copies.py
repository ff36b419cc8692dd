"""Copies of objects share nothing with them, and keep every value that a body can hold."""

from __future__ import annotations

from typing import Any

import pytest

from podlab.apis import decode
from podlab.registry.operations import copy_of


def test_a_copy_shares_nothing() -> None:
    obj = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app"}]}}
    copied = copy_of(obj)
    copied["metadata"]["labels"]["app"] = "other"
    copied["spec"]["containers"].append({})
    assert obj == {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app"}]}}


@pytest.mark.parametrize(
    "text", ["1", "-5", "1.5", "18446744073709551617", "true", "null", '"\\ud800"', '"\\u0000"', "1e3"]
)
def test_values_of_a_body_survive(text: str) -> None:
    obj: Any = decode.decode_json(f'{{"data": [{text}]}}'.encode()).obj
    copied = copy_of(obj)
    assert copied == obj
    assert type(copied["data"][0]) is type(obj["data"][0]) or isinstance(obj["data"][0], float)
