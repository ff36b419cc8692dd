"""The words that scripts write. They travel in the page as a catalogue; static/src/words.js reads it."""

from __future__ import annotations

from django.utils.translation import gettext_noop

WORDS = (
    gettext_noop("You may no longer see this."),
    gettext_noop("Connection lost. Trying again…"),
    gettext_noop("Shown as of {time}."),
    gettext_noop("Phase"),
    gettext_noop("Conditions"),
    gettext_noop("Events"),
    gettext_noop("Deletion"),
    gettext_noop("deleted"),
    gettext_noop("Logs"),
    gettext_noop("startup"),
    gettext_noop("liveness"),
    gettext_noop("readiness"),
    gettext_noop("init"),
    gettext_noop("sidecar"),
    gettext_noop("ephemeral"),
    gettext_noop("Lanes of {name}"),
    gettext_noop("{live} of {all} live"),
    gettext_noop("{from} … {to} · {events} events"),
    gettext_noop("lines"),
    gettext_noop("Image pull"),
    gettext_noop("endpoint"),
    gettext_noop("endpoint removed"),
    gettext_noop("restart {n}"),
    gettext_noop("fail {count}"),
    gettext_noop("apply"),
    gettext_noop("LIVE"),
    gettext_noop("PAUSED"),
    gettext_noop("left"),
    gettext_noop("success"),
    gettext_noop("failure"),
    gettext_noop("error"),
    gettext_noop("warning"),
    gettext_noop("all containers"),
    gettext_noop("{from} … {to} · {events} events · {lines} lines"),
    gettext_noop("No lines in the selected range."),
    gettext_noop("No lines yet."),
    gettext_noop(
        "{names}: nothing written to stdout or stderr. "
        "A program that logs to a file shows nothing here, nor in kubectl logs."
    ),
    gettext_noop("{container} wrote {count} lines"),
    gettext_noop("{container} wrote a line"),
    gettext_noop("Manifest in YAML"),
    gettext_noop("Nothing to create yet."),
    gettext_noop("The server does not answer; the text is kept here."),
    gettext_noop("{count} problems"),
    gettext_noop("Ready to create: {objects}"),
    gettext_noop("line {line}"),
    gettext_noop("Ready to apply."),
    gettext_noop("One problem"),
    gettext_noop("kept in this browser, {time}"),
)
