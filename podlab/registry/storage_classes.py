"""The storage class that every cluster begins with: folders on the nodes. Nobody's default, as in a bare Kubernetes; the
annotation storageclass.kubernetes.io/is-default-class makes it so."""

from __future__ import annotations

from podlab.apis import volume_claims
from podlab.apis.types import Manifest

NAME = "standard"


def standard() -> Manifest:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": NAME},
        "provisioner": volume_claims.NODE_FOLDER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": volume_claims.WAIT_FOR_FIRST_CONSUMER,
        "allowVolumeExpansion": True,
    }
