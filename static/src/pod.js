// The pod page: head, timeline, evidence card and logs, fed by one websocket; tabs without losing them.

import { Address } from "./address.js";
import { again } from "./again.js";
import { buttons, rangeChip } from "./bench.js";
import { Book } from "./book.js";
import { Card } from "./card.js";
import { lookForTerminal } from "./inside.js";
import { bursts, logCommand, LogPane, plain, timeOf } from "./logs.js";
import { connect } from "./socket.js";
import { Timeline } from "./timeline.js";
import { Twin } from "./twin.js";
import { Walk } from "./walk.js";
import { humanDuration } from "./times.js";
import { t } from "./words.js";
import { light } from "./yaml_lines.js";

const LONGEST_TEXT = 200; // of a line that a mark quotes
const page = document.getElementById("pod");
if (page && !page.dataset.exported) {
  start(page, connect(page.dataset.cluster));
  lookForTerminal();
  document.addEventListener("podlab:panel", lookForTerminal);
}

// `connection`: to the server, or to what an exported file recorded of it.
export function start(page, connection) {
  const place = page.dataset; // cluster, namespace, name, uid
  const book = new Book();
  const { clock } = connection;
  const yaml = JSON.parse(document.getElementById("yaml-lines").textContent);
  let pod = null;
  let seen = { revision: 0, seq: 0 };
  let anew = false; // the next marks are those of an earlier moment: what is known is forgotten
  let toList = 0;
  let begun = false;

  const timeline = new Timeline(document.getElementById("timeline"), {
    book, clock, onSelect: selected, onView: viewed, onRange: ranged,
  });
  timeline.recorded = Boolean(page.dataset.exported);
  const timeText = (time) => timeline.timeText(time);
  const card = new Card(document.getElementById("evidence"), { yaml: () => yaml, timeText, onClose: () => timeline.select(null) });
  const twin = new Twin(document.getElementById("twin"), {
    onSelect: (id) => timeline.select(id),
    timeText: (mark) => timeText(mark.t0),
  });
  const logs = new LogPane(document.getElementById("logs"), {
    onHover: (time) => {
      timeline.hover = time;
      timeline.dirty = true;
    },
    onLines: (lines) => {
      timeline.logTimes = lines.map(timeOf);
      book.put(bursts(lines).map((burst) => burstMark(burst, logCommand(place, burst, latest(burst.container)))));
      timeline.changed();
      later();
    },
  });

  const latest = (container) => Math.max(...book.lane(`container/${container}`).map((mark) => mark.attempt ?? 0));

  const address = new Address(timeline);
  timeline.onSettled = () => address.moved();
  timeline.onHover = (time) => logs.mark(time);

  function selected(mark) {
    card.show(mark, timeline.now);
    address.chose();
    later();
  }

  function viewed() {
    later();
    address.moved();
  }

  // A selected range filters the lines and the list beside the timeline.
  function ranged(range) {
    logs.setRange(range);
    linkRange(page, range);
    if (place.exported) filterEvents(page, range);
    rangeChip(page, timeline, { events: book.lane("events"), lines: logs.shown });
    viewed();
  }

  function later() {
    if (toList) return;
    toList = setTimeout(() => {
      toList = 0;
      const { from, to } = timeline.s;
      const shown = timeline.range ? book.within(...timeline.range) : timeline.mode === "still" ? book.within(from, to) : book.sorted;
      twin.update(shown, timeline.selected);
    }, 120);
  }

  timeline.onFrame = (now) => card.tick(now);

  // --- what the server tells --------------------------------------------------------------------------------------

  connection.open(
    "pod",
    () => ({
      type: "open-pod", namespace: place.namespace, name: place.name, uid: place.uid,
      ...(place.rev ? { rev: Number(place.rev), ...walk.at } : { since: seen.revision, probes: seen.seq }),
    }),
    {
      pod: (message) => hear(message.pod),
      marks: hearMarks,
      past: ({ rev, at }) => {
        timeline.past = { rev, at: walk.moment ?? Date.parse(at) };
        for (const name of opened) openLog(name);
      },
      times: ({ points }) => timeline.walls.put(points),
      refused: ({ message }) => {
        say(message);
        if (!begun) timeline.arrived(message);
      },
      ended: () => (seen = { revision: 0, seq: 0 }),
    },
  );

  function hear(news) {
    pod = news;
    timeline.setPod(pod);
    writeHead(page, pod);
    document.body.dispatchEvent(new Event("podlab:pod"));
    logs.setContainers(pod.containers.map((container) => container.name));
    for (const { name } of pod.containers) if (!opened.has(name)) openLog(name);
  }

  function forget() {
    anew = false;
    book.clear();
    logs.clear();
    for (const name of opened) openLog(name);
  }

  function hearMarks({ marks, revision, seq }) {
    const crossings = marks.filter((mark) => !book.get(mark.id) && worthSaying(mark));
    const before = seen.revision;
    seen = { revision, seq };
    if (anew) forget();
    if (marks.some((mark) => mark.kind !== "probe" || mark.caused)) document.body.dispatchEvent(new Event("podlab:pod"));
    book.put(marks);
    walk.answered();
    timeline.changed();
    later();
    if (!begun) {
      begun = true;
      timeline.arrived();
      if (timeline.past) walk.begun();
      address.read();
    }
    if (timeline.selected) card.show(book.get(timeline.selected), timeline.now);
    if (before) for (const mark of crossings.slice(-2)) say(mark.sentence);
  }

  // Of a replay only what had been written by then.
  const known = (line) => !timeline.past || timeOf(line) <= timeline.past.at;
  const opened = new Set();
  function openLog(container) {
    opened.add(container);
    const until = () => (timeline.past && !place.exported ? { until: new Date(timeline.past.at).toISOString() } : {});
    const request = () => ({
      type: "open-log", namespace: place.namespace, name: place.name, uid: place.uid, container, ...logs.request(container), ...until(),
    });
    connection.open(`log:${container.slice(0, 28)}`, request, { log: (message) => logs.add(message.lines.filter(known)) });
  }

  const least = () => Math.max(500, opened.size * 150);
  const walk = new Walk(timeline, { open: () => connection.reopen("pod"), back: () => (anew = true), least });
  document.addEventListener("podlab:moment", ({ detail }) => {
    place.rev = detail.rev;
    linkRange(page, timeline.range);
    walk.to(detail);
    if (pod) writeAges(page, pod, detail.at);
  });

  connection.onClock((clock) => {
    timeline.dirty = true;
    page.dataset.paused = String(clock.paused);
  });
  setInterval(() => pod && writeAges(page, pod, timeline.now ?? clock.now()), 1000);

  // --- buttons ----------------------------------------------------------------------------------------------------

  buttons(page, timeline, twin, address);
  // Evidence that is a mark is shown where it stands on the timeline; without one the link leads to its tab.
  page.addEventListener("click", (event) => {
    const id = event.target.closest("a[data-select]")?.dataset.select;
    if (!id || !book.get(id) || document.getElementById("panel-timeline").hidden) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    timeline.select(id);
    document.getElementById("timeline").scrollIntoView({ block: "nearest" });
  });
  card.show(null);
  if (!place.exported) tabs(page, timeline);
  connection.start();
  globalThis.podlab = { timeline, book, connection, logs }; // for the curious in the console
}

