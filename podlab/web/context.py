"""What every page knows: the theme, the words for the scripts."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import get_language, gettext

from podlab.web import words

THEMES = ("system", "light", "dark")  # in the order in which the button turns
THEME_COOKIE = "podlab-theme"
THEME_SECONDS = 365 * 24 * 3600


def lab(request: HttpRequest) -> dict[str, object]:
    theme = request.COOKIES.get(THEME_COOKIE, "system")
    theme = theme if theme in THEMES else "system"
    return {
        "theme": theme,
        "next_theme": THEMES[(THEMES.index(theme) + 1) % len(THEMES)],
        # English is the key of the catalogue, so an English page needs none.
        "words": {} if (get_language() or "en").startswith("en") else {text: gettext(text) for text in words.WORDS},
    }
