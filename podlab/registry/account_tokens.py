"""Bearer tokens of service accounts: signed by the lab, bound to the account's uid, good for a while.

`client.Client.create_token` answers TokenRequests with `issue`, `registry.authentication` asks `owner` who holds one. A token is
a JWT as Kubernetes makes them (ES256), with the cluster as a claim of its own; it ends with the account, with what it
is bound to, or on the clock of its cluster. Nothing of it is stored.
Sources: pkg/serviceaccount/claims.go, pkg/registry/core/serviceaccount/storage/token.go.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from django.conf import settings

from podlab.apis.types import Key, Manifest
from podlab.registry import account_grants
from podlab.registry.authorizer import AUTHENTICATED
from podlab.registry.grants import ACCOUNTS
from podlab.registry.identity import Identity
from podlab.storage import store

ISSUER = "https://kubernetes.default.svc.cluster.local"
_CLUSTER = "podlab.dev/cluster"
_KUBERNETES = "kubernetes.io"
_NUMBER_BYTES = 32
_MAX_LENGTH = 8192
_SIGNED_WITH = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a token is for. `bound` has {"name", "uid"} of the pod, secret or node that it does not outlive; under "node"
    beside a pod it only says where the pod is."""

    cluster: str
    namespace: str
    name: str
    uid: str
    audiences: tuple[str, ...] = (ISSUER,)
    bound: Mapping[str, Manifest] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Holder:
    identity: Identity
    cluster: str
    audiences: tuple[str, ...]


def issue(terms: Terms, *, now: datetime, seconds: int) -> tuple[str, datetime]:
    """A token and the moment at which it ends."""
    begin = int(now.timestamp())
    private: Manifest = {
        "namespace": terms.namespace,
        "serviceaccount": {"name": terms.name, "uid": terms.uid},
    }
    private.update(terms.bound)
    claims = {
        "aud": list(terms.audiences),
        "exp": begin + seconds,
        "iat": begin,
        "iss": ISSUER,
        "jti": str(uuid.uuid4()),
        _KUBERNETES: private,
        "nbf": begin,
        "sub": account_grants.username(terms.namespace, terms.name),
        _CLUSTER: terms.cluster,
    }
    head = {"alg": "ES256", "kid": _key_id()}
    signed = f"{_encoded(head)}.{_encoded(claims)}"
    one, other = decode_dss_signature(_key().sign(signed.encode(), _SIGNED_WITH))
    signature = one.to_bytes(_NUMBER_BYTES, "big") + other.to_bytes(_NUMBER_BYTES, "big")
    return f"{signed}.{_base64(signature)}", datetime.fromtimestamp(begin, UTC) + timedelta(seconds=seconds)


def is_one(raw: str) -> bool:
    """Whether a bearer token has the shape of ours; whether it is good is another question."""
    return raw.count(".") == 2 and raw.startswith("eyJ") and len(raw) <= _MAX_LENGTH


def read(raw: str) -> Manifest | None:
    """The claims of a token that this lab has signed; whether they hold still is for `owner`."""
    head, claims, signature = (_decoded(part) for part in raw.split("."))
    if len(signature) != 2 * _NUMBER_BYTES or _json(head).get("alg") != "ES256":
        return None
    numbers = (int.from_bytes(part, "big") for part in (signature[:_NUMBER_BYTES], signature[_NUMBER_BYTES:]))
    try:
        _key().public_key().verify(encode_dss_signature(*numbers), raw.rpartition(".")[0].encode(), _SIGNED_WITH)
    except InvalidSignature:
        return None
    return _json(claims)


def owner(claims: Manifest, *, now: datetime) -> Holder | None:
    """The account of these claims; None when they are over, or the account or what they are bound to is gone."""
    private = claims[_KUBERNETES]
    cluster, namespace, account = claims[_CLUSTER], private["namespace"], private["serviceaccount"]
    moment = now.timestamp()
    if not claims["nbf"] <= moment < claims["exp"]:
        return None
    if not _lives(Key(cluster, "serviceaccounts", namespace, account["name"]), account["uid"]):
        return None
    if not _lives_with(cluster, namespace, private):
        return None
    identity = Identity(
        account_grants.username(namespace, account["name"]),
        (ACCOUNTS, f"{ACCOUNTS}:{namespace}", AUTHENTICATED),
        account_grants.of(cluster, namespace, account["name"]),
        uid=account["uid"],
        extra=_extra(claims, private),
        home=cluster,
    )
    return Holder(identity, cluster, tuple(claims["aud"]))


def public_key() -> Manifest:
    """The key that verifies these tokens, as a JSON Web Key (RFC 7517)."""
    numbers = _key().public_key().public_numbers()
    x, y = (_base64(number.to_bytes(_NUMBER_BYTES, "big")) for number in (numbers.x, numbers.y))
    return {"use": "sig", "kty": "EC", "kid": _key_id(), "crv": "P-256", "alg": "ES256", "x": x, "y": y}


def cluster_of(claims: Manifest) -> str:
    return str(claims.get(_CLUSTER) or "")


def _lives_with(cluster: str, namespace: str, private: Manifest) -> bool:
    """Whether what the token is bound to is there still."""
    for kind, plural in (("pod", "pods"), ("secret", "secrets"), ("node", "nodes")):
        bound = private.get(kind)
        if bound:
            return _lives(Key(cluster, plural, "" if kind == "node" else namespace, bound["name"]), bound["uid"])
    return True


def _extra(claims: Manifest, private: Manifest) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = [("credential-id", f"JTI={claims['jti']}")]
    for kind in ("pod", "node"):
        bound = private.get(kind) or {}
        found += [(f"{kind}-{part}", str(bound[part])) for part in ("name", "uid") if bound.get(part)]
    return tuple((f"authentication.kubernetes.io/{name}", (value,)) for name, value in found)


def _lives(key: Key, uid: str) -> bool:
    stored = store.get(key)
    return stored is not None and stored.uid == uid


# The key


def _path() -> Path:
    return Path(settings.PODLAB_DATA) / "pki" / "service-accounts.key"


def _key() -> ec.EllipticCurvePrivateKey:
    return _loaded(_path())


@cache
def _loaded(path: Path) -> ec.EllipticCurvePrivateKey:
    """Made by whichever process needs it first: of two that come at once, one's file stays."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_pem(ec.generate_private_key(ec.SECP256R1())))
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds no key for ES256")
    return key


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain)


def _key_id() -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = _key().public_key().public_bytes(serialization.Encoding.DER, form)
    return _base64(hashlib.sha256(public).digest())


# The text


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _encoded(value: Manifest) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _decoded(text: str) -> bytes:
    """b"" for what is no base64: the signature over it does not fit either."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _json(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
