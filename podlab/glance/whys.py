"""The decisions of the machine in the viewer's language.

Every change, event and run is stored with its `why` in English (kubelet, scheduler, controllers, registry write it). `told`
finds the template of `why_texts` that such a text was made from and says it again through the translation. What no template
fits (a message of Kubernetes, a word of a user) stays as it is, and so does what stands in a field. Pure; pages, the
timeline and exports ask here.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from podlab.glance.sentences import Translate, gettext_noop
from podlab.glance.why_texts import TEMPLATES

_LONGEST = 8000  # characters; a longer text is no why of ours
_DEEPEST = 6  # whys within whys
_PARTS = 100

# What may stand in a field; every other one holds a single word.
_FREE = {"text", "names", "actor"}
_WITHIN = {"why", "how", "rule", "caused", "over", "asked"}  # a text of the catalogue, or anything
_NODES = {"each", "ruled"}  # nodes and what speaks against them: "a: x, y; b: z" or "a (x, y); b (z)"
_REASON = re.compile(r"[A-Z][A-Za-z0-9]*")
_AND = gettext_noop("; ")


@dataclass(frozen=True, slots=True)
class _Made:
    """A text that was made from a template."""

    template: str
    fields: tuple[tuple[str, _Text], ...] = ()


_Text = tuple[str | _Made, ...]  # plain text and texts that can be translated, one after the other


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A template taken apart: literal 0, field 0, literal 1, field 1, … The last literal may be ""."""

    template: str
    literals: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def weight(self) -> int:
        return sum(map(len, self.literals))

    def values(self, why: str) -> list[str] | None:
        """Each field as short as can be, from the left. Linear: nothing is tried twice, whatever the text holds."""
        first, *rest = self.literals
        if not rest:
            return [] if why == first else None
        last = rest.pop()
        end = len(why) - len(last)
        if not why.startswith(first) or not why.endswith(last) or end < len(first):
            return None
        found, begin = [], len(first)
        for literal in rest:
            at = why.find(literal, begin, end)
            if at < 0:
                return None
            found.append(why[begin:at])
            begin = at + len(literal)
        found.append(why[begin:end])
        return found if all(map(_fits, self.fields, found)) else None


def told(translate: Translate, why: str) -> str:
    """`why` as `translate` says it; unchanged in English and where nothing of the catalogue fits. Plain text, not HTML."""
    if not why or len(why) > _LONGEST or translate(TEMPLATES[0]) == TEMPLATES[0]:
        return why
    return _say(translate, _read(why))


def unknown(why: str) -> list[str]:
    """The parts of `why` that no template fits, also those within another one: tests see by it what the catalogue lacks."""
    return [part for part in _unknown(_read(why)) if part.strip(" ;")]


def _unknown(text: _Text) -> Iterator[str]:
    for part in text:
        if isinstance(part, str):
            yield part
            continue
        for name, value in part.fields:
            if name in _WITHIN:
                yield from _unknown(value)


def _say(translate: Translate, text: _Text) -> str:
    return "".join(
        part
        if isinstance(part, str)
        else translate(part.template).format(**{name: _say(translate, value) for name, value in part.fields})
        for part in text
    )


@lru_cache(maxsize=2048)
def _read(why: str) -> _Text:
    return _text(why, 0)


def _text(why: str, depth: int) -> _Text:
    """As a whole where it has lists of nodes, else part by part and sentence by sentence."""
    if depth > _DEEPEST:
        return (why,)
    listed = _match(why, depth, listed=True)
    if listed is not None:
        return (listed,)
    parts = why.split("; ")
    if len(parts) > _PARTS:
        return (why,)
    return _joined([_part(part, depth) for part in parts])


def _joined(texts: list[_Text]) -> _Text:
    """With the language's own separator between two parts that are both in it."""
    made: list[str | _Made] = list(texts[0])
    for before, after in zip(texts, texts[1:], strict=False):
        both = isinstance(before[-1], _Made) and isinstance(after[0], _Made)
        made += [_Made(_AND) if both else "; ", *after]
    return tuple(made)


def _part(part: str, depth: int) -> _Text:
    whole = _match(part, depth)
    if whole is not None:
        return (whole,)
    sentences = re.split(r"(?<=\.) ", part)
    if len(sentences) == 1 or len(sentences) > _PARTS:
        return (part,)
    made: list[str | _Made] = []
    for sentence in sentences:
        made += [*([" "] if made else []), _match(sentence, depth) or sentence]
    return tuple(made)


def _match(why: str, depth: int, *, listed: bool = False) -> _Made | None:
    for pattern in _candidates(why):
        if listed and _NODES.isdisjoint(pattern.fields):
            continue
        values = pattern.values(why)
        if values is not None:
            fields = zip(pattern.fields, values, strict=True)
            return _Made(pattern.template, tuple((name, _field(name, value, depth)) for name, value in fields))
    return None


def _field(name: str, value: str, depth: int) -> _Text:
    if name in _WITHIN:
        return _text(value, depth + 1)
    return _nodes(name, value, depth) if name in _NODES else (value,)


def _nodes(name: str, value: str, depth: int) -> _Text:
    made: list[str | _Made] = []
    opening, closing = (": ", "") if name == "each" else (" (", ")")
    for one in value.split("; "):
        node, _, rest = one.partition(opening)
        made += [*([_Made(_AND)] if made else []), f"{node}{opening}" if rest else node]
        for number, reason in enumerate(rest.removesuffix(closing).split(", ")):
            made += [*([", "] if number else []), *_reason(reason, depth)]
        made.append(closing if rest else "")
    return tuple(made)


def _reason(reason: str, depth: int) -> Iterator[str | _Made]:
    """Kubernetes' own words stay; what this scheduler adds in brackets is told."""
    words, _, detail = reason.rpartition(" (")
    found = _match(detail.removesuffix(")"), depth) if words and detail.endswith(")") else None
    yield from (f"{words} (", found, ")") if found is not None else (reason,)


def _fits(name: str, value: str) -> bool:
    if name == "text":
        return True
    if not value:
        return False
    if name == "reason":
        return _REASON.fullmatch(value) is not None
    return name in _FREE or name in _WITHIN or name in _NODES or not re.search(r"\s", value)


@cache
def _patterns() -> tuple[dict[str, list[_Pattern]], list[_Pattern]]:
    """By their first word, and those that begin with a field; the most telling ones first."""
    by_word: dict[str, list[_Pattern]] = {}
    anyhow: list[_Pattern] = []
    for template in TEMPLATES:
        pieces = list(string.Formatter().parse(template))
        literals = [literal for literal, *_ in pieces]
        fields = [name for _, name, *_ in pieces if name is not None]
        if len(literals) == len(fields):
            literals.append("")
        pattern = _Pattern(template, tuple(literals), tuple(fields))
        word, space, _ = literals[0].partition(" ")
        (by_word.setdefault(word, []) if space else anyhow).append(pattern)
    for bucket in (*by_word.values(), anyhow):
        bucket.sort(key=lambda one: -one.weight)
    return by_word, anyhow


def _candidates(why: str) -> Iterator[_Pattern]:
    by_word, anyhow = _patterns()
    yield from by_word.get(why.partition(" ")[0], ())
    yield from anyhow
