"""/openapi/v3 and /openapi/v2, from `apis.schema`. Documents are made once per process and kept as bytes.

`kubectl explain` reads the schemas and finds them through `paths`; `kubectl apply` looks for the query parameter
`fieldValidation` there and leaves validation to the server only if it finds it. The path items come from
`openapi_paths`. The version 2 document is a constant: kubectl 1.27 and 1.28 insist on one that parses, and nobody reads
more than that.
Sources: kube-openapi/pkg/handler3, kubectl/pkg/validation, kubectl/pkg/explain/v2.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from podlab.apis import schema, scheme
from podlab.apis.types import Manifest
from podlab.apiserver import discovery, openapi_paths, paths, responses

# Document{swagger: "2.0", info: Info{title: "K", version: "v1.0"}} in protobuf.
V2_DOCUMENT = bytes.fromhex("0a03322e301209") + b"\x0a\x01K\x12\x04v1.0"
V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"  # with a dot, or Go cannot parse it

_INFO = {"title": "Kubernetes", "version": discovery.GIT_VERSION}


def index(prefix: str) -> Manifest:
    """The list of documents; `prefix` is the cluster's path prefix."""
    entries = {
        key: {"serverRelativeURL": f"{prefix}/openapi/v3/{key}?hash={digest(key)}"} for key in sorted(_document_keys())
    }
    return {"paths": entries}


def _document_keys() -> list[str]:
    keys = ["api", "api/v1", "apis", "version"]
    for group in discovery.group_names():
        keys.append(f"apis/{group}")
        keys += [f"apis/{group}/{version}" for version in paths.versions(group)]
    return keys


@cache
def digest(key: str) -> str:
    return hashlib.sha512(document(key)).hexdigest().upper()


@cache
def document(key: str) -> bytes:
    """One OpenAPI 3 document: for a group version ("api/v1", "apis/apps/v1") or a place that lists others."""
    if key not in _document_keys():
        raise paths.NoSuchPath(key)
    parts = key.split("/")
    if parts[0] == "api" and len(parts) == 2:
        return responses.dump(_group_version("", parts[1]))
    if parts[0] == "apis" and len(parts) == 3:
        return responses.dump(_group_version(parts[1], parts[2]))
    place = {f"/{key}/": {"get": {"responses": {"200": {"description": "OK"}}}}}
    return responses.dump({"openapi": "3.0.0", "info": _INFO, "paths": place})


def _group_version(group: str, version: str) -> Manifest:
    group_version = f"{group}/{version}" if group else version
    items: dict[str, Any] = {}
    for resource in scheme.RESOURCES:
        if resource.group_version == group_version:
            items.update(openapi_paths.path_items(resource))
    return {
        "openapi": "3.0.0",
        "info": _INFO,
        "paths": items,
        "components": {"schemas": schema.openapi_schemas(_definitions(group_version))},
    }


def _definitions(group_version: str) -> tuple[str, ...]:
    """The kinds of this version, their lists, and what every version shares."""
    own = [item for item in scheme.RESOURCES if item.group_version == group_version]
    kinds = [(group_version, kind) for item in own for kind in (item.kind, item.list_kind)]
    kinds += [("v1", "Status"), ("v1", "DeleteOptions")]
    kinds += [(sub.group_version, sub.kind) for item in own for sub in item.subresources if sub.version]
    kinds += [(group_version, sub.kind) for item in own for sub in item.subresources if not sub.version]
    found = (schema.definition_of_kind(version, kind) for version, kind in kinds)
    return tuple(dict.fromkeys(name for name in found if name))
