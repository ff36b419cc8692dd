"""The registry log-ins that a pod brings along: those of its imagePullSecrets, to which admission adds its service
account's. `pod_workers` tells of secrets that are missing, `image_step` takes the log-ins.

pkg/kubelet/kubelet_pods.go getPullSecretsForPod.
"""

from __future__ import annotations

from podlab.apis import reasons
from podlab.apis.types import Manifest
from podlab.kubelet import keyring
from podlab.kubelet.context import Context
from podlab.kubelet.keyring import Login


def _names(pod: Manifest) -> list[str]:
    return [str(one["name"]) for one in pod["spec"].get("imagePullSecrets") or [] if one.get("name")]


def logins(ctx: Context, pod: Manifest) -> list[Login]:
    """Raises keyring.BadPullSecret. Read anew for every pull: a secret may be corrected meanwhile."""
    namespace = pod["metadata"]["namespace"]
    found = [ctx.lookup.secret(namespace, name) for name in _names(pod)]
    return keyring.logins(secret for secret in found if secret is not None)


def tell_missing(ctx: Context, pod: Manifest) -> None:
    namespace = pod["metadata"]["namespace"]
    missing = [name for name in _names(pod) if ctx.lookup.secret(namespace, name) is None]
    if not missing:
        return
    text = (
        f"Unable to retrieve some image pull secrets ({', '.join(missing)}); "
        "attempting to pull the image may not succeed."
    )
    why = f"namespace {namespace} has no such Secret"
    ctx.recorder.event(pod, reasons.WARNING, reasons.FAILED_TO_RETRIEVE_IMAGE_PULL_SECRET, text, why=why)
