"""What the server offers: /api, /apis and below, plain and aggregated, from `apis.scheme`. Pure.

kubectl takes verbs, short names, categories and scope from here; the aggregated form answers everything in two requests.
Sources: apiserver/pkg/endpoints/discovery, k8s.io/api/apidiscovery/v2.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from podlab.apis import scheme
from podlab.apis.scheme import Resource, Subresource
from podlab.apis.types import Manifest
from podlab.apiserver import paths

MAJOR, MINOR = "1", "36"
GIT_VERSION = "v1.36.2+podlab"
# Aggregated v2 and v2beta1 differ only in the name of their version.
AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"


def version() -> Manifest:
    return {
        "major": MAJOR,
        "minor": MINOR,
        "emulationMajor": MAJOR,
        "emulationMinor": MINOR,
        "minCompatibilityMajor": MAJOR,
        "minCompatibilityMinor": "35",
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def group_names() -> list[str]:
    """Every group but the core one, in the order of the scheme."""
    return [group for group in dict.fromkeys(item.group for item in scheme.RESOURCES) if group]


def core_versions(address: str) -> Manifest:
    return {
        "kind": "APIVersions",
        "versions": list(paths.versions("")),
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def group_list() -> Manifest:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in group_names()]}


def group(name: str) -> Manifest:
    if name not in group_names():
        raise paths.NoSuchGroup(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name)}


def _group(name: str) -> Manifest:
    versions = [{"groupVersion": f"{name}/{item}", "version": item} for item in paths.versions(name)]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def resource_list(group_name: str, version_name: str) -> Manifest:
    head: Manifest = {"kind": "APIResourceList"}
    if group_name:
        head["apiVersion"] = "v1"
    head["groupVersion"] = f"{group_name}/{version_name}" if group_name else version_name
    entries: list[Manifest] = []
    for resource in _resources(group_name, version_name):
        entries.append(_entry(resource))
        entries += [_sub_entry(resource, item) for item in resource.subresources]
    return {**head, "resources": entries}


def _resources(group_name: str, version_name: str) -> list[Resource]:
    return [item for item in scheme.RESOURCES if (item.group, item.version) == (group_name, version_name)]


def _entry(resource: Resource) -> Manifest:
    entry: Manifest = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if "list" in resource.verbs:
        entry["storageVersionHash"] = _storage_hash(resource)
    return entry


def _storage_hash(resource: Resource) -> str:
    """discovery.StorageVersionHash, of the version that is stored."""
    resource = scheme.stored(resource)
    digest = hashlib.sha256(f"{resource.group}/{resource.version}/{resource.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def _sub_entry(resource: Resource, item: Subresource) -> Manifest:
    entry: Manifest = {"name": f"{resource.plural}/{item.name}", "singularName": "", "namespaced": resource.namespaced}
    if item.version:
        entry["group"] = item.group
        entry["version"] = item.version
    return {**entry, "kind": item.kind, "verbs": list(item.verbs)}


def aggregated(api_version: str, *, core: bool) -> Manifest:
    names = [""] if core else group_names()
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{api_version}",
        "metadata": {},
        "items": [_aggregated_group(name) for name in names],
    }


def _aggregated_group(name: str) -> Manifest:
    versions = [
        {
            "version": item,
            "resources": [_aggregated_resource(resource) for resource in _resources(name, item)],
            "freshness": "Current",
        }
        for item in paths.versions(name)
    ]
    return {"metadata": {"name": name} if name else {}, "versions": versions}


def _kind(kind: str, group_name: str = "", version_name: str = "") -> dict[str, Any]:
    return {"group": group_name, "version": version_name, "kind": kind}


def _aggregated_resource(resource: Resource) -> Manifest:
    entry: Manifest = {
        "resource": resource.plural,
        "responseKind": _kind(resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": item.name,
                "responseKind": _kind(item.kind, item.group, item.version),
                "verbs": list(item.verbs),
            }
            for item in resource.subresources
        ]
    return entry
