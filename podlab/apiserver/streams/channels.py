"""Kubernetes' channel protocols: which one is spoken, and its messages. Pure.

A message is a byte for the channel and the data; the base64 kinds send text, a digit and base64. v4 and later tell the
end as a Status on channel 3, the first version as plain text; v5 can close one channel.
Sources: apimachinery/pkg/util/remotecommand/constants.go, apiserver's util/wsstream/conn.go, kubelet/cri/streaming.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from podlab.apis import status_errors
from podlab.apis.types import Manifest
from podlab.registry.streams import End

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
MAX_SIZE = 65535


@dataclass(frozen=True, slots=True)
class Protocol:
    name: str
    version: int
    base64: bool = False

    def encode(self, channel: int, data: bytes) -> bytes | str:
        if self.base64:
            return f"{channel}{base64.b64encode(data).decode()}"
        return bytes((channel,)) + data

    def decode(self, message: bytes) -> tuple[int, bytes] | None:
        """None for a message that says nothing."""
        if not message:
            return None
        if not self.base64:
            return message[0], message[1:]
        try:
            return message[0] - ord("0"), base64.b64decode(message[1:], validate=True)
        except binascii.Error:
            return None

    @property
    def closes_channels(self) -> bool:
        return self.version >= 5


REMOTE_COMMAND = (
    Protocol("v5.channel.k8s.io", 5),
    Protocol("v4.channel.k8s.io", 4),
    Protocol("v4.base64.channel.k8s.io", 4, base64=True),
    Protocol("channel.k8s.io", 1),
    Protocol("base64.channel.k8s.io", 1, base64=True),
)
PORT_FORWARD = (Protocol("v4.channel.k8s.io", 4), Protocol("v4.base64.channel.k8s.io", 4, base64=True))
LOG = (Protocol("binary.k8s.io", 1), Protocol("base64.binary.k8s.io", 1, base64=True))


def choose(offered: Sequence[str], served: Sequence[Protocol], default: Protocol | None) -> Protocol:
    """The first that the client offers and we speak; `default` for a client that offers none."""
    if not offered and default is not None:
        return default
    for name in offered:
        for protocol in served:
            if protocol.name == name:
                return protocol
    names = ", ".join(protocol.name for protocol in served)
    text = f"unable to upgrade: unsupported protocol {list(offered)!r}: the server speaks {names}"
    raise status_errors.bad_request(text)


def read_size(data: bytes) -> tuple[int, int] | None:
    """Of a message on the resize channel."""
    try:
        found: Any = json.loads(data)
        width, height = int(found["Width"]), int(found["Height"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (width, height) if 0 < width <= MAX_SIZE and 0 < height <= MAX_SIZE else None


def status_of(end: End, *, doing: str) -> Manifest:
    """What channel 3 says at the end. `doing`: what an error stopped, in the kubelet's words."""
    if end.error:
        return status_errors.internal(f"{doing}: {end.error}").to_status()
    if not end.exit_code:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": (f"command terminated with non-zero exit code: command terminated with exit code {end.exit_code}"),
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(end.exit_code)}]},
    }


def status_bytes(protocol: Protocol, status: Manifest) -> bytes | None:
    """The status in the form of the protocol; None where it says nothing."""
    if protocol.version >= 4:
        return json.dumps(status, separators=(",", ":")).encode()
    return None if status["status"] == "Success" else str(status.get("message", "")).encode()
