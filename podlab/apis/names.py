"""The rules for names, labels and keys, and names from generateName.

Each rule returns what is wrong in Kubernetes' words, an empty list when nothing is; validation/ turns the texts into
field errors. Source: apimachinery/pkg/util/validation/validation.go, apiserver/pkg/storage/names/generate.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_HTTP_PATH = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"
_RELAXED_LABEL = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_RELAXED_SUBDOMAIN = rf"{_RELAXED_LABEL}(\.{_RELAXED_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_PORT_CHARS = re.compile("[-a-z0-9]+")
_HTTP_HEADER = "[-A-Za-z0-9]+"

LABEL_MAX = 63
SUBDOMAIN_MAX = 253
GENERATE_BASE_MAX = 58
GENERATE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
EMPTY = "must be non-empty"


def _examples(message: str, pattern: str, *examples: str) -> str:
    quoted = " or ".join(f"'{item}', " for item in examples)
    return f"{message} (e.g. {quoted}regex used for validation is '{pattern}')"


def max_length(limit: int) -> str:
    return f"must be no more than {limit} characters"


def max_bytes(limit: int) -> str:
    return f"must be no more than {limit} bytes"


def between(low: int, high: int) -> str:
    return f"must be between {low} and {high}, inclusive"


LABEL_TEXT = _examples(
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character",
    _LABEL,
    "my-name",
    "123-abc",
)
SUBDOMAIN_TEXT = _examples(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character",
    _SUBDOMAIN,
    "example.com",
)
_RELAXED_SUBDOMAIN_TEXT = _examples(
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start "
    "and end with an alphanumeric character",
    _RELAXED_SUBDOMAIN,
    "example.com",
)
_LABEL_1035_TEXT = _examples(
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character",
    _LABEL_1035,
    "my-name",
    "abc-123",
)
_QUALIFIED_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_QUALIFIED_TEXT = _examples(_QUALIFIED_RULE, _QUALIFIED, "MyName", "my.name", "123-abc")
_LABEL_VALUE_TEXT = _examples(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character",
    _LABEL_VALUE,
    "MyValue",
    "my_value",
    "12345",
)
_CONFIG_KEY_TEXT = _examples(
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    _CONFIG_KEY,
    "key.name",
    "KEY_NAME",
    "key-name",
)
_ENV_NAME_TEXT = "a valid environment variable name must consist only of printable ASCII characters other than '='"
_WILDCARD_TEXT = _examples(
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower "
    "case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    _WILDCARD,
    "*.example.com",
)
_HTTP_HEADER_TEXT = _examples(
    "a valid HTTP header must consist of alphanumeric characters or '-'", _HTTP_HEADER, "X-Header-Name"
)


def _full(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None


def dns_label(text: str) -> list[str]:
    out = [max_length(LABEL_MAX)] if len(text) > LABEL_MAX else []
    if _full(_LABEL, text):
        return out
    return [*out, "must not contain dots" if _full(_SUBDOMAIN, text) else LABEL_TEXT]


def dns_subdomain(text: str) -> list[str]:
    out = [max_length(SUBDOMAIN_MAX)] if len(text) > SUBDOMAIN_MAX else []
    return out if _full(_SUBDOMAIN, text) else [*out, SUBDOMAIN_TEXT]


def wildcard_subdomain(text: str) -> list[str]:
    """A subdomain behind "*."."""
    out = [max_length(SUBDOMAIN_MAX)] if len(text) > SUBDOMAIN_MAX else []
    return out if _full(_WILDCARD, text) else [*out, _WILDCARD_TEXT]


def http_path(text: str) -> list[str]:
    return [] if _full(_HTTP_PATH, text) else [f"Invalid path (regex used for validation is '{_HTTP_PATH}')"]


def relaxed_subdomain(text: str) -> list[str]:
    """A subdomain whose labels may hold underscores: a search domain of resolv.conf."""
    out = [max_length(SUBDOMAIN_MAX)] if len(text) > SUBDOMAIN_MAX else []
    return out if _full(_RELAXED_SUBDOMAIN, text) else [*out, _RELAXED_SUBDOMAIN_TEXT]


def dns_1035_label(text: str) -> list[str]:
    out = [max_length(LABEL_MAX)] if len(text) > LABEL_MAX else []
    return out if _full(_LABEL_1035, text) else [*out, _LABEL_1035_TEXT]


def qualified_name(text: str) -> list[str]:
    """A label key, a finalizer, a resource name: [prefix/]name."""
    out: list[str] = []
    parts = text.split("/")
    if len(parts) == 1:
        name = parts[0]
    elif len(parts) == 2:
        prefix, name = parts
        if not prefix:
            out.append("prefix part " + EMPTY)
        else:
            out.extend(f"prefix part {problem}" for problem in dns_subdomain(prefix))
    else:
        rule = _examples(f"a valid label key {_QUALIFIED_RULE}", _QUALIFIED, "MyName", "my.name", "123-abc")
        return [f"{rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    if not name:
        out.append("name part " + EMPTY)
    elif len(name) > LABEL_MAX:
        out.append("name part " + max_bytes(LABEL_MAX))
    if not _full(_QUALIFIED, name):
        out.append("name part " + _QUALIFIED_TEXT)
    return out


def label_value(text: str) -> list[str]:
    out = [max_bytes(LABEL_MAX)] if len(text) > LABEL_MAX else []
    return out if _full(_LABEL_VALUE, text) else [*out, _LABEL_VALUE_TEXT]


def config_map_key(text: str) -> list[str]:
    out = [max_length(SUBDOMAIN_MAX)] if len(text) > SUBDOMAIN_MAX else []
    if not _full(_CONFIG_KEY, text):
        out.append(_CONFIG_KEY_TEXT)
    return out + _parent_directory(text)


def _parent_directory(text: str) -> list[str]:
    if text == ".":
        return ["must not be '.'"]
    if text == "..":
        return ["must not be '..'"]
    return ["must not start with '..'"] if text.startswith("..") else []


def env_var_name(text: str) -> list[str]:
    """Relaxed form: general availability in 1.34 (RelaxedEnvironmentVariableValidation)."""
    if not text:
        return ["environment variable name " + EMPTY]
    printable = all(" " <= char <= "~" and char != "=" for char in text)
    return [] if printable else [_ENV_NAME_TEXT]


def http_header_name(text: str) -> list[str]:
    return [] if _full(_HTTP_HEADER, text) else [_HTTP_HEADER_TEXT]


def port_name(text: str) -> list[str]:
    out = [max_length(15)] if len(text) > 15 else []
    if not _PORT_CHARS.fullmatch(text):
        out.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        out.append("must contain at least one letter (a-z)")
    if "--" in text:
        out.append("must not contain consecutive hyphens")
    if text and (text[0] == "-" or text[-1] == "-"):
        out.append("must not begin or end with a hyphen")
    return out


def port_number(number: int) -> list[str]:
    return [] if 1 <= number <= 65535 else [between(1, 65535)]


def path_segment(text: str) -> list[str]:
    """What a name must not do to a URL (apimachinery/pkg/api/validation/path)."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in text]


def stored_segment(text: str) -> list[str]:
    """The same, for names that nothing else keeps short: no longer than the store holds, and without NUL."""
    out = [max_length(SUBDOMAIN_MAX)] if len(text) > SUBDOMAIN_MAX else []
    return [*out, *path_segment(text), *(["may not contain NUL"] if "\0" in text else [])]


def generate_name(base: str, rng: Callable[[int], int]) -> str:
    """`base` cut to 58 characters plus five from an alphabet without vowels. `rng(n)` returns 0 ≤ i < n."""
    suffix = "".join(GENERATE_ALPHABET[rng(len(GENERATE_ALPHABET))] for _ in range(5))
    return base[:GENERATE_BASE_MAX] + suffix


def mask_trailing_dash(base: str) -> str:
    """A generateName may end in a dash: the suffix follows. The character before goes with it, as in
    apimachinery/pkg/api/validation/generic.go (maskTrailingDash)."""
    return base[:-2] + "a" if len(base) > 1 and base.endswith("-") else base
