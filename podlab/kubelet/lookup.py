"""ConfigMaps and Secrets from the API, for environment and volumes."""

from __future__ import annotations

from dataclasses import dataclass

from podlab.apis.types import Manifest
from podlab.registry.client import Client


@dataclass(frozen=True, slots=True)
class ClientLookup:
    client: Client

    def config_map(self, namespace: str, name: str) -> Manifest | None:
        stored = self.client.find("configmaps", namespace, name)
        return stored.obj if stored is not None else None

    def secret(self, namespace: str, name: str) -> Manifest | None:
        stored = self.client.find("secrets", namespace, name)
        return stored.obj if stored is not None else None
