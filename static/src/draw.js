// Paints the marks on a canvas. Knows colours and shapes, no data and no events; `timeline` calls it once a frame.

import { bars, capHalf, leads, remaining } from "./layout.js";
import { band, edge, gap, grid } from "./draw_frame.js";
import { events, logs } from "./draw_points.js";
import { links, probes } from "./draw_probes.js";
import { box, dashed, frame, hatched, rule, solid, text, widthOf } from "./draw_shapes.js";
import { toX } from "./scale.js";
import { left } from "./times.js";

const NAMES = [
  "ground", "panel", "well", "line", "ink", "muted", "running", "done", "waiting", "failed", "terminating", "unknown",
  "on-running", "waiting-fill", "terminating-fill", "select", "event-source", "log",
];

// The colours of the present theme, read from the custom properties.
export function palette(element) {
  const style = getComputedStyle(element);
  const colours = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  colours.words = style.getPropertyValue("--words").trim();
  colours.mono = style.getPropertyValue("--mono").trim();
  return colours;
}

// `view.lanes` are those in sight; `top` is how far they are scrolled, `height` what is to be seen of them.
export function paint(ctx, view) {
  const { s, top, height, now, colours } = view;
  ctx.clearRect(0, 0, s.width, height);
  grid(ctx, view);
  ctx.save();
  ctx.translate(0, -top);
  for (const lane of view.lanes) {
    view.strength = ctx.globalAlpha = lane.dim ? 0.45 : 1;
    if (lane.kind === "set") continue;
    if (lane.kind === "group") group(ctx, lane, view);
    else if (lane.kind === "pod") row(ctx, lane, view);
    else one(ctx, lane, view);
  }
  for (const lane of view.lanes) if (lane.kind === "probe" || lane.kind === "endpoint") links(ctx, lane, view);
  view.strength = ctx.globalAlpha = 1;
  ctx.restore();
  for (const fold of s.folds) gap(ctx, fold, view);
  if (view.range) band(ctx, view);
  if (view.hover !== null) rule(ctx, toX(s, view.hover), height, colours.muted, [2, 3]);
  if (now !== null) edge(ctx, view);
}

function one(ctx, lane, view) {
  const marks = view.marksOf(lane.id);
  if (lane.kind === "condition" || lane.kind === "endpoint") track(ctx, lane, view);
  if (lane.kind === "probe") probes(ctx, lane, marks, view);
  else if (lane.kind === "events") events(ctx, lane, marks, view);
  else if (lane.kind === "log") logs(ctx, lane, view);
  else spans(ctx, lane, marks, view);
}

function spans(ctx, lane, marks, view) {
  const found = leads(bars(marks, view.s, view.edge));
  for (const bar of found) span(ctx, lane, bar, view);
  // The ends lie over the bars that follow them.
  if (lane.height < 12) return;
  for (const bar of found) if (bar.mark.kind === "span" && bar.mark.state === "ended" && bar.count === 1) cap(ctx, lane, bar.x1, bar.mark, view);
}

// The heading of those that belong to one owner.
function group(ctx, lane, { s, colours }) {
  ctx.fillStyle = colours.well;
  ctx.fillRect(0, lane.y, s.width, lane.height);
}

// In a pod's row only the probes that failed are to be seen, as short strokes over the foot.
function failures(ctx, lane, view) {
  ctx.fillStyle = view.colours.failed;
  for (const id of lane.probes) {
    let last = -Infinity;
    for (const mark of view.marksOf(id)) {
      if (mark.outcome !== "failure") continue;
      const x = toX(view.s, mark.t0);
      if (x - last < 2) continue;
      ctx.fillRect(x - 0.75, lane.y + lane.height - 8, 1.5, 4);
      last = x;
    }
  }
}

// A pod in one row: its containers above each other, how it is ready at the foot.
function row(ctx, lane, view) {
  const { s, colours } = view;
  for (const part of lane.rows) {
    if (part.kind === "pending") {
      pending(ctx, lane, part, view);
      continue;
    }
    if (part.kind === "bars") {
      spans(ctx, part, view.marksOf(part.id), view);
      continue;
    }
    ctx.fillStyle = colours.line;
    ctx.fillRect(0, part.y, s.width, part.height);
    for (const bar of bars(view.marksOf(part.id), s, view.edge)) {
      if (bar.mark.state !== "True") continue;
      ctx.fillStyle = colours.running;
      ctx.fillRect(bar.x0, part.y, bar.x1 - bar.x0, part.height);
    }
  }
  failures(ctx, lane, view);
  for (const bar of bars(view.marksOf(`${lane.link}/deletion`), s, view.edge)) {
    dashed(ctx, lane, bar.x0, Math.max(bar.x1, bar.xUntil ?? 0, bar.x0 + 3), colours.terminating, view, null);
  }
}

