"""Compiles the translations, locale/*/LC_MESSAGES/django.po, to what gettext reads. The build runs it; no msgfmt is needed.

Standard library only. The format written is GNU gettext's .mo (Python: Tools/i18n/msgfmt.py documents the same table).
"""

from __future__ import annotations

import ast
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

LOCALE = Path(__file__).resolve().parents[2] / "locale"
_MAGIC = 0x950412DE


class Unreadable(Exception):
    """A .po file that is not as expected; the text names the line."""


def entries(text: str) -> Iterator[tuple[str, str]]:
    """msgid and msgstr of every entry, the header ("" as msgid) included. Plural forms and contexts are not used here."""
    fields: dict[str, str] = {}
    present = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        if not words.startswith('"'):
            present, _, words = words.partition(" ")
            if present not in {"msgid", "msgstr"}:
                raise Unreadable(f"line {number}: {present} is not known here")
            if present == "msgid" and "msgstr" in fields:
                yield fields["msgid"], fields["msgstr"]
                fields = {}
            fields[present] = ""
        try:
            fields[present] += ast.literal_eval(words)
        except (SyntaxError, ValueError, KeyError):
            raise Unreadable(f"line {number}: this is not a text in double quotes") from None
    if "msgstr" in fields:
        yield fields["msgid"], fields["msgstr"]


def compiled(catalogue: dict[str, str]) -> bytes:
    """A .mo file: header, the two tables of (length, offset), the texts. Entries without translation are left out."""
    rows = sorted((key.encode(), value.encode()) for key, value in catalogue.items() if value)
    keys, values = [key for key, _ in rows], [value for _, value in rows]
    offset = 7 * 4 + 16 * len(rows)
    tables = []
    for texts in (keys, values):
        for text in texts:
            tables.append(struct.pack("<II", len(text), offset))
            offset += len(text) + 1
    header = struct.pack("<7I", _MAGIC, 0, len(rows), 28, 28 + 8 * len(rows), 0, 28 + 16 * len(rows))
    return header + b"".join(tables) + b"".join(text + b"\0" for text in (*keys, *values))


def compile_all(folder: Path = LOCALE) -> list[Path]:
    """Write the .mo beside every .po whose content has changed."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        try:
            content = compiled(dict(entries(source.read_text(encoding="utf-8"))))
        except Unreadable as error:
            raise Unreadable(f"{source.name}: {error}") from None
        target = source.with_suffix(".mo")
        if not target.exists() or target.read_bytes() != content:
            target.write_bytes(content)
            written.append(target)
    return written


if __name__ == "__main__":
    compile_all()
    sys.exit(0)
