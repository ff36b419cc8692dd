"""What a Kubernetes API server answered, when PODLAB_GOLDENS names the folder of the recordings.

Tests over them are defined only if there are any; the small tables in the test modules hold without them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

Case = dict[str, Any]


def recorded(group: str) -> list[Case]:
    folder = os.environ.get("PODLAB_GOLDENS")
    if not folder:
        return []
    path = Path(folder) / "api" / f"{group}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def name_of(case: Case) -> str:
    return str(case["id"]).partition("/")[2]


_PATH = re.compile(r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>v[^/]+)(?:/namespaces/[^/]+)?/(?P<plural>[a-z]+)$")


def kind_of_path(path: str) -> tuple[str, str] | None:
    """(apiVersion, Kind) that a POST to this path creates."""
    match = _PATH.match(path)
    if match is None:
        return None
    kinds = {
        "pods": "Pod", "configmaps": "ConfigMap", "secrets": "Secret", "services": "Service", "namespaces": "Namespace",
        "deployments": "Deployment", "jobs": "Job", "serviceaccounts": "ServiceAccount", "events": "Event",
        "nodes": "Node",
    }  # fmt: skip
    kind = kinds.get(match["plural"])
    version = f"{match['group']}/{match['version']}" if match["group"] else match["version"]
    return (version, kind) if kind else None
