"""Which images this lab has brought onto the machine, and with whose log-ins. One file for all nodes of a worker, for they
share an engine.

Two rules rest on it. An image that was pulled with secrets is there only for pods that have such secrets too
(pkg/kubelet/images/pullmanager, KubeletEnsureSecretPulledImages with the policy NeverVerifyPreloadedImages: what others
brought may be used by everybody). And garbage collection takes only what is written here: the machine is shared.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from podlab.apis import times
from podlab.kubelet import images
from podlab.kubelet.keyring import Login
from podlab.runtime.images import ImageInfo

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Use:
    """A log-in that an image was pulled with: where it came from, and a salted digest to recognise it by."""

    namespace: str
    name: str
    uid: str
    digest: str


@dataclass(frozen=True, slots=True)
class Record:
    """`ref` as it was pulled. `brought`: it was not there before, so it may be taken away again. `for_all`: pulled without
    log-in, or with the node's own."""

    ref: str
    image_id: str
    pulled_at: str
    brought: bool
    for_all: bool
    uses: tuple[Use, ...] = ()


@dataclass(slots=True)
class ImageRecords:
    """`path` None: nothing is kept. Thread-safe."""

    path: Path | None = None
    _salt: str = ""
    _records: dict[str, Record] = field(default_factory=dict)  # by ref
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        held = self._read()
        self._salt = str(held.get("salt") or secrets.token_hex(16))
        for entry in held.get("images") or []:
            record = Record(**{**entry, "uses": tuple(Use(**use) for use in entry["uses"])})
            self._records[record.ref] = record

    def note_pull(self, info: ImageInfo, ref: str, *, present: bool, login: Login | None, now: datetime) -> None:
        """`present`: there was an image of this name before."""
        with self._lock:
            before = self._records.get(ref)
            same = before is not None and before.image_id == info.id
            uses = before.uses if before is not None and same else ()
            if login is not None:
                fresh = self._use(login)
                uses = (*(use for use in uses if _place(use) != _place(fresh)), fresh)
            self._records[ref] = Record(
                ref=ref,
                image_id=info.id,
                pulled_at=times.rfc3339(now),
                brought=(before is not None and before.brought) or not present,
                for_all=login is None or (before is not None and same and before.for_all),
                uses=uses,
            )
            self._write()

    def may_use(self, info: ImageInfo, ref: str, logins: Iterable[Login]) -> bool:
        """Whether a pod with these log-ins may have the image that is there without pulling it."""
        with self._lock:
            of_image = [one for one in self._records.values() if one.image_id == info.id]
            name = images.repository(ref)
            by_id = ref.startswith("sha256:")
            mine = [one for one in of_image if by_id or images.repository(one.ref) == name]
            if not mine:
                return True  # others have given it this name
            if any(one.for_all for one in mine):
                return True
            known = [use for one in mine for use in one.uses]
            return any(
                _place(use) == _place(fresh) or use.digest == fresh.digest
                for use in known
                for fresh in map(self._use, logins)
            )

    def brought(self) -> list[Record]:
        with self._lock:
            return [record for record in self._records.values() if record.brought]

    def forget(self, ref: str) -> None:
        with self._lock:
            if self._records.pop(ref, None) is not None:
                self._write()

    def _use(self, login: Login) -> Use:
        text = json.dumps([self._salt, login.where, login.username, login.password])
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Use(login.secret.namespace, login.secret.name, login.secret.uid, digest)

    def _read(self) -> dict[str, Any]:
        if self.path is None or not self.path.exists():
            return {}
        try:
            held: dict[str, Any] = json.loads(self.path.read_text())
        except (OSError, ValueError) as error:
            # Without it nothing is collected, and images count as brought by others: the safe side.
            logger.warning("%s cannot be read, beginning anew: %s", self.path, error)
            return {}
        return held

    def _write(self) -> None:
        if self.path is None:
            return
        body = {"salt": self._salt, "images": [asdict(record) for record in self._records.values()]}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(body, file)
        fresh.replace(self.path)


def _place(use: Use) -> Use:
    return replace(use, digest="")
