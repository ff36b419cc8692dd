"""What a pod's environment and volumes take from the API: ConfigMaps, Secrets, Services, tokens.

Tokens are kept until four fifths of their life are over (pkg/kubelet/token/token_manager.go), so that looking at a volume
again does not make new ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from podlab.apis.types import Manifest
from podlab.apis.volume_claims import CLAIMS, VOLUMES
from podlab.kubelet.service_links import MASTER
from podlab.registry.client import Client
from podlab.storage.errors import StorageError

_Wish = tuple[str, str, int]
_NAMESPACES = 100  # whose Services are remembered


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    renew_at: datetime


@dataclass(frozen=True, slots=True)
class ClientLookup:
    client: Client
    _tokens: dict[_Wish, _Token] = field(default_factory=dict)
    _services: dict[str, list[Manifest]] = field(default_factory=dict)  # as seen last, by namespace

    def config_map(self, namespace: str, name: str) -> Manifest | None:
        return self._find("configmaps", namespace, name)

    def secret(self, namespace: str, name: str) -> Manifest | None:
        return self._find("secrets", namespace, name)

    def claim(self, namespace: str, name: str) -> Manifest | None:
        return self._find(CLAIMS, namespace, name)

    def persistent_volume(self, name: str) -> Manifest | None:
        return self._find(VOLUMES, "", name)

    def services(self, namespace: str) -> list[Manifest]:
        """Those that were there last while the store does not answer: containers may start all the same."""
        try:
            found = [stored.obj for stored in self.client.list("services", namespace).items]
            master = self._find("services", *MASTER) if namespace != MASTER[0] else None
        except StorageError:
            if namespace not in self._services:
                raise
            return self._services[namespace]
        self._services.pop(namespace, None)
        self._services[namespace] = found if master is None else [*found, master]
        if len(self._services) > _NAMESPACES:
            self._services.pop(next(iter(self._services)), None)
        return self._services[namespace]

    def token(self, pod: Manifest, audience: str, seconds: int) -> str:
        wish = (str(pod["metadata"]["uid"]), audience, seconds)
        now = self.client.now()
        kept = self._tokens.get(wish)
        if kept is None or now >= kept.renew_at:
            kept = self._tokens[wish] = _Token(
                self._fresh(pod, audience, seconds), now + timedelta(seconds=seconds * 0.8)
            )
            self._forget_old(now)
        return kept.text

    def forget(self, uid: str) -> None:
        """A pod is over and gone."""
        for wish in [wish for wish in list(self._tokens) if wish[0] == uid]:
            self._tokens.pop(wish, None)

    def _fresh(self, pod: Manifest, audience: str, seconds: int) -> str:
        meta = pod["metadata"]
        request: Manifest = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [audience] if audience else [],
                "expirationSeconds": seconds,
                "boundObjectRef": {"kind": "Pod", "apiVersion": "v1", "name": meta["name"], "uid": meta["uid"]},
            },
        }
        account = str(pod["spec"].get("serviceAccountName") or "default")
        return str(self.client.create_token(meta["namespace"], account, request)[0]["status"]["token"])

    def _forget_old(self, now: datetime) -> None:
        for wish in [wish for wish, kept in self._tokens.items() if now >= kept.renew_at]:
            del self._tokens[wish]

    def _find(self, resource: str, namespace: str, name: str) -> Manifest | None:
        stored = self.client.find(resource, namespace, name)
        return stored.obj if stored is not None else None
