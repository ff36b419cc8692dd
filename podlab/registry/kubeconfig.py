"""The text of a kubeconfig for one cluster and user. Called through `registry.clusters.kubeconfig`.

It is YAML, written by hand in the order of `kubectl config view`: every value is a JSON string, which is YAML too.
"""

from __future__ import annotations

import base64
import json

_MAIN = "main"
_TEMPLATE = """\
apiVersion: v1
kind: Config
clusters:
- name: {cluster}
  cluster:
    certificate-authority-data: {ca}
    server: {server}
contexts:
- name: {context}
  context:
    cluster: {cluster}
    namespace: {namespace}
    user: {user}
current-context: {context}
preferences: {{}}
users:
- name: {user}
  user:
    token: {token}
"""


def kubeconfig(cluster: str, *, user: str, token: str, server: str, ca_pem: str, namespace: str = "default") -> str:
    """`server` is the API's own URL; clusters other than main live under a path of it, which kubectl keeps."""
    base = server.rstrip("/")
    values = {
        "cluster": f"podlab-{cluster}",
        "context": f"podlab-{cluster}",
        "ca": base64.b64encode(ca_pem.encode()).decode(),
        "server": base if cluster == _MAIN else f"{base}/clusters/{cluster}",
        "namespace": namespace,
        "user": f"{user}@podlab-{cluster}",
        "token": token,
    }
    return _TEMPLATE.format(**{name: json.dumps(value) for name, value in values.items()})
