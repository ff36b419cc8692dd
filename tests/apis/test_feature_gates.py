"""Fields behind gates that are off in 1.36 are accepted and dropped."""

from __future__ import annotations

from typing import Any

from podlab.apis import feature_gates


def test_gated_fields_are_dropped() -> None:
    hooks: dict[str, Any] = {"stopSignal": "SIGUSR1", "preStop": {"sleep": {"seconds": 1}}}
    sources = [
        {"clusterTrustBundle": {"path": "a"}},
        {"podCertificate": {"keyType": "ED25519"}},
        {"secret": {"name": "s"}},
    ]
    spec = {
        "schedulingGroup": {"podGroupName": "g"},
        "containers": [{"name": "a", "lifecycle": hooks}, {"name": "b", "lifecycle": {"stopSignal": "SIGTERM"}}],
        "volumes": [{"name": "v", "projected": {"sources": sources}}],
    }
    feature_gates.drop_disabled({"spec": spec})
    assert spec == {
        "containers": [{"name": "a", "lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}, {"name": "b"}],
        "volumes": [{"name": "v", "projected": {"sources": [{}, {}, {"secret": {"name": "s"}}]}}],
    }
