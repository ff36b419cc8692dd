"""Makes lines for the files here of recordings: `python collect.py RECORDINGS.jsonl OUT.jsonl [PREFIX ...]`.

Cases whose name begins with one of the prefixes are taken; those that wait, watch or take values from answers are left
out. What differs from run to run is dropped or becomes `…`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

_VOLATILE = re.compile(r"<(?:uid|rv|time|continue|clusterIP|nodePort|ca|age|suffix|hash|object|ip)>")
_LEFT_OUT = ("watch", "until", "sleep", "capture")
_GO_DIFF = re.compile(r"\n?@@ -\d[\s\S]*")


def told(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: told(item) for key, item in value.items() if key != "description"}
    if isinstance(value, list):
        return [told(item) for item in value]
    if isinstance(value, str):
        return _VOLATILE.sub("…", value) if not _VOLATILE.fullmatch(value) else "…"
    return value


def expectation(recorded: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"code": recorded["code"]}
    status = recorded.get("status")
    if status:
        text = _GO_DIFF.sub("\n<diff>", status["message"])
        out["message"] = _VOLATILE.sub("…", text).replace("\n<diff>", "")
        out["reason"] = status.get("reason") or ""
        causes = (status.get("details") or {}).get("causes")
        if causes:
            out["causes"] = [[item.get("reason", ""), item.get("field", "")] for item in causes]
    if "object" in recorded:
        out["object"] = told(recorded["object"])
    if recorded.get("warnings"):
        out["warnings"] = recorded["warnings"]
    return out


def line_of(case: dict[str, Any]) -> dict[str, Any] | None:
    steps = []
    for step in case["steps"]:
        if any(key in step for key in _LEFT_OUT) or "text" in step["expect"] or step["expect"].get("anyOrder"):
            return None
        kept = {key: step[key] for key in ("method", "path", "query", "headers", "body") if key in step}
        steps.append({**kept, "expect": expectation(step["expect"])})
    return {"id": case["id"], "steps": steps}


def main(arguments: list[str]) -> None:
    source, out, *prefixes = arguments
    lines = []
    for text in Path(source).read_text(encoding="utf-8").splitlines():
        case = json.loads(text)
        name = case["id"].partition("/")[2]
        line = line_of(case) if not prefixes or name.startswith(tuple(prefixes)) else None
        if line is not None:
            lines.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
    with Path(out).open("a", encoding="utf-8") as target:
        target.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main(sys.argv[1:])
