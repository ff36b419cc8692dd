// Paints the marks on a canvas. Knows colours and shapes, no data and no events; `timeline` calls it once a frame.

import { bars, capHalf, clusters, density, leads, remaining } from "./layout.js";
import { links, probes } from "./draw_probes.js";
import { ticks, toX } from "./scale.js";
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

export function paint(ctx, view) {
  const { s, lanes, height, now, colours } = view;
  ctx.clearRect(0, 0, s.width, height);
  grid(ctx, view);
  for (const lane of lanes) {
    const marks = view.marksOf(lane.id);
    view.strength = ctx.globalAlpha = lane.dim ? 0.45 : 1;
    if (lane.kind === "condition") track(ctx, lane, view);
    if (lane.kind === "probe") probes(ctx, lane, marks, view);
    else if (lane.kind === "events") events(ctx, lane, marks, view);
    else if (lane.kind === "log") logs(ctx, lane, view);
    else {
      const found = leads(bars(marks, s, now));
      for (const bar of found) span(ctx, lane, bar, view);
      // The ends lie over the bars that follow them.
      for (const bar of found) if (bar.mark.kind === "span" && bar.mark.state === "ended") cap(ctx, lane, bar.x1, bar.mark, view);
    }
  }
  for (const lane of lanes) if (lane.kind === "probe") links(ctx, lane, view);
  view.strength = ctx.globalAlpha = 1;
  for (const fold of s.folds) gap(ctx, fold, view);
  if (view.range) band(ctx, view);
  if (view.hover !== null) rule(ctx, toX(s, view.hover), height, colours.muted, [2, 3]);
  if (now !== null) edge(ctx, view);
}

function grid(ctx, { s, height, origin, now, colours }) {
  if (now !== null && toX(s, now) < s.width) {
    ctx.fillStyle = colours.well;
    ctx.globalAlpha = 0.35;
    const x = Math.max(toX(s, now), 0);
    ctx.fillRect(x, 0, s.width - x, height);
    ctx.globalAlpha = 1;
  }
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const time of ticks(s, origin).times) {
    const x = Math.round(toX(s, time)) + 0.5;
    ctx.moveTo(x, 0);
    ctx.lineTo(x, height);
  }
  ctx.stroke();
}

function track(ctx, lane, { s, colours }) {
  ctx.fillStyle = colours.line;
  ctx.fillRect(0, lane.y + lane.height / 2 - 2, s.width, 4);
}

