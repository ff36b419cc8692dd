"""Runs all rules over a case and says what they found in one language. Pure; `web` calls it for the page of a pod."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from podlab.glance.explain import creating, ending, exits, images, probes, scheduling, starting
from podlab.glance.explain.case import SPLICED, Case, Evidence, Finding, Situation, Try
from podlab.glance.sentences import Translate, say

# In the order of a pod's life: what comes first is the cause of what follows.
TOPICS = (scheduling, images, creating, starting, probes, exits, ending)
SITUATIONS: dict[str, Situation] = {one.id: one for topic in TOPICS for one in topic.SITUATIONS}
_LEVELS = ("problem", "waiting", "note")


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Advice:
    """What to look at or to try; `words` are those of a kubectl command without the place, `path` a field of the YAML."""

    text: str
    words: tuple[str, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Explanation:
    id: str
    level: str  # problem | waiting | note
    title: str
    container: str
    happens: Sentence
    why: Sentence
    look: Advice
    tries: tuple[Advice, ...]


def find(case: Case) -> Iterator[Finding]:
    """Every situation that is there, each once per container, in the order of a pod's life."""
    seen: set[tuple[str, str]] = set()
    for topic in TOPICS:
        for found in topic.find(case):
            if (found.situation, found.container) not in seen:
                seen.add((found.situation, found.container))
                yield found


def explain(case: Case, translate: Translate = str) -> list[Explanation]:
    """What is wrong with the pod, or holds it up, or is worth knowing: problems first."""
    told = [_say(found, translate) for found in find(case)]
    return sorted(told, key=lambda one: _LEVELS.index(one.level))


def _say(found: Finding, translate: Translate) -> Explanation:
    known = SITUATIONS[found.situation]
    fields = _told(found, translate)
    return Explanation(
        id=known.id,
        level=known.level,
        title=say(translate, known.title, **fields),
        container=found.container,
        happens=Sentence(say(translate, known.happens, **fields), found.happens),
        why=Sentence(say(translate, known.why, **fields), found.why),
        look=_advice(known.look, found, translate),
        tries=tuple(_advice(one, found, translate) for one in known.tries),
    )


def _advice(one: Try, found: Finding, translate: Translate) -> Advice:
    words = tuple(said for word in one.words for said in _spliced(word, found))
    return Advice(say(translate, one.text, **_told(found, translate)), words, one.path.format(**found.fields))


def _spliced(word: str, found: Finding) -> list[str]:
    """The words of a command that one of its templates stands for; none where there is nothing to say."""
    said = word.format(**found.fields)
    return shlex.split(said) if word == SPLICED else [said] if said else []


def _told(found: Finding, translate: Translate) -> dict[str, str]:
    """The fields as sentences tell them: the kinds of probes have words in every language."""
    probe = found.fields.get("probe")
    return {**found.fields, **({"probe": translate(probe)} if probe else {})}
