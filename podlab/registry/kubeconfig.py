"""The text of a kubeconfig for one user and one cluster or several. Called through `registry.clusters.kubeconfig`.

It is YAML, written by hand in the order of `kubectl config view`: every value is a JSON string, which is YAML too.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

_MAIN = "main"
_CLUSTER = """\
- name: {cluster}
  cluster:
    certificate-authority-data: {ca}
    server: {server}
"""
_CONTEXT = """\
- name: {cluster}
  context:
    cluster: {cluster}
    namespace: {namespace}
    user: {user}
"""
_TEMPLATE = """\
apiVersion: v1
kind: Config
clusters:
{clusters}contexts:
{contexts}current-context: {context}
preferences: {{}}
users:
- name: {user}
  user:
    token: {token}
"""


def kubeconfig(
    cluster: str,
    *,
    user: str,
    token: str,
    server: str,
    ca_pem: str,
    namespace: str = "default",
    others: Sequence[str] = (),
) -> str:
    """`server` is the API's own URL; clusters other than main live under a path of it, which kubectl keeps. `others`: more
    clusters that have a context each, for `--context`; `cluster` is the current one."""
    base = server.rstrip("/")
    names = [cluster, *(name for name in others if name != cluster)]
    values = {
        "context": f"podlab-{cluster}",
        "ca": base64.b64encode(ca_pem.encode()).decode(),
        "namespace": namespace,
        "user": f"{user}@podlab-{cluster}",
        "token": token,
    }
    written = {name: json.dumps(value) for name, value in values.items()}
    clusters = contexts = ""
    for name in names:
        own = {"cluster": f"podlab-{name}", "server": base if name == _MAIN else f"{base}/clusters/{name}"}
        fields = written | {key: json.dumps(value) for key, value in own.items()}
        clusters += _CLUSTER.format(**fields)
        contexts += _CONTEXT.format(**fields)
    return _TEMPLATE.format(clusters=clusters, contexts=contexts, **written)
