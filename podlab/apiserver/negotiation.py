"""Which representation the client wants (Accept) and which it sent (Content-Type): pure.

`dispatch` negotiates once per request. The rules are those of apiserver/pkg/endpoints/handlers/negotiation: the first
acceptable clause wins; `as=` asks for a transformation and needs the group and version of meta.k8s.io.
Answers to a client that accepts protobuf are JSON, which every client of that kind accepts as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from podlab.apis import status_errors
from podlab.apis.status_errors import ACCEPTED_BODIES, ApiError

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PATCH_TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)

_JSON_RANGES = frozenset({JSON, "application/*", "*/*"})
TABLE, PARTIAL, PARTIAL_LIST, DISCOVERY = (
    "Table",
    "PartialObjectMetadata",
    "PartialObjectMetadataList",
    "APIGroupDiscoveryList",
)
_META_VERSIONS = frozenset({"v1", "v1beta1"})
_STREAMS = (*ACCEPTED_BODIES, "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")
_ONLY_STREAMS = (
    "only the following media types are accepted: application/json;stream=watch, "
    "application/vnd.kubernetes.protobuf;stream=watch"
)


@dataclass(frozen=True, slots=True)
class Clause:
    media_type: str
    parameters: dict[str, str] = field(default_factory=dict)
    quality: float = 1.0


@dataclass(frozen=True, slots=True)
class Accept:
    """The outcome: `media_type` JSON or YAML, `kind` one of TABLE … or "" for the plain object, its `version`."""

    media_type: str = JSON
    kind: str = ""
    version: str = ""
    pretty: bool = False


def clauses(header: str) -> list[Clause]:
    """In the order in which they are tried: by quality, and what names a type before what takes any (goautoneg, whose
    sort is an insertion sort with a comparison that is none: the order as written counts as well)."""
    found: list[Clause] = []
    for part in header.split(","):
        clause = _clause(part)
        if clause is not None:
            at = len(found)
            while at and _before(clause, found[at - 1]):
                at -= 1
            found.insert(at, clause)
    return found


def _before(one: Clause, other: Clause) -> bool:
    kinds = zip(one.media_type.split("/"), other.media_type.split("/"), strict=True)
    return one.quality > other.quality or any(mine != "*" and theirs == "*" for mine, theirs in kinds)


def _clause(text: str) -> Clause | None:
    media_type, *rest = (part.strip(" ") for part in text.split(";"))
    if media_type == "*":
        media_type = "*/*"
    if media_type.count("/") != 1 or media_type.endswith("/"):
        return None
    media_type = "/".join(part.strip(" ") for part in media_type.split("/"))
    parameters = dict(part.split("=", 1) for part in rest if part.count("=") == 1 and not part.endswith("="))
    try:
        quality = float(parameters.pop("q", "1"))
    except ValueError:
        quality = 0.0
    return Clause(media_type, parameters, quality)


def accept(header: str, *, kinds: frozenset[str] = frozenset(), stream: bool = False) -> Accept:
    """The best clause that can be served. `kinds`: the transformations that make sense at this place."""
    if not header:
        return Accept()
    routed(header, _STREAMS if stream else ACCEPTED_BODIES)
    served = [found for clause in clauses(header) if (found := _serve(clause, kinds)) is not None]
    for found in served:
        if not (stream and found.media_type == YAML):
            return found
    raise status_errors.not_acceptable(_ONLY_STREAMS if served else "")


def routed(header: str, served: Sequence[str]) -> None:
    """Before anything is negotiated the router looks whether one of the types is among those of the route, or is all of
    them; a range is neither (go-restful, Route.matchesAccept)."""
    named = {part.split(";")[0].strip(" ") for part in header.split(",")}
    if "*/*" in named or not named.isdisjoint(served):
        return
    error = status_errors.not_acceptable("406: Not Acceptable\n\nAvailable representations: " + ", ".join(served))
    error.details = {}
    raise error


def _serve(clause: Clause, kinds: frozenset[str]) -> Accept | None:
    if clause.media_type == YAML:
        media_type = YAML
    elif clause.media_type in _JSON_RANGES or clause.media_type == PROTOBUF:
        media_type = JSON
    else:
        return None
    pretty = clause.parameters.get("pretty", "") in {"1", "true"}
    kind = clause.parameters.get("as", "")
    if not kind:
        return Accept(media_type, pretty=pretty)
    version = clause.parameters.get("v", "")
    if kind not in kinds or not _known(kind, clause.parameters.get("g", ""), version):
        return None
    return Accept(media_type, kind, version, pretty)


def _known(kind: str, group: str, version: str) -> bool:
    if kind == DISCOVERY:
        return group == "apidiscovery.k8s.io" and version in {"v2", "v2beta1"}
    return group == "meta.k8s.io" and version in _META_VERSIONS


def body_type(header: str) -> str:
    """The format of an object in a request body: JSON, YAML or PROTOBUF. No header at all means JSON."""
    media_type = header.split(";")[0].strip().lower()
    if media_type in {"", JSON}:
        return JSON
    if media_type == YAML:
        return YAML
    if media_type == PROTOBUF:
        return PROTOBUF
    raise status_errors.unsupported_media_type()


def patch_type(header: str) -> str:
    media_type = header.split(";")[0].strip().lower()
    if media_type in PATCH_TYPES:
        return media_type
    raise ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type", details={})
