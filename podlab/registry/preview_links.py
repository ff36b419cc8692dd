"""Links to a port of a pod that carry their own right: for previews in a browser, where a cookie must not go.

A page of a pod is somebody else's program. It is shown without the lab's cookies, so the link itself says, signed and for
a limited time, who may see which port of which pod. `web` makes links, `apiserver.people` honours them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core import signing

from podlab.registry import identity
from podlab.registry.identity import Identity

LASTS = timedelta(hours=1)
_SALT = "podlab.preview"


@dataclass(frozen=True, slots=True)
class PreviewLink:
    user: int  # primary key
    cluster: str
    namespace: str
    pod: str
    uid: str
    port: int


def sign(link: PreviewLink) -> str:
    """A text for a URL path."""
    return signing.dumps(asdict(link), salt=_SALT, compress=True)


def read(token: str) -> PreviewLink | None:
    """None for what is forged, damaged or too old."""
    try:
        told = signing.loads(token, salt=_SALT, max_age=LASTS)
        return PreviewLink(**told)
    except (signing.BadSignature, TypeError):
        return None


def who(link: PreviewLink) -> Identity | None:
    """Whoever the link was made for, with the rights of today; None if there is no such person any more."""
    user = get_user_model().objects.filter(pk=link.user, is_active=True).first()
    return None if user is None else identity.of_user(user)
