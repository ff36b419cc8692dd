"""The timeline and the list in Chromium: frame times of a big namespace, weight of the first view, and how long it takes from
Docker's own event until a mark is painted, with one viewer and with thirty. Drawn by software, without a GPU."""

from __future__ import annotations

import json
import statistics
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from bench.docker_pods import _died_at, _manifest
from bench.figures import Figure, milliseconds, percentile
from bench.in_lab import run
from podlab.ops.docker_probe import docker_answers
from tests.whole_lab import Lab

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PODS = 1000
PROBES = 96  # results a pod: about 100,000 marks with the others
ROWS = 5000
VIEWERS = 30
DEATHS = 8
FRAMES = 120

# What the page does from frame to frame; the times between frames, and what painting itself took, come back in ms.
_FRAMES = """async ([what, count]) => {
  const { timeline } = podlab;
  const paint = timeline.frame.bind(timeline);
  const painted = [];
  timeline.frame = () => { const begin = performance.now(); paint(); painted.push(performance.now() - begin); };
  const moves = {
    pan: (i) => timeline.panBy(i % 80 < 40 ? 14 : -14),
    zoom: (i) => timeline.zoomBy(i % 80 < 40 ? 0.95 : 1 / 0.95, 400),
    scroll: (i) => timeline.scrollBy(i % 300 < 150 ? 60 : -60),
  };
  const between = [];
  let last = null;
  for (let i = 0; i < count; i += 1) {
    const at = await new Promise(requestAnimationFrame);
    if (last !== null) between.push(at - last);
    last = at;
    moves[what](i);
  }
  timeline.frame = paint;
  return { between, painted };
}"""

_SCROLL = """async (count) => {
  const between = [];
  let last = null;
  for (let i = 0; i < count; i += 1) {
    const at = await new Promise(requestAnimationFrame);
    if (last !== null) between.push(at - last);
    last = at;
    scrollBy(0, i % 200 < 100 ? 200 : -200);
  }
  return between;
}"""

# When the end of each run was on the canvas: after the frame that painted it.
_PAINTED = """() => {
  globalThis.ends = {};
  const { timeline, book } = podlab;
  const paint = timeline.frame.bind(timeline);
  timeline.frame = () => {
    paint();
    const at = performance.timeOrigin + performance.now();
    for (const mark of book.lane("container/app-0")) if (mark.exit_code === 3) globalThis.ends[mark.id] ??= at;
  };
}"""


def measure(folder: Path) -> list[Figure]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with _lab(folder / "sim", "sim") as lab, _context(browser, lab) as context:
            figures = [*_weight(lab, context), *_namespace(lab, context), *_list(lab, context)]
        if docker_answers("unix:///var/run/docker.sock"):
            with _lab(folder / "docker", "docker") as lab, _context(browser, lab) as context:
                figures += [
                    _until_painted(lab, context, 1, "< 100 ms"),
                    _until_painted(lab, context, VIEWERS, "< 250 ms"),
                ]
                lab.kubectl("delete", "pods", "--all", "--force", "--grace-period=0", check=False)
        browser.close()
    return figures


@contextmanager
def _lab(folder: Path, runtime: str) -> Iterator[Lab]:
    folder.mkdir()
    lab = Lab(folder / "data", runtime).start()
    try:
        yield lab
    finally:
        lab.stop()


@contextmanager
def _context(browser: Any, lab: Lab) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=lab.url, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(lab.login_link())
    page.close()
    yield context
    context.close()


def _namespace(lab: Lab, context: BrowserContext) -> list[Figure]:
    least = run(lab, "crowd", PODS)
    page = context.new_page()
    page.goto("/c/main/ns/crowd/timeline?wide=1")
    _eventually(page, "podlab.pods.size", PODS)
    page.evaluate("podlab.timeline.all()")  # the oldest may lie before the window that is sent first
    size = _eventually(page, "podlab.book.size", least)
    lanes = page.evaluate("podlab.timeline.layout.lanes.length")
    figures = []
    for what in ("pan", "zoom", "scroll"):
        told = page.evaluate(_FRAMES, [what, FRAMES])
        figures.append(
            Figure(
                f"{lanes} lanes, {size} marks: {what}",
                f"{_frames(told['between'])}; painting {_ms(told['painted'])}",
                "≥ 50 a second",
            )
        )
    page.close()
    return figures


