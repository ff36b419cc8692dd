"""Which registry log-ins a pod's secrets hold for an image. Pure; `pull_secrets` fetches the secrets, `puller` uses what
is found here.

pkg/credentialprovider/{config,keyring}.go and secrets/secrets.go: entries are matched by host (globs in each part of the
name), port and beginning of the path; longer entries come first; Docker Hub also answers to its old names.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from podlab.apis.types import Manifest
from podlab.kubelet import images

_HUB = "index.docker.io"
_HUB_NAMES = ("docker.io", _HUB)
_KEYS = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}


class BadPullSecret(ValueError):
    """A secret that cannot be read. The text names it and never says what it holds."""


@dataclass(frozen=True, slots=True)
class PullSecret:
    """Where a log-in comes from."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Login:
    """`where`: the registry, with or without a path, that it is for."""

    where: str
    username: str
    password: str = field(repr=False)
    secret: PullSecret


def logins(secrets: Iterable[Manifest]) -> list[Login]:
    """What the secrets hold, in their order. Raises BadPullSecret."""
    return [login for secret in secrets for login in _of_secret(secret)]


def lookup(held: Iterable[Login], image: str) -> list[Login]:
    """The log-ins for `image`, the best first. Several may fit: the kubelet tries one after the other."""
    repository = images.repository(image)
    sorted_held = sorted(held, key=lambda login: login.where, reverse=True)
    found = [login for login in sorted_held if _matches(login.where, repository)]
    if not found and repository.partition("/")[0] in _HUB_NAMES:
        found = [login for login in sorted_held if login.where == _HUB]
    return found


def _of_secret(secret: Manifest) -> Iterable[Login]:
    meta = secret["metadata"]
    key = _KEYS.get(str(secret.get("type") or ""))
    raw = (secret.get("data") or {}).get(key) if key else None
    if not raw:
        return  # another kind of secret: it holds no log-ins, and that is no error
    origin = PullSecret(meta["namespace"], meta["name"], meta.get("uid", ""))
    try:
        held = json.loads(base64.b64decode(raw, validate=True))
        entries = held.get("auths", {}) if key == ".dockerconfigjson" else held
        for where, entry in entries.items():
            username, password = _user(entry)
            yield Login(_place(str(where)), username, password, origin)
    except (ValueError, AttributeError, TypeError):
        # Nothing of the content may get into a message.
        raise BadPullSecret(
            f"image pull secret {origin.namespace}/{origin.name} cannot be read: its {key} holds no registry log-ins"
        ) from None


def _user(entry: Mapping[str, Any]) -> tuple[str, str]:
    """`auth`, if given, counts more than the two plain fields."""
    auth = str(entry.get("auth") or "")
    if not auth:
        return str(entry.get("username") or ""), str(entry.get("password") or "")
    try:
        text = base64.b64decode(auth + "=" * (-len(auth) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("auth") from None
    username, colon, password = text.partition(":")
    if not colon:
        raise ValueError("auth")
    return username, password.rstrip("\x00")


def _place(text: str) -> str:
    """https://host/v1/path → host/path: the version is no part of a repository's name."""
    parts = urlsplit(text if text.startswith(("https://", "http://")) else f"https://{text}")
    path = parts.path
    if path.startswith(("/v1/", "/v2/")):
        path = path[3:]
    return parts.netloc + (path if path != "/" else "")


def _matches(where: str, repository: str) -> bool:
    host, _, path = where.partition("/")
    wanted, _, target = repository.partition("/")
    name, _, port = host.partition(":")
    wanted_name, _, wanted_port = wanted.partition(":")
    globs, parts = name.split("."), wanted_name.split(".")
    if len(globs) != len(parts) or port != wanted_port or not f"/{target}".startswith(f"/{path}"):
        return False
    return all(fnmatchcase(part, glob) for part, glob in zip(parts, globs, strict=True))
