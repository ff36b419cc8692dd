"""Accept and Content-Type."""

from __future__ import annotations

import pytest

from podlab.apis.status_errors import ApiError
from podlab.apiserver import negotiation
from podlab.apiserver.negotiation import DISCOVERY, JSON, PARTIAL, TABLE, YAML, Accept

KINDS = frozenset({TABLE, PARTIAL, DISCOVERY})
KUBECTL = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)

ACCEPTED = {
    "no header means JSON": ("", Accept()),
    "anything is fine": ("*/*", Accept()),
    "kubectl get asks for a Table": (KUBECTL, Accept(JSON, TABLE, "v1")),
    "YAML": ("application/yaml", Accept(YAML)),
    "protobuf is answered with JSON": ("application/vnd.kubernetes.protobuf, */*", Accept()),
    "an unknown type gives way to the next": ("application/xml, application/json", Accept()),
    "quality decides": ("application/json;q=0.5, application/yaml", Accept(YAML)),
    "an unknown Table version gives way to plain JSON": (
        "application/json;as=Table;v=v2;g=meta.k8s.io,application/json",
        Accept(),
    ),
    "who takes anything is asked last": ("*/*, application/yaml", Accept(YAML)),
    "a star alone is any type": ("*", Accept()),
    "pretty": ("application/json;pretty=1", Accept(JSON, pretty=True)),
    "aggregated discovery": (
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
        Accept(JSON, DISCOVERY, "v2"),
    ),
}


@pytest.mark.parametrize("sentence", ACCEPTED)
def test_accept(sentence: str) -> None:
    header, expected = ACCEPTED[sentence]
    assert negotiation.accept(header, kinds=KINDS) == expected


@pytest.mark.parametrize(
    "header",
    ["text/plain", "application/json;as=Table;v=v2;g=meta.k8s.io", "application/json;as=Table;v=v1", "json"],
)
def test_what_cannot_be_served_is_a_406(header: str) -> None:
    with pytest.raises(ApiError, match="only the following media types are accepted") as caught:
        negotiation.accept(header, kinds=KINDS)
    assert (caught.value.code, caught.value.reason) == (406, "NotAcceptable")


def test_a_watch_cannot_be_yaml() -> None:
    with pytest.raises(ApiError, match="Not Acceptable") as caught:
        negotiation.accept("application/yaml", stream=True)
    assert caught.value.details == {}


def test_a_body_without_a_type_is_json() -> None:
    assert negotiation.body_type("") == JSON
    assert negotiation.body_type("application/json; charset=utf-8") == JSON
    assert negotiation.body_type("application/yaml") == YAML


@pytest.mark.parametrize("header", ["text/plain", "application/merge-patch+json", "text/yaml", "json"])
def test_an_unknown_body_is_a_415(header: str) -> None:
    with pytest.raises(ApiError, match="application/json, application/yaml, application/vnd.kubernetes.protobuf"):
        negotiation.body_type(header)


def test_a_patch_needs_a_patch_type() -> None:
    assert negotiation.patch_type("application/merge-patch+json") == negotiation.MERGE_PATCH
    with pytest.raises(ApiError, match="json-patch") as caught:
        negotiation.patch_type("application/json")
    assert caught.value.code == 415
