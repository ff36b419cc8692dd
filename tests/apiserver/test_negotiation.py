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
    ["application/json;as=Table;v=v2;g=meta.k8s.io", "application/json;as=Table;v=v1"],
)
def test_what_cannot_be_served_is_a_406(header: str) -> None:
    with pytest.raises(ApiError, match="only the following media types are accepted") as caught:
        negotiation.accept(header, kinds=KINDS)
    assert (caught.value.code, caught.value.reason) == (406, "NotAcceptable")


@pytest.mark.parametrize("header", ["text/plain", "json", "*", "application/*", "application/xml, text/html"])
def test_what_no_route_has_is_refused_by_the_router(header: str) -> None:
    with pytest.raises(
        ApiError, match="406: Not Acceptable\n\nAvailable representations: application/json, "
    ) as caught:
        negotiation.accept(header, kinds=KINDS)
    assert (caught.value.code, caught.value.details) == (406, {})


def test_a_watch_cannot_be_yaml() -> None:
    with pytest.raises(ApiError, match="only .* accepted: application/json;stream=watch, "):
        negotiation.accept("application/yaml", stream=True)
    with pytest.raises(ApiError, match="only .* accepted: application/json, "):
        negotiation.accept("application/json;as=Foo;v=v1;g=meta.k8s.io", stream=True)


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
    with pytest.raises(ApiError, match="415: Unsupported Media Type") as caught:
        negotiation.patch_type("application/json")
    assert caught.value.code == 415