def _eventually(page: Page, what: str, least: int) -> int:
    """The page's own policy allows no waiting by eval inside it, so it is asked from outside."""
    while (count := int(page.evaluate(what))) < least:
        page.wait_for_timeout(500)
    page.wait_for_timeout(2000)  # what follows the last marks: lanes are laid out, sentences come
    return count


def _frames(between: list[float]) -> str:
    """Frames a second by the median, and the times between them."""
    return f"{1000 / statistics.median(between):.0f} a second; between frames {_ms(between)}"


def _ms(values: list[float]) -> str:
    return f"p50 {statistics.median(values):.1f} ms, p95 {percentile(values, 0.95):.1f} ms"


def _list(lab: Lab, context: BrowserContext) -> list[Figure]:
    run(lab, "rows", ROWS)
    page = context.new_page()
    page.goto("/c/main/ns/rows/pods")
    page.wait_for_selector("html[data-live=yes]")
    page.wait_for_timeout(3000)
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    between = page.evaluate(_SCROLL, FRAMES)
    page.close()
    return [
        Figure(f"list of {ROWS} pods: until it is there", f"{loaded:.0f} ms"),
        Figure(f"list of {ROWS} pods: scrolling", _frames(between), "≥ 50 a second"),
    ]


def _weight(lab: Lab, context: BrowserContext) -> list[Figure]:
    """What comes over the wire for a first view, by its parts."""
    figures = []
    lab.api("POST", "/api/v1/namespaces/default/pods", _manifest("weighed", ["sleep", "3600"]))
    for name, path in (
        ("pod page", "/c/main/ns/default/pods/weighed"),
        ("timeline of a namespace", "/c/main/ns/default/timeline"),
        ("pod list", "/c/main/ns/default/pods"),
    ):
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        sizes: list[float] = []
        session.on("Network.loadingFinished", lambda told, sizes=sizes: sizes.append(told["encodedDataLength"]))
        page.goto(path, wait_until="networkidle")
        figures.append(
            Figure(f"first view of the {name}", f"{sum(sizes) / 1000:.0f} kB in {len(sizes)} requests", "< 150 kB")
        )
        page.close()
    return figures


def _until_painted(lab: Lab, context: BrowserContext, viewers: int, aim: str) -> Figure:
    """All look at the same pod: one in Chromium, where it is measured, the others by websocket like browsers."""
    delays = []
    with ExitStack() as stack:
        others = [_viewer(stack, lab, context) for _ in range(viewers - 1)]
        for number in range(DEATHS):
            name = f"painted-{viewers}-{number}"
            lab.api("POST", "/api/v1/namespaces/default/pods", _manifest(name, ["sh", "-c", "sleep 5; exit 3"]))
            for socket in others:
                socket.send(json.dumps({"type": "open-pod", "sub": "p", "namespace": "default", "name": name}))
            delays.append(_painted(context, name) - _died_at(lab, name))
            lab.api("DELETE", f"/api/v1/namespaces/default/pods/{name}?gracePeriodSeconds=0")
    who = "1 viewer" if viewers == 1 else f"{viewers} viewers"
    return Figure(f"Docker die event → mark painted in Chromium, {who}", milliseconds(delays), f"p95 {aim}")


def _painted(context: BrowserContext, name: str) -> float:
    """When the end of the pod's container was painted, in seconds since 1970."""
    page = context.new_page()
    page.goto(f"/c/main/ns/default/pods/{name}")
    page.evaluate(_PAINTED)
    while not (ends := page.evaluate("Object.values(globalThis.ends)")):
        page.wait_for_timeout(200)
    page.close()
    return float(ends[0]) / 1000


def _viewer(stack: ExitStack, lab: Lab, context: BrowserContext) -> ClientConnection:
    """A socket of the same person that reads what comes until the stack closes it."""
    header = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in context.cookies())
    socket = stack.enter_context(
        connect(
            f"ws://127.0.0.1:{lab.port}/ws/c/main/",
            additional_headers={"Cookie": header},
            origin=f"http://127.0.0.1:{lab.port}",  # type: ignore[arg-type]
        )
    )

    def read() -> None:
        try:
            for _ in socket:
                pass
        except ConnectionClosed:
            return

    threading.Thread(target=read, daemon=True).start()
    return socket