const worthSaying = (mark) => mark.kind === "phase" || mark.kind === "deletion" || mark.caused === "restart" || mark.caused === "unready";

// In a saved file, which has no server to ask: the events that were seen within the range, or before and after it.
function filterEvents(page, range) {
  for (const row of page.querySelectorAll("#events tr[data-last]")) {
    const { first, last } = row.dataset;
    row.hidden = Boolean(range) && (Date.parse(first || last) > range[1] || Date.parse(last) + 1000 <= range[0]);
  }
}

// The tabs of lines and events show the range that is selected.
function linkRange(page, range) {
  for (const link of page.querySelectorAll(".tabs a")) {
    const url = new URL(link.href);
    if (!["logs", "events"].includes(url.searchParams.get("tab"))) continue;
    if (range) url.searchParams.set("range", range.map((time) => new Date(Math.round(time)).toISOString()).join("/"));
    else url.searchParams.delete("range");
    link.href = url;
  }
}

function say(text) {
  document.getElementById("announce").textContent = text;
}

function burstMark({ container, attempt, from, to, count, text }, command) {
  const start = new Date(from).toISOString();
  return {
    id: `log:${container}:${attempt}:${from}`, kind: "log", lane: "logs-of-lines", start, end: new Date(to).toISOString(), until: null,
    state: "", reason: "Log", text: "", container, attempt, probe: "", outcome: "", exit_code: null, run: 0, threshold: 0,
    latency_ms: null, caused: "", target: "", source: "", rev: 0, seq: 0, why: "", term: null, share: null,
    sentence: t(count === 1 ? "{container} wrote a line: {text}" : "{container} wrote {count} lines, last: {text}", { container, count, text: plain(text).slice(0, LONGEST_TEXT) }),
    evidence: { path: "", event: null, command },
  };
}