// Until its containers are told of, a pod that waits for a node has nothing else to show.
function pending(ctx, lane, part, view) {
  const starts = lane.rows.filter((one) => one.kind === "bars").flatMap((one) => view.marksOf(one.id).slice(0, 1)).map((mark) => mark.t0);
  const until = Math.min(...starts);
  for (const bar of bars(view.marksOf(part.id).filter((mark) => mark.reason === "Pending" && mark.t0 < until), view.s, view.edge)) {
    phase(ctx, part, { ...bar, x1: Math.min(bar.x1, toX(view.s, until)) }, view);
  }
}

function track(ctx, lane, { s, colours }) {
  ctx.fillStyle = colours.line;
  ctx.fillRect(0, lane.y + lane.height / 2 - 2, s.width, 4);
}

function span(ctx, lane, bar, view) {
  const { mark, x0, x1 } = bar;
  if (mark.kind === "condition" || mark.kind === "endpoint") return condition(ctx, lane, bar, view);
  if (mark.kind === "deletion") return countdown(ctx, lane, bar, view, view.colours.terminating);
  if (mark.kind === "phase") return phase(ctx, lane, bar, view);
  if (mark.kind === "grace") return grace(ctx, lane, bar, view);
  if (mark.kind === "pull") return pull(ctx, lane, bar, view);
  if (mark.state === "waiting" && bar.xUntil !== null) countdown(ctx, lane, bar, view, view.colours.waiting);
  else if (mark.state === "waiting") dashed(ctx, lane, x0, x1, view.colours.waiting, view);
  else if (mark.state === "unknown" || mark.outcome === "unknown") hatched(ctx, lane, x0, x1, view.colours);
  else solid(ctx, lane, x0, x1, bar.count > 1 && mark.outcome === "failed" ? view.colours.failed : view.colours.running);
  if (lane.height >= 12) words(ctx, lane, bar, view, mark.state === "waiting" ? view.colours.waiting : view.colours["on-running"]);
  if (view.selected === mark.id) frame(ctx, lane, x0, bar.xUntil ?? x1, view.colours);
}

const PHASE = { Pending: "waiting", Running: "running", Succeeded: "done", Failed: "failed", Unknown: "unknown" };

function phase(ctx, lane, bar, view) {
  const colour = view.colours[PHASE[bar.mark.reason] ?? "unknown"];
  if (bar.mark.reason === "Pending") dashed(ctx, lane, bar.x0, bar.x1, colour, view);
  else if (bar.mark.reason === "Unknown") hatched(ctx, lane, bar.x0, bar.x1, view.colours);
  else solid(ctx, lane, bar.x0, bar.x1, colour);
  words(ctx, lane, bar, view, bar.mark.reason === "Pending" ? colour : view.colours["on-running"]);
  if (view.selected === bar.mark.id) frame(ctx, lane, bar.x0, bar.x1, view.colours);
}

function condition(ctx, lane, { mark, x0, x1 }, view) {
  const y = lane.y + lane.height / 2 - 2.5;
  if (mark.state === "True") {
    ctx.fillStyle = view.colours.running;
    ctx.fillRect(x0, y, x1 - x0, 5);
  } else if (mark.state === "Unknown") {
    hatched(ctx, { y, height: 5 }, x0, x1, view.colours);
  }
  if (view.selected === mark.id) frame(ctx, { y: y - 1, height: 7 }, x0, x1, view.colours);
}

// A bar that empties: the whole wait as an outline, what is left of it filled from the live edge on.
function countdown(ctx, lane, bar, view, colour) {
  const { x0, x1, xUntil, mark } = bar;
  const end = xUntil ?? x1;
  dashed(ctx, lane, x0, Math.max(end, x0 + 2), colour, view, mark.kind === "deletion" ? "terminating-fill" : "waiting-fill");
  const rest = mark.t1 === null ? remaining(mark, view.now) : 0;
  const width = (end - x0) * rest;
  if (width > 1) {
    ctx.globalAlpha = 0.34 * view.strength;
    box(ctx, end - width, lane.y + 1, width, lane.height - 2);
    ctx.fillStyle = colour;
    ctx.fill();
    ctx.globalAlpha = view.strength;
  }
  const leftText = rest > 0 ? ` · ${left(mark.tUntil - view.now)} ${view.leftWord}` : "";
  const label = mark.text + leftText;
  if (lane.height >= 12) text(ctx, label, lane, x0, Math.max(end, x0), view, colour, mark.t1 === null, bar.lead);
  if (mark.kind === "deletion" && view.selected === mark.id) frame(ctx, lane, x0, end, view.colours);
}

