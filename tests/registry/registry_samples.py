"""Objects and small questions that the tests of the registry share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client

START_TEXT = "2026-11-21T02:00:00Z"  # when the clock of the fixtures stands still
START = datetime(2026, 11, 21, 2, 0, 0, tzinfo=UTC)


class Hands:
    """A clock for `Client(now=...)`."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def pod(name: str = "p", **spec: Any) -> Manifest:
    body = {"containers": [{"name": "c", "image": "busybox:1.36"}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}


def config(name: str = "c", **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def made(client: Client, obj: Manifest, where: str = "default") -> Manifest:
    resource = f"{obj['kind'].lower()}s"
    return client.create(resource, obj, namespace=where).obj


def refusal(call: Any, *args: Any, **kwargs: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(*args, **kwargs)
    return caught.value


def meta_of(obj: Manifest) -> Manifest:
    meta: Manifest = obj["metadata"]
    return meta
