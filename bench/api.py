"""The Kubernetes API over TLS on a lab with SQLite: writes, reads at three sizes, and one change that many watch."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bench.figures import Figure, cpu_seconds, fine_milliseconds, resident_megabytes
from bench.wire import PODS, TABLE, Watchers, Wire, encoded, pod, together, wire_to
from tests.whole_lab import Lab

THREADS = 8
SIZES = (100, 1_000, 10_000)
LISTS = {100: 30, 1_000: 15, 10_000: 5}
SINGLES = 100
WATCHERS = 200
CHANGES = 20
CYCLES = 20
MERGE = "application/merge-patch+json"


def measure(folder: Path) -> list[Figure]:
    lab = Lab(folder / "data", "sim")
    lab.start()
    try:
        figures: list[Figure] = []
        _fill(lab, "warm", 0, 200)
        figures += _watched(lab)
        for size in SIZES:
            figures += _at(lab, size)
        figures += _memory(lab)
    finally:
        lab.stop()
    return figures


def _at(lab: Lab, size: int) -> list[Figure]:
    """One namespace that grows: creates on the way to `size`, then everything that is read there."""
    name = "bench"
    had = {100: 0, 1_000: 100, 10_000: 1_000}[size]
    web = lab.pid("web")
    before = cpu_seconds(web)
    seconds, each = _fill(lab, name, had, size)
    cpu = (cpu_seconds(web) - before) / (size - had)
    count = f"{size:,} pods"
    figures = [
        Figure(
            f"create pods, {THREADS} threads, up to {count}",
            f"{(size - had) / seconds:.0f}/s, {fine_milliseconds(each)}; {cpu * 1000:.1f} ms CPU of web each",
            "≥ 250/s",
        )
    ]
    with wire_to(lab) as wire:
        path = PODS.format(name)
        figures += [
            _list(lab, f"list of {count}", size, "≤ 80 ms" if size == 1_000 else "", lambda: wire.call("GET", path)),
            _list(
                lab,
                f"list of {count} as Table",
                size,
                "≤ 100 ms" if size == 1_000 else "",
                lambda: wire.call("GET", path, Accept=TABLE),
            ),
            _list(lab, f"page of 100 of {count}", size, "", lambda: wire.call("GET", f"{path}?limit=100")),
        ]
        figures += _singles(wire, path, size, count)
    return figures


def _list(lab: Lab, name: str, size: int, aim: str, ask: Callable[[], tuple[float, bytes]]) -> Figure:
    web = lab.pid("web")
    _, answer = ask()
    items = json.loads(answer)
    shown = len(items.get("items") or items.get("rows") or [])
    before = cpu_seconds(web)
    each = [ask()[0] for _ in range(LISTS[size])]
    cpu = (cpu_seconds(web) - before) / LISTS[size]
    best = min(each)
    value = f"{fine_milliseconds(each)}, least {best * 1000:.1f} ms; {best / shown * 1e6:.0f} µs an object"
    return Figure(name, f"{value}; {cpu * 1000:.0f} ms CPU", aim)


def _singles(wire: Wire, path: str, size: int, count: str) -> list[Figure]:
    step = size // SINGLES
    names = [f"{path}/p-{number * step}" for number in range(SINGLES)]
    got = [wire.call("GET", one)[0] for one in names]
    patch = [encoded({"metadata": {"labels": {"turn": str(number)}}}) for number in range(SINGLES)]
    patched = [wire.call("PATCH", one, body, Content_Type=MERGE)[0] for one, body in zip(names, patch, strict=True)]
    return [
        Figure(f"get one of {count}", fine_milliseconds(got), "≤ 5 ms"),
        Figure(f"patch one of {count}", fine_milliseconds(patched), "≤ 12 ms"),
    ]


def _fill(lab: Lab, namespace: str, had: int, size: int) -> tuple[float, list[float]]:
    if had == 0:
        with wire_to(lab) as wire:
            made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            wire.call("POST", "/api/v1/namespaces", encoded(made))
        _await_account(lab, namespace)
    path = PODS.format(namespace)

    def work(wire: Wire, thread: int) -> list[float]:
        numbers = range(had + thread, size, THREADS)
        return [wire.call("POST", path, encoded(pod(f"p-{number}")))[0] for number in numbers]

    return together(lab, THREADS, work)


def _await_account(lab: Lab, namespace: str) -> None:
    """Pods are refused until the namespace has its service account."""
    deadline = time.monotonic() + 30
    while lab.api("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default")[0] != 200:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{namespace} got no service account")
        time.sleep(0.05)


def _watched(lab: Lab) -> list[Figure]:
    """From the moment a write begins until its change is with each watcher."""
    figures = []
    for form, accept in (("JSON", "application/json"), ("Table", TABLE)):
        watchers = Watchers(lab, f"{PODS.format('warm')}?watch=true&resourceVersion=0", WATCHERS, accept)
        watchers.arrivals(b'"p-199"')
        time.sleep(1)
        web, delays, whole = lab.pid("web"), [], []
        before = cpu_seconds(web)
        with wire_to(lab) as wire:
            for number in range(CHANGES):
                mark = f"{form}-{number}"
                body = encoded({"metadata": {"labels": {"turn": mark}}})
                begin = time.perf_counter()
                wire.call("PATCH", f"{PODS.format('warm')}/p-{number}", body, Content_Type=MERGE)
                arrived = watchers.arrivals(mark.encode())
                delays += [at - begin for at in arrived]
                whole.append(arrived[-1] - begin)
                time.sleep(0.2)
        cpu = (cpu_seconds(web) - before) / CHANGES
        watchers.close()
        value = f"{fine_milliseconds(delays)}, the last one after {statistics.median(whole) * 1000:.0f} ms"
        figures.append(
            Figure(
                f"patch → {WATCHERS} watchers ({form})",
                f"{value}; {cpu * 1000:.0f} ms CPU of web a change",
                "p95 < 50 ms",
            )
        )
    return figures


def _memory(lab: Lab) -> list[Figure]:
    """With the largest namespace: what web and control hold, before and after lists and watches that come and go."""
    path = PODS.format("bench")
    with wire_to(lab) as wire:
        wire.call("GET", path)
        at: list[float] = []
        control = resident_megabytes(lab.pid("control"))
        for _ in range(CYCLES):
            wire.call("GET", path)
            watchers = Watchers(lab, f"{path}?watch=true&resourceVersion=0", 1)
            watchers.arrivals(b'"p-9999"')
            watchers.close()
            at.append(resident_megabytes(lab.pid("web")))
    half = CYCLES // 2
    grown = statistics.median(at[half:]) - statistics.median(at[:half])
    return [
        Figure(
            "memory of web with 10,000 pods (PSS)", f"{at[0]:.0f} MB, after {CYCLES} lists and watches {at[-1]:.0f} MB"
        ),
        Figure("growth of web from the first to the second half of these", f"{grown:+.1f} MB", "none"),
        Figure("memory of control with 10,000 pods (PSS)", f"{control:.0f} MB"),
    ]
