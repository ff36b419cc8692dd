"""/healthz, /livez and /readyz in the manner of Kubernetes: "ok", or every check with its outcome.

`dispatch` answers them without a token. Live means that the process answers; ready means that it can serve objects.
Source of the texts: apiserver/pkg/server/healthz/healthz.go.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError

from podlab.apiserver import responses
from podlab.apiserver.responses import ApiResponse
from podlab.storage import clusters, log

logger = logging.getLogger(__name__)

MAIN = "main"


def _ping() -> str:
    return ""


def _database() -> str:
    try:
        log.head()
    except DatabaseError as error:
        return f"the database does not answer, or its tables are missing: {error}"
    return ""


def _cluster() -> str:
    try:
        found = clusters.find(MAIN)
    except DatabaseError:
        return "not looked for: the database does not answer"
    return "" if found else f'there is no cluster "{MAIN}" yet'


_CHECKS: dict[str, dict[str, Callable[[], str]]] = {
    "healthz": {"ping": _ping, "database": _database},
    "livez": {"ping": _ping},
    "readyz": {"ping": _ping, "database": _database, "cluster": _cluster},
}
NAMES = frozenset(_CHECKS)
_AS_IN_KUBERNETES = {"etcd": "database", "log": "ping"}  # what monitors ask for by name


def one(name: str, check: str) -> ApiResponse | None:
    """One check alone (`/livez/ping`); None for one that is not there."""
    run = _CHECKS[name].get(_AS_IN_KUBERNETES.get(check, check))
    if run is None:
        return None
    problem = run()
    if problem:
        return responses.text(f"internal server error: {problem}\n", code=500)
    return responses.text("ok")


def answer(name: str, *, verbose: bool) -> ApiResponse:
    problems = {check: run() for check, run in _CHECKS[name].items()}
    lines = [f"[-]{check} failed: {text}" if text else f"[+]{check} ok" for check, text in problems.items()]
    if any(problems.values()):
        logger.warning("%s: %s", name, "; ".join(line for line in lines if line.startswith("[-]")))
        return responses.text("\n".join([*lines, f"{name} check failed\n"]), code=500)
    return responses.text("\n".join([*lines, f"{name} check passed\n"]) if verbose else "ok")
