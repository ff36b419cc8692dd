"""What every namespace has, and how one ends.

`ensure_furniture` is called when a namespace is created and when a lab starts; `finalize_namespace` by the control and
sim workers whenever something in a terminating namespace changed. Sources: pkg/controller/serviceaccount,
pkg/controller/certificates/rootcacertpublisher, pkg/controller/namespace/deletion/namespaced_resources_deleter.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings

from podlab.apis import scheme
from podlab.apis.status_errors import ApiError
from podlab.apis.types import Manifest
from podlab.registry import account_grants, namespace_conditions
from podlab.registry.client import Client
from podlab.registry.strategies.namespace import FINALIZER

SERVICE_ACCOUNT = "default"
ROOT_CA = "kube-root-ca.crt"
_DESCRIPTION = "kubernetes.io/description"
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


def publish_root_ca(client: Client, namespace: str) -> None:
    """Give a ConfigMap with the CA its data back; a 409 when somebody writes it at the same time."""
    certificate, found = ca_pem(), client.find("configmaps", namespace, ROOT_CA)
    if not certificate or found is None:
        return
    wanted = _root_ca(certificate)
    told = found.obj["metadata"].get("annotations") or {}
    if found.obj.get("data") == wanted["data"] and told.get(_DESCRIPTION):
        return
    meta = {**found.obj["metadata"], "annotations": {**told, **wanted["metadata"]["annotations"]}}
    why = "Every namespace has the CA of its cluster."
    client.update("configmaps", namespace, ROOT_CA, {**found.obj, "metadata": meta, "data": wanted["data"]}, why=why)


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
    meta = {"name": ROOT_CA, "annotations": {_DESCRIPTION: _ROOT_CA_NOTE}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"ca.crt": certificate}}


@dataclass(slots=True)
class Progress:
    """How far the end of a namespace has come. `remaining` counts objects by resource key, `finalizers` the objects that
    each finalizer keeps; `errors` are what could not be deleted."""

    gone: bool = False
    remaining: dict[str, int] = field(default_factory=dict)
    finalizers: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def finalize_namespace(client: Client, name: str) -> Progress:
    """Empty a terminating namespace and remove it once nothing is left: pods first, the rest after the last pod, as since
    Kubernetes 1.34. Safe to call at any time and as often as wanted; a namespace that is not terminating is left alone."""
    progress = Progress()
    found = client.find("namespaces", "", name)
    if found is None:
        progress.gone = True
        return progress
    if not found.obj["metadata"].get("deletionTimestamp"):
        return progress
    _empty(client, name, [_PODS], progress)
    if not progress.remaining and not progress.errors:
        rest = list(dict.fromkeys(item.key for item in scheme.RESOURCES if _is_emptied(item)))
        _empty(client, name, rest, progress)
    if progress.remaining or progress.errors:
        _tell(client, name, found.uid, progress)
    else:
        progress.gone = _drop_finalizer(client, name, found.uid)
    if progress.gone:
        account_grants.forget_namespace(client.cluster, name)
    return progress


def _is_emptied(resource: scheme.Resource) -> bool:
    return resource.namespaced and resource.key != _PODS and {"list", "deletecollection"} <= set(resource.verbs)


def _empty(client: Client, name: str, resources: list[str], progress: Progress) -> None:
    """Delete everything of these resources; what a grace period or a finalizer keeps is counted."""
    why = f"Its namespace {name} is being deleted."
    for resource in resources:
        try:
            deleted = client.delete_collection(resource, name, propagation="Background", why=why)
        except ApiError as error:
            progress.errors.append(error.message)
            continue
        kept = [item.obj for item in deleted if not item.gone]
        if kept:
            progress.remaining[resource] = len(kept)
        for obj in kept:
            for finalizer in obj["metadata"].get("finalizers") or []:
                progress.finalizers[finalizer] = progress.finalizers.get(finalizer, 0) + 1


def _tell(client: Client, name: str, uid: str, progress: Progress) -> None:
    """What holds the namespace up, as conditions."""

    def change(namespace: Manifest) -> None:
        if namespace["metadata"].get("deletionTimestamp"):
            conditions = namespace.setdefault("status", {}).setdefault("conditions", [])
            namespace_conditions.update(conditions, progress, now=client.now())

    try:
        client.update_status("namespaces", "", name, change, uid=uid, why="Something is left in the namespace.")
    except ApiError as error:
        if error.code not in (404, 409):
            raise


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
