"""Query parameters and DeleteOptions, read and checked as Kubernetes reads and checks them.

`verbs` and `mutations` call one function per verb. Sources: apimachinery/pkg/conversion/queryparams and
runtime/conversion.go (how values are read), apis/meta/v1/validation and metainternalversion/validation (what is refused).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from podlab.apis import field_errors, status_errors
from podlab.apis.field_errors import FieldError

Query = QueryDict
EXACT, NOT_OLDER = "Exact", "NotOlderThan"
MAX_MANAGER = 128
_INTEGER = re.compile(r"[+-]?\d+")
_DURATION = re.compile(r"0|[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+")
_UNITLESS = re.compile(r"[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))*(\d+(\.\d*)?|\.\d+)")
_POLICIES = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True, slots=True)
class ListOptions:
    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_: str = ""
    resource_version: str = ""
    match: str = ""
    watch: bool = False
    bookmarks: bool = False
    timeout: int = 0
    initial_events: bool | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """CreateOptions, UpdateOptions or PatchOptions."""

    dry_run: bool = False
    field_validation: str = ""
    field_manager: str = ""
    force: bool | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    grace: int | None = None
    uid: str | None = None
    resource_version: str | None = None
    propagation: str | None = None
    dry_run: bool = False


_MOST_DIGITS = 100  # far more than fit; of thousands Python reads none


def integer(query: Query, name: str) -> int | None:
    """strconv.ParseInt, whose error text Kubernetes passes on."""
    text = query.get(name)
    if text is None:
        return None
    if not _INTEGER.fullmatch(text):
        raise status_errors.bad_request(f"strconv.ParseInt: parsing {field_errors.go_quote(text)}: invalid syntax")
    if len(text) > _MOST_DIGITS or not -(2**63) <= int(text) < 2**63:
        raise status_errors.bad_request(f"strconv.ParseInt: parsing {field_errors.go_quote(text)}: value out of range")
    return int(text)


def boolean(query: Query, name: str) -> bool | None:
    """Present without a value means true; only "false" and "0" mean false. None when absent."""
    if name not in query:
        return None
    return query.get(name, "").lower() not in {"false", "0"}


class BadRevision(ValueError):
    """A resourceVersion that is no number. A get and a watch pass the bare error on, a list calls it a bad request."""


def parse_revision(text: str) -> int:
    """strconv.ParseUint (storage/api_object_versioner.go)."""
    if not text:
        return 0
    quoted = field_errors.go_quote(text)
    said = f"resourceVersion: Invalid value: {quoted}: strconv.ParseUint: parsing {quoted}: "
    if not text.isascii() or not text.isdigit():
        raise BadRevision(f"{said}invalid syntax")
    if len(text) > _MOST_DIGITS or int(text) >= 2**64:
        raise BadRevision(f"{said}value out of range")
    return int(text)


def revision(text: str) -> int:
    try:
        return parse_revision(text)
    except BadRevision as problem:
        raise status_errors.bad_request(f"invalid resource version: {problem}") from None


def plain_revision(text: str) -> int:
    try:
        return parse_revision(text)
    except BadRevision as problem:
        raise status_errors.plain_failure(str(problem)) from None


def list_options(query: Query, *, watch: bool = False) -> ListOptions:
    options = ListOptions(
        label_selector=query.get("labelSelector", ""),
        field_selector=query.get("fieldSelector", ""),
        limit=integer(query, "limit") or 0,
        continue_=query.get("continue", ""),
        resource_version=query.get("resourceVersion", ""),
        match=query.get("resourceVersionMatch", ""),
        watch=watch or bool(boolean(query, "watch")),
        bookmarks=bool(boolean(query, "allowWatchBookmarks")),
        timeout=integer(query, "timeoutSeconds") or 0,
        initial_events=boolean(query, "sendInitialEvents"),
    )
    errors = _watch_errors(options) if options.watch else _list_errors(options)
    if errors:
        raise _invalid("ListOptions", errors)
    if options.continue_ and options.resource_version not in {"", "0"}:
        raise status_errors.bad_request("specifying resource version is not allowed when using continue")
    return options


def _list_errors(options: ListOptions) -> list[FieldError]:
    errors = []
    if options.match:
        if not options.resource_version:
            errors.append(_match("resourceVersionMatch is forbidden unless resourceVersion is provided"))
        if options.continue_:
            errors.append(_match("resourceVersionMatch is forbidden when continue is provided"))
        if options.match not in {EXACT, NOT_OLDER}:
            supported = (EXACT, NOT_OLDER, "")
            errors.append(field_errors.not_supported("resourceVersionMatch", options.match, supported))
        if options.match == EXACT and options.resource_version == "0":
            errors.append(_match('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if options.initial_events is not None:
        errors.append(field_errors.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return errors


def _watch_errors(options: ListOptions) -> list[FieldError]:
    errors = []
    if options.initial_events is not None and options.match != NOT_OLDER:
        errors.append(_match("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
    if options.match:
        if options.initial_events is None:
            errors.append(_match("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"))
        if options.match != NOT_OLDER:
            errors.append(field_errors.not_supported("resourceVersionMatch", options.match, (NOT_OLDER,)))
    if options.continue_:
        errors.append(_match("resourceVersionMatch is forbidden when continue is provided"))
    return errors


def _match(text: str) -> FieldError:
    return field_errors.forbidden("resourceVersionMatch", text)


def _invalid(kind: str, errors: Sequence[FieldError]) -> status_errors.ApiError:
    return status_errors.invalid(f"{kind}.meta.k8s.io", "", errors)


def write_options(query: Query, kind: str, *, apply: bool = False) -> Write:
    """`kind` names the options in the error: CreateOptions, UpdateOptions, PatchOptions."""
    dry_run = query.getlist("dryRun")
    validation = query.get("fieldValidation", "")
    manager = query.get("fieldManager", "")
    force = boolean(query, "force")
    errors = []
    if kind == "PatchOptions":
        errors += _patch_errors(manager, force, apply=apply)
    errors += _manager_errors(manager)
    errors += _dry_run_errors(dry_run)
    if validation not in {"", "Ignore", "Warn", "Strict"}:
        supported = ("", "Ignore", "Strict", "Warn")
        errors.append(field_errors.not_supported("fieldValidation", validation, supported))
    if errors:
        raise _invalid(kind, errors)
    return Write(bool(dry_run), validation, manager, force)


def _patch_errors(manager: str, force: bool | None, *, apply: bool) -> list[FieldError]:
    if apply and not manager:
        return [field_errors.required("fieldManager", "is required for apply patch")]
    if not apply and force is not None:
        return [field_errors.forbidden("force", "may not be specified for non-apply patch")]
    return []


def _manager_errors(manager: str) -> list[FieldError]:
    errors = []
    if len(manager.encode()) > MAX_MANAGER:
        errors.append(field_errors.too_long("fieldManager", MAX_MANAGER))
    for at, char in enumerate(manager):
        if not char.isprintable():
            detail = f"invalid character U+{ord(char):04X} (at position {at})"
            errors.append(field_errors.invalid("fieldManager", manager, detail))
    return errors


def _dry_run_errors(values: Sequence[str]) -> list[FieldError]:
    if all(value == "All" for value in values):
        return []
    return [field_errors.not_supported("dryRun", list(values), ("All",))]


def check_timeout(query: Query) -> None:
    """Of every request that is answered at once (apiserver/pkg/endpoints/filters/request_deadline.go)."""
    text = query.get("timeout", "")
    if text and not _DURATION.fullmatch(text):
        wrong = "missing unit in" if _UNITLESS.fullmatch(text) else "invalid"
        raise status_errors.bad_request(
            f"invalid timeout specified in the request URL - time: {wrong} duration {field_errors.go_quote(text)}"
        )


def delete_options(query: Query, body: Mapping[str, Any]) -> Delete:
    """A body, when there is one, wins over the query, as in handlers/delete.go."""
    if not body:
        body = _delete_query(query)
    policy, orphan = body.get("propagationPolicy"), body.get("orphanDependents")
    dry_run = body.get("dryRun") or []
    errors = []
    if policy is not None and orphan is not None:
        detail = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(field_errors.invalid("propagationPolicy", policy, detail))
    if policy is not None and policy not in _POLICIES:
        errors.append(field_errors.not_supported("propagationPolicy", policy, (*_POLICIES, "nil")))
    errors += _dry_run_errors(dry_run)
    if errors:
        raise _invalid("DeleteOptions", errors)
    preconditions = body.get("preconditions") or {}
    if policy is None and orphan is not None:
        policy = "Orphan" if orphan else "Background"
    return Delete(
        grace=body.get("gracePeriodSeconds"),
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
        propagation=policy,
        dry_run=bool(dry_run),
    )


def _delete_query(query: Query) -> dict[str, Any]:
    found: dict[str, Any] = {
        "gracePeriodSeconds": integer(query, "gracePeriodSeconds"),
        "orphanDependents": boolean(query, "orphanDependents"),
        "propagationPolicy": query.get("propagationPolicy"),
        "dryRun": query.getlist("dryRun"),
        "preconditions": {"uid": query["uid"]} if query.get("uid") else None,
    }
    return found