function words(ctx, lane, bar, view, colour) {
  if (bar.mark.state === "waiting" && bar.xUntil !== null) return;
  const inset = bar.mark.state === "ended" ? capHalf(bar.mark) + 2 : 0;
  text(ctx, bar.mark.text, lane, bar.x0, bar.x1 - inset, view, colour, false, bar.lead);
}

// The end of a run: its exit code in a ring. Zero is a tick, so that the shape says it too.
function cap(ctx, lane, x, mark, view) {
  const y = lane.y + lane.height / 2;
  const ok = mark.exit_code === 0;
  const colour = mark.outcome === "unknown" ? view.colours.unknown : ok ? view.colours.done : view.colours.failed;
  const label = ok ? "✓" : mark.exit_code === null ? "?" : String(mark.exit_code);
  ctx.font = `700 10px ${view.colours.words}`;
  const half = capHalf(mark);
  box(ctx, x - half, y - 7.5, half * 2, 15, 7.5);
  ctx.fillStyle = view.colours.panel;
  ctx.fill();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5;
  ctx.stroke();
  ctx.lineWidth = 1;
  ctx.fillStyle = colour;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(label, x, y + 0.5);
  ctx.textAlign = "left";
  if (mark.reason === "OOMKilled") {
    ctx.fillText("OOM", x + half + 3, y + 0.5);
  }
}


// From Killing to the end: the preStop hook first, then TERM, along the foot of the bar of the container that has to end;
// what is left until KILL runs on as an outline.
function grace(ctx, lane, bar, view) {
  const { x0, x1, xUntil, mark } = bar;
  const foot = { y: lane.y + lane.height - 6, height: 7 };
  const { colours } = view;
  const end = xUntil ?? x1;
  if (xUntil !== null) {
    dashed(ctx, lane, Math.min(x1, end), Math.max(end, x1 + 2), colours.terminating, view, "terminating-fill");
    const label = `${mark.text} · ${left(mark.tUntil - view.now)} ${view.leftWord}`;
    text(ctx, label, lane, x1, Math.max(end, x1), view, colours.terminating, true);
  }
  const term = mark.term ? Math.min(Math.max(toX(view.s, Date.parse(mark.term)), x0), x1) : x0;
  if (term > x0) {
    hatched(ctx, foot, x0, term, { unknown: colours.terminating });
    ctx.font = `600 9px ${colours.words}`;
    if (term - x0 > widthOf(ctx, "preStop") + 4) {
      ctx.fillStyle = colours.terminating;
      ctx.textBaseline = "bottom";
      ctx.fillText("preStop", x0 + 3, foot.y - 1);
    }
  }
  if (x1 > term) solid(ctx, foot, term, x1, colours.terminating);
  if (view.selected === mark.id) frame(ctx, lane, x0, end, colours);
}

// The image on its way: as full as it has come; striped while nobody says how far.
function pull(ctx, lane, bar, view) {
  const { x0, x1, mark } = bar;
  const { colours } = view;
  const inner = { y: lane.y + 2, height: lane.height - 4 };
  const ended = mark.t1 !== null;
  const share = ended ? 1 : mark.share;
  const colour = mark.outcome === "failed" ? colours.failed : colours.done;
  box(ctx, x0, inner.y + 1, x1 - x0, inner.height - 2);
  ctx.fillStyle = colours.panel;
  ctx.fill();
  if (share === null) hatched(ctx, inner, x0, x1, { unknown: colour });
  else {
    ctx.save();
    ctx.globalAlpha = 0.3 * view.strength;
    solid(ctx, inner, x0, x0 + (x1 - x0) * share, colour);
    ctx.restore();
  }
  box(ctx, x0, inner.y + 1, x1 - x0, inner.height - 2);
  ctx.strokeStyle = colour;
  ctx.stroke();
  const percent = !ended && mark.share !== null ? ` ${Math.round(mark.share * 100)} %` : "";
  if (lane.height >= 12) text(ctx, `↓ ${mark.text}${percent}`, lane, x0, x1, view, colours.ink, !ended);
  if (view.selected === mark.id) frame(ctx, lane, x0, x1, colours);
}
