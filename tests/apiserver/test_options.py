"""Query parameters and DeleteOptions."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from podlab.apis.status_errors import ApiError
from podlab.apiserver import options

REFUSED_LISTS = {
    "limit=abc": (400, 'strconv.ParseInt: parsing "abc": invalid syntax'),
    "timeoutSeconds=abc": (400, 'strconv.ParseInt: parsing "abc": invalid syntax'),
    "limit=99999999999999999999": (400, 'strconv.ParseInt: parsing "99999999999999999999": value out of range'),
    "continue=x&resourceVersion=5": (400, "specifying resource version is not allowed when using continue"),
    "resourceVersionMatch=Exact": (422, "resourceVersionMatch is forbidden unless resourceVersion is provided"),
    "resourceVersionMatch=Foo&resourceVersion=5": (422, 'supported values: "Exact", "NotOlderThan", ""'),
    "resourceVersionMatch=Exact&resourceVersion=0": (422, 'resourceVersionMatch "exact" is forbidden'),
    "sendInitialEvents=true": (422, "sendInitialEvents is forbidden for list"),
    "watch=true&sendInitialEvents=true": (422, "sendInitialEvents requires setting resourceVersionMatch"),
    "watch=1&resourceVersionMatch=NotOlderThan": (422, "forbidden for watch unless sendInitialEvents is provided"),
}


@pytest.mark.parametrize("query", REFUSED_LISTS)
def test_a_list_is_refused(query: str) -> None:
    code, text = REFUSED_LISTS[query]
    with pytest.raises(ApiError) as caught:
        options.list_options(QueryDict(query))
    assert caught.value.code == code
    assert text in caught.value.message


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", False), ("watch", True), ("watch=true", True), ("watch=True", True), ("watch=1", True), ("watch=0", False)],
)
def test_booleans_as_every_client_writes_them(query: str, expected: bool) -> None:
    assert options.list_options(QueryDict(query)).watch is expected


@pytest.mark.parametrize("text", ["abc", "-1", "1.5", "٣"])
def test_a_resource_version_is_a_number(text: str) -> None:
    with pytest.raises(ApiError, match="strconv.ParseUint"):
        options.revision(text)


REFUSED_WRITES = {
    "dryRun=Foo": 'dryRun: Unsupported value: ["Foo"]: supported values: "All"',
    "dryRun=All&dryRun=Foo": 'dryRun: Unsupported value: ["All","Foo"]: supported values: "All"',
    "fieldManager=a%01b": 'fieldManager: Invalid value: "a\\x01b": invalid character U+0001 (at position 1)',
    "fieldManager=" + "a" * 129: "fieldManager: Too long: may not be more than 128 bytes",
}


@pytest.mark.parametrize("query", REFUSED_WRITES)
def test_a_write_is_refused(query: str) -> None:
    with pytest.raises(ApiError) as caught:
        options.write_options(QueryDict(query), "CreateOptions")
    assert caught.value.message == f'CreateOptions.meta.k8s.io "" is invalid: {REFUSED_WRITES[query]}'


@pytest.mark.parametrize("text", ["abc", "5", "1 s"])
def test_a_timeout_is_a_go_duration(text: str) -> None:
    with pytest.raises(ApiError, match="invalid timeout specified in the request URL"):
        options.check_timeout(QueryDict(f"timeout={text}"))


@pytest.mark.parametrize("text", ["34s", "1m30s", "0", "1.5h"])
def test_a_good_timeout_passes(text: str) -> None:
    options.check_timeout(QueryDict(f"timeout={text}"))


def test_apply_needs_a_manager_and_only_apply_may_force() -> None:
    with pytest.raises(ApiError, match="is required for apply patch"):
        options.write_options(QueryDict(""), "PatchOptions", apply=True)
    with pytest.raises(ApiError, match="may not be specified for non-apply patch"):
        options.write_options(QueryDict("force=true"), "PatchOptions")
    options.write_options(QueryDict("force=true"), "CreateOptions")


BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown policy": ({"propagationPolicy": "Foo"}, '"Foreground", "Background", "Orphan", "nil"'),
    "a policy and orphanDependents": (
        {"propagationPolicy": "Background", "orphanDependents": True},
        "orphanDependents and deletionPropagation cannot be both set",
    ),
    "an unknown dry run": ({"dryRun": ["x"]}, 'supported values: "All"'),
}


@pytest.mark.parametrize("sentence", BODIES)
def test_a_delete_is_refused(sentence: str) -> None:
    body, text = BODIES[sentence]
    with pytest.raises(ApiError) as caught:
        options.delete_options(QueryDict(""), body)
    assert caught.value.code == 422
    assert text in caught.value.message


def test_delete_options_come_from_the_body_or_the_query() -> None:
    found = options.delete_options(QueryDict("gracePeriodSeconds=5"), {"gracePeriodSeconds": 7, "dryRun": ["All"]})
    assert (found.grace, found.dry_run) == (7, True)
    found = options.delete_options(QueryDict("gracePeriodSeconds=0&propagationPolicy=Background&dryRun=All"), {})
    assert (found.grace, found.propagation, found.dry_run) == (0, "Background", True)
    assert options.delete_options(QueryDict("orphanDependents=false"), {}).propagation == "Background"


def test_a_number_of_thousands_of_digits_is_only_too_large() -> None:
    digits = "9" * 5000  # Python reads no such number
    with pytest.raises(ApiError, match="value out of range") as refusal:
        options.integer(QueryDict(f"limit={digits}"), "limit")
    assert refusal.value.code == 400
    with pytest.raises(ApiError, match="value out of range"):
        options.revision(digits)
