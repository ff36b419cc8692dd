"""What every namespace has, and how one ends.

`ensure_furniture` is called when a namespace is created and when a lab starts; `finalize_namespace` by the control and
sim workers whenever something in a terminating namespace changed. Sources: pkg/controller/serviceaccount,
pkg/controller/certificates/rootcacertpublisher, pkg/controller/namespace/deletion/namespaced_resources_deleter.go.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from podlab.apis import scheme
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry.client import Client
from podlab.registry.strategies.namespace import FINALIZER

SERVICE_ACCOUNT = "default"
ROOT_CA = "kube-root-ca.crt"
_ROOT_CA_NOTE = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)
_PODS = "pods"


def ca_pem() -> str:
    """The lab's CA, made by `make up` before the first cluster; "" where nobody serves TLS (tests, tools)."""
    path = settings.PODLAB_DATA / "pki" / "ca.crt"
    return str(path.read_text()) if path.exists() else ""


def ensure_furniture(client: Client, namespace: str) -> None:
    """Make what is missing of the service account "default" and the ConfigMap with the CA."""
    wanted = [("serviceaccounts", _service_account())]
    certificate = ca_pem()
    if certificate:
        wanted.append(("configmaps", _root_ca(certificate)))
    for resource, obj in wanted:
        if client.find(resource, namespace, obj["metadata"]["name"]) is None:
            _create(client, resource, namespace, obj)


def restore(client: Client, obj: Manifest) -> None:
    """Called after `obj` was deleted: furniture of a living namespace comes back."""
    meta = obj["metadata"]
    if meta["name"] not in (SERVICE_ACCOUNT, ROOT_CA):
        return
    found = client.find("namespaces", "", meta["namespace"])
    if found is not None and not found.obj["metadata"].get("deletionTimestamp"):
        ensure_furniture(client, meta["namespace"])


def _create(client: Client, resource: str, namespace: str, obj: Manifest) -> None:
    try:
        client.create(resource, obj, namespace=namespace, why="Every namespace has this from the start.")
    except ApiError as error:
        if error.code not in (403, 404, 409):  # somebody was quicker, or the namespace is going
            raise


def _service_account() -> Manifest:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": SERVICE_ACCOUNT}}


def _root_ca(certificate: str) -> Manifest:
    meta = {"name": ROOT_CA, "annotations": {"kubernetes.io/description": _ROOT_CA_NOTE}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"ca.crt": certificate}}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the end of a namespace has come. `remaining` counts objects by resource key."""

    gone: bool
    remaining: dict[str, int]


def finalize_namespace(client: Client, name: str) -> Progress:
    """Empty a terminating namespace and remove it once nothing is left: pods first, the rest after the last pod, as since
    Kubernetes 1.34. Safe to call at any time and as often as wanted; a namespace that is not terminating is left alone."""
    found = client.find("namespaces", "", name)
    if found is None:
        return Progress(gone=True, remaining={})
    if not found.obj["metadata"].get("deletionTimestamp"):
        return Progress(gone=False, remaining={})
    remaining = _empty(client, name, [_PODS])
    if not remaining:
        rest = [item.key for item in scheme.STORED if item.namespaced and item.key != _PODS]
        remaining = _empty(client, name, rest)
    if remaining:
        return Progress(gone=False, remaining=remaining)
    return Progress(gone=_drop_finalizer(client, name, found.uid), remaining={})


def _empty(client: Client, name: str, resources: list[str]) -> dict[str, int]:
    """Delete everything of these resources; what a grace period or a finalizer keeps is counted."""
    remaining = {}
    for resource in resources:
        why = f"Its namespace {name} is being deleted."
        deleted = client.delete_collection(resource, name, why=why)
        kept = sum(1 for item in deleted if not item.gone)
        if kept:
            remaining[resource] = kept
    return remaining


def _drop_finalizer(client: Client, name: str, uid: str) -> bool:
    """Take Kubernetes' own finalizer off; whether the namespace is gone by that."""
    found = client.find("namespaces", "", name)
    if found is None or found.uid != uid:
        return True
    obj = dict(found.obj)
    finalizers = [item for item in (obj.get("spec") or {}).get("finalizers") or [] if item != FINALIZER]
    obj["spec"] = {"finalizers": finalizers}
    try:
        client.update("namespaces", "", name, obj, subresource="finalize", why="Nothing is left in the namespace.")
    except ApiError as error:
        if error.code not in (404, 409):
            raise
    return client.find("namespaces", "", name) is None
