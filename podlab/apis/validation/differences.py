"""The unified diff at the end of refused updates (apimachinery/pkg/util/diff): what there was, and what was asked for.

Kubernetes prints its internal structs, and so do these texts where internal_form.py knows them. Of volumes and claims
only the fields that are set are told.
"""

from __future__ import annotations

import difflib
import json
from typing import Any

from podlab.apis import internal_form
from podlab.apis.types import Manifest

_CONTEXT = 3


def of_pods(old: Manifest, new: Manifest) -> str:
    return of_structs("PodSpec", old, new)


def of_structs(name: str, old: Manifest, new: Manifest) -> str:
    return _unified(internal_form.struct(name, old), internal_form.struct(name, new))


def of_fields(old: Manifest, new: Manifest) -> str:
    return _unified(_go_names(old), _go_names(new))


def _go_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {f"{name[:1].upper()}{name[1:]}": _go_names(item) for name, item in value.items()}
    return [_go_names(item) for item in value] if isinstance(value, list) else value


def _unified(old: Any, new: Any) -> str:
    lines = difflib.unified_diff(_lines(old), _lines(new), n=_CONTEXT)
    return "".join(list(lines)[2:])  # without the names of files


def _lines(value: Any) -> list[str]:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return [f"{line}\n" for line in text.split("\n")]
