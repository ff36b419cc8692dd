"""A browser's page without a browser: its socket, end to end but for the network; and writers to the store."""

from __future__ import annotations

import json
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from pod_story import at

from podlab import routing
from podlab.apis.types import Key
from podlab.registry import identity
from podlab.storage import store

PATIENCE = 60  # seconds for an answer; a busy machine may need them, and what never comes is seen all the same
POD = Key("main", "pods", "default", "web")


def person(name: str, *, cluster: str = "main", namespace: str = "default", role: str = "student") -> User:
    user = get_user_model().objects.create_user(name)
    identity.grant(user, role, cluster=cluster, namespace=namespace)
    return user


class Page:
    """A browser's page: its socket, and what it heard by type."""

    def __init__(
        self, user: User | None, cluster: str = "main", *, origin: str = "http://localhost", lang: str = "en"
    ) -> None:
        headers = [(b"host", b"localhost"), (b"origin", origin.encode())]
        if user is not None:
            session = SessionStore()
            session["_auth_user_id"] = str(user.pk)
            session["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
            session["_auth_user_hash"] = user.get_session_auth_hash()
            session.save()
            from django.conf import settings

            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session.session_key}".encode()))
        path = f"/ws/c/{cluster}/"
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": f"lang={lang}".encode(),
            "headers": headers,
            "subprotocols": [],
        }
        # channels.testing wants daphne; asgiref has all that is needed.
        self.socket = ApplicationCommunicator(routing.websocket_application, scope)

    async def connect(self) -> bool:
        await self.socket.send_input({"type": "websocket.connect"})
        return bool((await self.socket.receive_output(PATIENCE))["type"] == "websocket.accept")

    async def disconnect(self) -> None:
        await self.socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.socket.wait(PATIENCE)

    async def hear(self, kind: str, **wanted: Any) -> dict[str, Any]:
        """The next message of that type; clock messages may come in between at any time."""
        while True:
            message: dict[str, Any] = json.loads((await self.socket.receive_output(PATIENCE))["text"])
            if message["type"] == kind and all(message.get(key) == value for key, value in wanted.items()):
                return message

    async def mark(self, **wanted: Any) -> dict[str, Any]:
        """The first mark that says all of this."""
        while True:
            for mark in (await self.hear("marks"))["marks"]:
                if all(mark[key] == value for key, value in wanted.items()):
                    return dict(mark)

    async def say(self, **message: Any) -> None:
        await self.send(json.dumps(message))

    async def send(self, text: str) -> None:
        await self.socket.send_input({"type": "websocket.receive", "text": text})

    async def closed(self) -> int:
        while True:
            output = await self.socket.receive_output(PATIENCE)
            if output["type"] == "websocket.close":
                return int(output["code"])


async def write(obj: dict[str, Any], seconds: float, *, key: Key = POD, why: str = "") -> None:
    def work() -> None:
        moment = at(seconds)
        if store.get(key) is None:
            store.create(key, obj, at=moment, actor="kubelet", why=why)
        else:
            store.update(key, obj, expect=None, at=moment, actor="kubelet", why=why)

    await sync_to_async(work)()


async def write_event(obj: dict[str, Any], seconds: float) -> None:
    obj["metadata"]["uid"] = "event-" + obj["metadata"]["name"]
    await write(obj, seconds, key=Key("main", "events", "default", obj["metadata"]["name"]))
