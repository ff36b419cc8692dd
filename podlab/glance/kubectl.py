"""The kubectl line that does the same as what a page does. Pure.

Names come from the registry, which allows nothing in them that a shell would read; they are quoted all the same.
"""

from __future__ import annotations

import shlex


def line(*words: str, cluster: str, namespace: str = "") -> str:
    """What follows `--` is not kubectl's, so the words that say where stand before it."""
    end = words.index("--") if "--" in words else len(words)
    return shlex.join(["kubectl", *words[:end], *where(cluster=cluster, namespace=namespace), *words[end:]])


def where(*, cluster: str, namespace: str = "") -> list[str]:
    """For another cluster than main its own context is named."""
    place = ["-n", namespace] if namespace else []
    return [*place, *([] if cluster == "main" else ["--context", f"podlab-{cluster}"])]


def delete_pod(name: str, *, cluster: str, namespace: str, grace: int | None, force: bool) -> str:
    options = [] if grace is None else [f"--grace-period={grace}"]
    return line("delete", "pod", name, *options, *(["--force"] if force else []), cluster=cluster, namespace=namespace)