function writeHead(page, pod) {
  for (const element of page.querySelectorAll("[data-fact]")) {
    const value = String(pod[element.dataset.fact] ?? "");
    if (element.textContent !== value) element.textContent = value;
  }
  const badge = page.querySelector(".badge[data-tone]");
  badge.dataset.tone = pod.tone;
  page.dataset.gone = String(pod.gone);
  page.dataset.deleting = String(pod.deleting);
  for (const button of page.querySelectorAll("[data-needs=pod]")) button.hidden = pod.gone || Boolean(page.dataset.rev); // nothing is changed in the past
}

function writeAges(page, pod, now) {
  if (now === null) return;
  const age = page.querySelector("[data-age]");
  if (age) age.textContent = humanDuration(now - Date.parse(pod.created));
  const ago = page.querySelector("[data-ago]");
  if (ago) ago.textContent = pod.restarts_at ? `(${humanDuration(now - Date.parse(pod.restarts_at))} ago)` : "";
}

// Tabs are links that work by themselves; here they change only the panel, so that the timeline lives on.
function tabs(page, timeline) {
  const place = page.dataset;
  const panel = document.getElementById("panel");
  let shown = new URLSearchParams(location.search).get("tab") || "timeline";
  const live = document.getElementById("panel-timeline");
  const show = async (url) => {
    const tab = url.searchParams.get("tab") || "timeline";
    if (tab !== "timeline") {
      const answer = await again(url, { headers: { "HX-Request": "true" } });
      if (!answer.ok) return location.assign(url);
      panel.innerHTML = await answer.text();
      panel.dispatchEvent(new Event("podlab:panel", { bubbles: true }));
    }
    shown = tab;
    live.hidden = tab !== "timeline";
    panel.hidden = tab === "timeline";
    for (const link of page.querySelectorAll(".tabs a:not([data-replay], [data-page])")) {
      const own = new URL(link.href).searchParams.get("tab") || "timeline";
      if (own === tab) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (tab === "timeline") timeline.resize();
    else if (tab === "yaml") light(panel, url.hash);
  };
  page.addEventListener("click", (event) => {
    const link = event.target.closest(".tabs a:not([data-replay], [data-page]), a.yaml-line, a.why-link, a.evidence-link");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const url = new URL(link.href);
    if (place.rev && !url.searchParams.has("rev")) url.searchParams.set("rev", place.rev);
    if (url.searchParams.get("rev") !== (place.rev ?? null)) return location.assign(url); // another moment is another page
    if (!url.searchParams.has("uid")) url.searchParams.set("uid", place.uid);
    history.pushState({ tab: true }, "", url);
    show(url);
  });
  addEventListener("popstate", () => {
    const url = new URL(location.href);
    const tab = url.searchParams.get("tab") || "timeline";
    if (tab === "timeline" && shown === "timeline") return; // the timeline reads its own part of the address
    shown = tab;
    show(url);
  });
  if (location.hash && !panel.hidden) light(panel, location.hash);
}
