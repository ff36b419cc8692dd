"""securityContext.windowsOptions (validateWindowsSecurityContextOptions in core validation)."""

from __future__ import annotations

import re

from podlab.apis import names
from podlab.apis.field_errors import invalid
from podlab.apis.types import Manifest
from podlab.apis.validation.rules import Errors, by_rule

_SPEC_KIB = 64
_DOMAIN_MAX, _USER_MAX = 256, 104
_NETBIOS = re.compile(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_DNS_DOMAIN = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?")
_BAD_USER = re.compile(r'["/\\:;|=,+*?<>@\[\]]')


def validate(path: str, options: Manifest | None) -> Errors:
    if options is None:
        return
    name, spec, user = (options.get(key) for key in ("gmsaCredentialSpecName", "gmsaCredentialSpec", "runAsUserName"))
    if name is not None:
        yield from by_rule(f"{path}.gmsaCredentialSpecName", name, names.dns_subdomain)
    if spec == "":
        yield invalid(f"{path}.gmsaCredentialSpec", spec, "gmsaCredentialSpec cannot be an empty string")
    elif spec is not None and len(spec.encode()) > _SPEC_KIB * 1024:
        yield invalid(f"{path}.gmsaCredentialSpec", spec, f"gmsaCredentialSpec size must be under {_SPEC_KIB} KiB")
    if user is not None:
        yield from by_rule(f"{path}.runAsUserName", user, _user_name)


def _user_name(text: str) -> list[str]:
    """[domain\\]user"""
    if not text:
        return ["runAsUserName cannot be an empty string"]
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        return ["runAsUserName cannot contain control characters"]
    if text.count("\\") > 1:
        return ["runAsUserName cannot contain more than one backslash"]
    domain, backslash, user = text.rpartition("\\")
    return [*_domain(domain, given=bool(backslash)), *_user(user)]


def _domain(domain: str, *, given: bool) -> list[str]:
    out = []
    if len(domain.encode()) >= _DOMAIN_MAX:
        out.append(f"runAsUserName's Domain length must be under {_DOMAIN_MAX} characters")
    if given and not (_NETBIOS.fullmatch(domain) or _DNS_DOMAIN.search(domain)):
        out.append("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    return out


def _user(user: str) -> list[str]:
    out = []
    if not user:
        out.append("runAsUserName's User cannot be empty")
    elif len(user.encode()) > _USER_MAX:
        out.append(f"runAsUserName's User length must not be longer than {_USER_MAX} characters")
    if user and not user.strip(". "):
        out.append("runAsUserName's User cannot contain only periods or spaces")
    if _BAD_USER.search(user):
        out.append("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]")
    return out
