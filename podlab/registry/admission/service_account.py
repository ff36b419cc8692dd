"""Every pod runs as a service account and finds its token, the CA and its namespace in one projected volume.

Source: plugin/pkg/admission/serviceaccount/admission.go.
"""

from __future__ import annotations

from podlab.apis import names, pods
from podlab.apis.types import Manifest
from podlab.registry import chance
from podlab.registry.admission.plugin import CREATE, Plugin, Request

DEFAULT = "default"
VOLUME_PREFIX = "kube-api-access-"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
ROOT_CA = "kube-root-ca.crt"
# One hour and seven seconds: the odd number tells these tokens from those that people ask for.
_TOKEN_SECONDS = 3607


class ServiceAccount(Plugin):
    def admit(self, request: Request) -> None:
        if not request.is_for("pods", CREATE):
            return
        pod = request.obj
        spec = pod.get("spec")
        if not isinstance(spec, dict) or pods.is_mirror(pod):
            return
        name = spec.get("serviceAccountName") or DEFAULT
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = _account(request, name)
        if _wants_token(spec, account):
            _mount_token(spec)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [dict(item) for item in account["imagePullSecrets"]]


def _account(request: Request, name: str) -> Manifest:
    namespace = request.ctx.namespace
    unfit = names.path_segment(name)
    found = None if unfit else request.ctx.nearby.account(name)
    if found is None:
        reason = (
            f'invalid resource name "{name}": [{", ".join(unfit)}]' if unfit else f'serviceaccount "{name}" not found'
        )
        raise request.refusal(f"error looking up service account {namespace}/{name}: {reason}")
    return found.obj


def _wants_token(spec: Manifest, account: Manifest) -> bool:
    """The pod's word counts more than the account's."""
    for holder in (spec, account):
        if holder.get("automountServiceAccountToken") is not None:
            return bool(holder["automountServiceAccountToken"])
    return True


def _mount_token(spec: Manifest) -> None:
    """Mount the token into every container that has nothing at that path; add the volume if one took it."""
    volumes = spec.get("volumes") or []
    present = next((item["name"] for item in volumes if str(item.get("name")).startswith(VOLUME_PREFIX)), None)
    name = present or names.generate_name(VOLUME_PREFIX, chance.below)
    needed = False
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or []:
            mounts = container.get("volumeMounts") or []
            if any(mount.get("mountPath") == MOUNT_PATH for mount in mounts):
                continue
            container["volumeMounts"] = [*mounts, {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}]
            needed = True
    if needed and present is None:
        spec["volumes"] = [*volumes, _volume(name)]


def _volume(name: str) -> Manifest:
    namespace_file = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": ROOT_CA, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace_file]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 0o644}}