function span(ctx, lane, bar, view) {
  const { mark, x0, x1 } = bar;
  if (mark.kind === "condition") return condition(ctx, lane, bar, view);
  if (mark.kind === "deletion") return countdown(ctx, lane, bar, view, view.colours.terminating);
  if (mark.kind === "phase") return phase(ctx, lane, bar, view);
  if (mark.kind === "grace") return grace(ctx, lane, bar, view);
  if (mark.state === "waiting" && bar.xUntil !== null) countdown(ctx, lane, bar, view, view.colours.waiting);
  else if (mark.state === "waiting") dashed(ctx, lane, x0, x1, view.colours.waiting, view);
  else if (mark.state === "unknown" || mark.outcome === "unknown") hatched(ctx, lane, x0, x1, view.colours);
  else solid(ctx, lane, x0, x1, view.colours.running);
  words(ctx, lane, bar, view, mark.state === "waiting" ? view.colours.waiting : view.colours["on-running"]);
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

function box(ctx, x0, y, width, height, radius = 3) {
  ctx.beginPath();
  ctx.roundRect(x0, y, Math.max(width, 1), height, Math.min(radius, Math.max(width, 0) / 2));
}

function solid(ctx, lane, x0, x1, colour) {
  box(ctx, x0, lane.y + 1, x1 - x0, lane.height - 2);
  ctx.fillStyle = colour;
  ctx.fill();
}

function dashed(ctx, lane, x0, x1, colour, view, ground = "waiting-fill") {
  box(ctx, x0 + 0.5, lane.y + 1.5, x1 - x0 - 1, lane.height - 3);
  ctx.fillStyle = view.colours[ground];
  ctx.fill();
  ctx.setLineDash([4, 3]);
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.stroke();
  ctx.setLineDash([]);
}

function hatched(ctx, lane, x0, x1, colours) {
  ctx.save();
  box(ctx, x0, lane.y + 1, x1 - x0, lane.height - 2);
  ctx.strokeStyle = colours.unknown;
  ctx.stroke();
  ctx.clip();
  ctx.beginPath();
  for (let x = Math.floor(x0 / 6) * 6 - lane.height; x < x1; x += 6) {
    ctx.moveTo(x, lane.y + lane.height);
    ctx.lineTo(x + lane.height, lane.y);
  }
  ctx.stroke();
  ctx.restore();
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
  text(ctx, label, lane, x0, Math.max(end, x0), view, colour, mark.t1 === null, bar.lead);
  if (mark.kind === "deletion" && view.selected === mark.id) frame(ctx, lane, x0, end, view.colours);
}

function words(ctx, lane, bar, view, colour) {
  if (bar.mark.state === "waiting" && bar.xUntil !== null) return;
  const inset = bar.mark.state === "ended" ? capHalf(bar.mark) + 2 : 0;
  text(ctx, bar.mark.text, lane, bar.x0, bar.x1 - inset, view, colour, false, bar.lead);
}

// Words stand in the bar; if they must be read (`out`) and do not fit, behind it.
function text(ctx, label, lane, x0, x1, view, colour, out, lead = 0) {
  if (!label) return;
  ctx.font = `600 11px ${view.colours.words}`;
  ctx.textBaseline = "middle";
  ctx.fillStyle = colour;
  const begin = Math.max(x0, 0) + Math.max(6, lead);
  const room = Math.min(x1, view.s.width) - begin - 4;
  const width = ctx.measureText(label).width;
  const y = lane.y + lane.height / 2 + 0.5;
  if (width <= room) ctx.fillText(label, begin, y);
  else if (out && x1 + width + 8 < view.s.width) ctx.fillText(label, x1 + 6, y);
  else if (room > 22) ctx.fillText(shorten(ctx, label, room), begin, y);
}

function shorten(ctx, label, room) {
  let short = label;
  while (short.length > 1 && ctx.measureText(short + "…").width > room) short = short.slice(0, -1);
  return short + "…";
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

function frame(ctx, lane, x0, x1, colours) {
  box(ctx, x0 - 2, lane.y - 1, x1 - x0 + 4, lane.height + 2, 4);
  ctx.strokeStyle = colours.select;
  ctx.lineWidth = 2;
  ctx.stroke();
  ctx.lineWidth = 1;
}

// Diamonds: severity above, source below; several that lie together are one with a count.
function events(ctx, lane, marks, view) {
  const y = lane.y + lane.height / 2;
  for (const { x, mark, marks: all } of clusters(marks, view.s)) {
    const colour = mark.state === "Warning" ? view.colours.failed : view.colours.done;
    half(ctx, x, y, -6.5, colour);
    half(ctx, x, y, 6.5, view.colours["event-source"]);
    if (all.some((one) => one.id === view.selected)) {
      ctx.strokeStyle = view.colours.select;
      ctx.lineWidth = 2;
      ctx.strokeRect(x - 8, y - 8, 16, 16);
      ctx.lineWidth = 1;
    }
    if (all.length > 1) {
      ctx.font = `600 10px ${view.colours.words}`;
      ctx.fillStyle = view.colours.muted;
      ctx.textBaseline = "middle";
      ctx.fillText(String(all.length), x + 9, y + 0.5);
    }
  }
}

function half(ctx, x, y, tip, colour) {
  ctx.beginPath();
  ctx.moveTo(x - 6.5, y);
  ctx.lineTo(x, y + tip);
  ctx.lineTo(x + 6.5, y);
  ctx.closePath();
  ctx.fillStyle = colour;
  ctx.fill();
}

function logs(ctx, lane, view) {
  const found = density(view.logTimes, view.s);
  const most = Math.max(...found.map((one) => one.count), 4);
  ctx.fillStyle = view.colours.log;
  for (const { x, count } of found) {
    const height = Math.max(2, (count / most) * (lane.height - 2));
    ctx.fillRect(x, lane.y + lane.height - height, 3, height);
  }
  ctx.fillStyle = view.colours.line;
  ctx.fillRect(0, lane.y + lane.height, view.s.width, 1);
}

// From TERM to KILL, along the foot of the bar of the container that has to end; what is left of it runs on as an outline.
function grace(ctx, lane, bar, view) {
  const { x0, x1, xUntil, mark } = bar;
  const foot = { y: lane.y + lane.height - 6, height: 7 };
  const end = xUntil ?? x1;
  if (xUntil !== null) {
    dashed(ctx, lane, Math.min(x1, end), Math.max(end, x1 + 2), view.colours.terminating, view, "terminating-fill");
    const label = `${mark.text} · ${left(mark.tUntil - view.now)} ${view.leftWord}`;
    text(ctx, label, lane, x1, Math.max(end, x1), view, view.colours.terminating, true);
  }
  solid(ctx, foot, x0, x1, view.colours.terminating);
  if (view.selected === mark.id) frame(ctx, lane, x0, end, view.colours);
}

// A folded stretch: two jagged edges, what lies between is left out.
function gap(ctx, fold, { s, height, colours }) {
  const [x0, x1] = [toX(s, fold.from), toX(s, fold.to)];
  if (x1 < 0 || x0 > s.width) return;
  const zigzag = (x) => {
    for (let y = 0, side = 0; y <= height; y += 6, side = 3 - side) ctx.lineTo(x + side, y);
  };
  ctx.fillStyle = colours.ground;
  ctx.beginPath();
  zigzag(x0);
  for (let y = height, side = 0; y >= 0; y -= 6, side = 3 - side) ctx.lineTo(x1 + side, y);
  ctx.closePath();
  ctx.fill();
  ctx.strokeStyle = colours.muted;
  for (const x of [x0, x1]) {
    ctx.beginPath();
    zigzag(x);
    ctx.stroke();
  }
}

// The selected range.
function band(ctx, { s, range, height, colours }) {
  const [x0, x1] = range.map((time) => toX(s, time));
  ctx.fillStyle = colours.select;
  ctx.globalAlpha = 0.08;
  ctx.fillRect(x0, 0, x1 - x0, height);
  ctx.globalAlpha = 1;
  rule(ctx, x0, height, colours.select);
  rule(ctx, x1, height, colours.select);
}

function rule(ctx, x, height, colour, dash = []) {
  ctx.strokeStyle = colour;
  ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(Math.round(x) + 0.5, 0);
  ctx.lineTo(Math.round(x) + 0.5, height);
  ctx.stroke();
  ctx.setLineDash([]);
}

function edge(ctx, { s, now, height, colours }) {
  const x = toX(s, now);
  if (x < 0 || x > s.width) return;
  ctx.lineWidth = 1.5;
  rule(ctx, x, height, colours.ink);
  ctx.lineWidth = 1;
}

// The whole story in a strip: a thin row for each container, and the window as a frame.
export function paintMinimap(ctx, { s, rows, now, window: win, height, colours }) {
  ctx.clearRect(0, 0, s.width, height);
  ctx.fillStyle = colours.well;
  box(ctx, 0, 3, s.width, height - 6, 4);
  ctx.fill();
  const thick = Math.min(6, Math.floor(16 / Math.max(rows.length, 1)));
  rows.forEach((marks, index) => {
    const y = height / 2 + (index - rows.length / 2) * (thick + 1);
    for (const bar of bars(marks, s, now)) {
      ctx.fillStyle = bar.mark.kind === "deletion" ? colours.terminating : bar.mark.state === "waiting" ? colours.waiting : colours.running;
      ctx.fillRect(bar.x0, y, bar.x1 - bar.x0, thick);
      if (bar.mark.outcome !== "failed") continue;
      ctx.fillStyle = colours.failed;
      ctx.fillRect(bar.x1 - 1, y - 1, 2, thick + 2);
    }
  });
  const x0 = Math.max(toX(s, win.from), 1);
  const x1 = Math.min(toX(s, win.to), s.width - 1);
  ctx.strokeStyle = colours.ink;
  ctx.lineWidth = 1.3;
  box(ctx, x0, 2, Math.max(x1 - x0, 6), height - 4, 4);
  ctx.stroke();
  ctx.lineWidth = 1;
}
