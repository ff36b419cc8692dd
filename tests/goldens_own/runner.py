"""Recorded answers of a Kubernetes API server, asked of the API in this process.

A case is one line of JSON in one of the *.jsonl files here: {"id", "steps": [{"method", "path", "body", "query",
"headers", "expect"}]}. `<ns>` stands for a namespace that each case gets for itself. `expect` holds `code`, and of the
answer what is worth holding: `message` (with `…` for what differs every time) and `causes` of a refusal, `object` as a
part of the answer, `warnings`. collect.py makes such lines of recordings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import async_to_sync

from podlab.apiserver.handler import ApiHandler

HERE = Path(__file__).parent
ANYTHING = "…"
_WARNING = re.compile(r'299 \S+ "(.*)"')
# What Go's printer of differences adds; the unit tests look at it.
_DIFFERENCE = re.compile(r"\n@@ -\d[\s\S]*")
_TYPES = {dict: "application/json", list: "application/json", str: "application/yaml"}

Case = dict[str, Any]


def cases(*names: str) -> Iterator[Case]:
    for name in names:
        for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


class Answer:
    def __init__(self, code: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.code = code
        self.headers = headers
        self.body = body

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def warnings(self) -> list[str]:
        texts = [value for name, value in self.headers if name.lower() == "warning"]
        found = (_WARNING.fullmatch(text) for text in texts)
        return [re.sub(r"\\(.)", r"\1", match[1]) for match in found if match]


class Door:
    """The API without a network. Its requests run in the API's own threads, so the database must be a real one."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._handler = ApiHandler(alone=True)

    def ask(
        self, method: str, path: str, *, query: Any = None, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        given = {"Accept": "application/json", "User-Agent": "golden-runner/1.0", **(headers or {})}
        raw = b""
        if body is not None:
            given.setdefault("Content-Type", _TYPES[type(body)])
            raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        given["Authorization"] = f"Bearer {self._token}"
        place, _, written = path.partition("?")
        asked = "&".join(part for part in (written, urlencode(query or {}, doseq=True)) if part)
        return async_to_sync(self._send)(method, place, asked, given, raw)

    async def _send(self, method: str, path: str, query: str, headers: dict[str, str], raw: bytes) -> Answer:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "server": ("localhost", 80), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        waiting = [{"type": "http.request", "body": raw, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return waiting.pop() if waiting else await _never()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._handler(scope, receive, send)
        answered = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
        return Answer(sent[0]["status"], answered, b"".join(item.get("body", b"") for item in sent[1:]))


async def _never() -> dict[str, Any]:
    import asyncio

    await asyncio.Event().wait()
    raise AssertionError


def play(door: Door, case: Case, namespace: str) -> list[str]:
    """What the API says differently; an empty list when all is as it was recorded."""
    problems: list[str] = []
    for number, step in enumerate(case["steps"], 1):
        given = json.loads(json.dumps(step).replace("<ns>", namespace))
        answer = door.ask(
            given["method"],
            given["path"],
            query=given.get("query"),
            body=given.get("body"),
            headers=given.get("headers"),
        )
        found = list(_differences(given["expect"], answer))
        problems += [f"{case['id']}, step {number}: {text}" for text in found]
    return problems


def _differences(expect: dict[str, Any], answer: Answer) -> Iterator[str]:
    said = answer.json
    if answer.code != expect["code"]:
        yield f"code {answer.code} instead of {expect['code']}: {_short(said)}"
        return
    if "message" in expect:
        if not _like(expect["message"], said["message"]):
            yield f"message\n  {said['message']}\ninstead of\n  {expect['message']}"
        if said.get("reason", "") != expect.get("reason", ""):
            yield f"reason {said.get('reason')} instead of {expect.get('reason')}"
    if "causes" in expect:
        causes = ((said or {}).get("details") or {}).get("causes") or []
        told = sorted([item.get("reason", ""), item.get("field", "")] for item in causes)
        if told != sorted(expect["causes"]):
            yield f"causes {told} instead of {expect['causes']}"
    if "object" in expect:
        yield from part(expect["object"], said, "")
    if "warnings" in expect and sorted(answer.warnings) != sorted(expect["warnings"]):
        yield f"warnings {answer.warnings} instead of {expect['warnings']}"


def _like(wanted: str, found: str) -> bool:
    found = _DIFFERENCE.sub("", found)
    return re.fullmatch(re.escape(wanted).replace(re.escape(ANYTHING), ".+"), found, re.DOTALL) is not None


def part(wanted: Any, found: Any, path: str) -> Iterator[str]:
    """Whether `wanted` is a part of `found`: every key there, lists of the same length and order."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            if key not in found and value is not None:
                yield f"{path}.{key} is missing"
            elif key in found:
                yield from part(value, found[key], f"{path}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (left, right) in enumerate(zip(wanted, found, strict=True)):
            yield from part(left, right, f"{path}[{index}]")
    elif isinstance(wanted, str) and ANYTHING in wanted:
        if not isinstance(found, str | int) or not _like(wanted, str(found)):
            yield f"{path} is {_short(found)} instead of {_short(wanted)}"
    elif wanted != found or isinstance(wanted, bool) is not isinstance(found, bool):
        yield f"{path} is {_short(found)} instead of {_short(wanted)}"


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:300]
