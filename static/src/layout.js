// Which lane stands where, and what on it is one thing to the eye. Pure: numbers in, numbers out.

import { perPixel, toTime, toX } from "./scale.js";
import { endOf, firstIndex, isPoint } from "./book.js";

export const CONDITIONS = ["PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"];

const HEIGHT = { phase: 18, condition: 13, container: 18, probe: 20, events: 24, endpoint: 14, deletion: 18, log: 22 };
const GAP = { section: 16, lane: 0 };

// The lanes of one pod from top to bottom: {id, kind, label, note, y, height, bar}.
export function lanes(pod, { log = true, deleting = false, services = [], conditions = CONDITIONS } = {}) {
  const found = [];
  let y = 10;
  const add = (id, kind, label, { note = "", gap = 0, sub = false } = {}) => {
    y += gap;
    found.push({ id, kind, label, note, sub, y, height: HEIGHT[kind] });
    y += HEIGHT[kind];
  };
  add("phase", "phase", "Phase");
  conditions.forEach((type, index) =>
    add(`condition/${type}`, "condition", type, { gap: index ? 0 : GAP.section, sub: true }),
  );
  services.forEach((name, index) => add(`endpoint/${name}`, "endpoint", name, { gap: index ? 0 : 6, sub: true }));
  for (const container of pod?.containers ?? []) {
    const note = container.sort === "app" ? "" : container.sort;
    add(`container/${container.name}`, "container", container.name, { gap: GAP.section, note });
    container.probes.forEach((probe, index) =>
      add(`probe/${container.name}/${probe.type}`, "probe", probe.type, { gap: index ? 0 : 4, sub: true }),
    );
  }
  add("events", "events", "Events", { gap: GAP.section });
  if (log) add("log", "log", "Logs", { gap: 12 });
  if (deleting) add("deletion", "deletion", "Deletion", { gap: GAP.section });
  return { lanes: found, height: y + 12 };
}

// The lanes whose place touches y0 … y1. They stand from top to bottom and do not overlap.
export function visible(all, y0, y1) {
  const begin = firstIndex(all.length, (i) => all[i].y + all[i].height >= y0);
  const end = firstIndex(all.length, (i) => all[i].y > y1);
  return all.slice(begin, end);
}

const STATES = { failed: 3, unknown: 2, waiting: 1 };

// How much a bar wants to be seen when there is room for one only.
const gravity = (mark) => STATES[mark.outcome] ?? STATES[mark.state] ?? 0;

// Bars of a lane in px, at least one px wide; spans outside of the window are left out. Several that would lie within
// two px are one, which stands for the gravest of them: `count` says of how many.
export function bars(marks, s, now) {
  const found = [];
  for (const mark of marks) {
    const x0 = toX(s, mark.t0);
    if (x0 > s.width + 20) continue;
    const x1 = toX(s, Math.max(endOf(mark, Math.max(now, mark.t0)), mark.t0));
    const xUntil = mark.tUntil === null || mark.t1 !== null ? null : toX(s, mark.tUntil);
    if (Math.max(x1, xUntil ?? x1) < -20) continue;
    const last = found.at(-1);
    if (last && xUntil === null && last.xUntil === null && Math.max(x1, last.x1) - last.x0 < 2 && last.mark.kind === mark.kind) {
      last.x1 = Math.max(last.x1, x1);
      last.count += 1;
      if (gravity(mark) >= gravity(last.mark)) last.mark = mark;
      continue;
    }
    found.push({ mark, x0: Math.max(x0, -20), x1: Math.min(Math.max(x1, x0 + 1), s.width + 20), xUntil, count: 1 });
  }
  return found;
}

// Half the width of the ring at the end of a run, by what is written in it.
export function capHalf(mark) {
  const digits = mark.exit_code === null || mark.exit_code === 0 ? 1 : String(mark.exit_code).length;
  return Math.max(7.5, 3.4 * digits + 4);
}

// Where the words of a bar may begin: after the ring of the run before it, which lies over the bar's own beginning.
export function leads(found) {
  let free = -Infinity;
  for (const bar of found) {
    if (bar.mark.kind !== "span") continue;
    bar.lead = Math.max(0, free - Math.max(bar.x0, 0));
    if (bar.mark.state === "ended") free = bar.x1 + capHalf(bar.mark) + (bar.mark.reason === "OOMKilled" ? 34 : 4);
  }
  return found;
}

const RANK = { Warning: 1 };

// Points nearer than `near` px become one with a count; the most severe of them stands for all and is painted last.
export function clusters(marks, s, near = 9) {
  const found = [];
  for (const mark of marks) {
    const x = toX(s, mark.t0);
    if (x < -20 || x > s.width + 20) continue;
    const last = found.at(-1);
    if (last && x - last.x <= near) {
      last.marks.push(mark);
      if ((RANK[mark.state] ?? 0) >= (RANK[last.mark.state] ?? 0)) last.mark = mark;
    } else {
      found.push({ x, mark, marks: [mark] });
    }
  }
  return found.sort((a, b) => (RANK[a.mark.state] ?? 0) - (RANK[b.mark.state] ?? 0) || a.x - b.x);
}

const WORSE = { success: 0, warning: 1, error: 2, failure: 3 };

// Probe ticks nearer than `near` px are one: its outcome the worst, its height the slowest, its count how many they are.
export function ticksOf(marks, s, near = 2.5) {
  const found = [];
  for (const mark of marks) {
    const x = toX(s, mark.t0);
    if (x < -8 || x > s.width + 8) continue;
    const last = found.at(-1);
    if (!last || x - last.x > near) {
      found.push({ x, mark, latency: mark.latency_ms, count: 1 });
      continue;
    }
    last.count += 1;
    last.latency = Math.max(last.latency ?? 0, mark.latency_ms ?? 0);
    const [one, other] = [WORSE[mark.outcome] ?? 2, WORSE[last.mark.outcome] ?? 2];
    if (one > other || (one === other && mark.caused)) last.mark = mark;
  }
  return found;
}

// A tick's height from its latency: logarithmic, 1 ms is small, 1 s and more is full.
export function tickHeight(latency, most) {
  if (latency === null || latency === undefined) return most / 2;
  const share = Math.log10(Math.max(latency, 1)) / 3;
  return Math.round(3 + Math.min(share, 1) * (most - 3));
}

// How full a countdown bar is at `now`: 1 at its start, 0 at its end.
export function remaining(mark, now) {
  if (mark.tUntil === null || mark.tUntil <= mark.t0) return 0;
  return Math.min(Math.max((mark.tUntil - now) / (mark.tUntil - mark.t0), 0), 1);
}

// Log lines per bucket of `size` px.
export function density(times, s, size = 4) {
  const buckets = new Map();
  for (const time of times) {
    const x = toX(s, time);
    if (x < 0 || x > s.width) continue;
    const bucket = Math.floor(x / size);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }
  return [...buckets].map(([bucket, count]) => ({ x: bucket * size, count }));
}

// The mark under a point: points before spans, the nearest first. Null when there is none within reach.
// `partOf(lane id, from, to)` gives the marks of a lane between two moments. A lane may be made of several `rows`.
export function hit(x, y, { lanes: all, partOf, s, now, reach = 8 }) {
  const lane = visible(all, y - 2, y + 2).find((l) => y >= l.y - 2 && y < l.y + l.height + 2);
  if (!lane) return null;
  const near = (rows) => [...rows].sort((a, b) => away(a, y) - away(b, y)).slice(0, 1);
  const rows = lane.rows ? [...near(lane.rows.filter((row) => row.kind !== "pending")), ...lane.rows.filter((row) => row.kind === "pending")] : [lane];
  const [from, to] = [toTime(s, x - reach), toTime(s, x + reach)];
  let best = null;
  for (const row of rows) {
    if (best !== null) break; // what lies under the others
    for (const mark of partOf(row.id, from, to + perPixel(s))) {
      const x0 = toX(s, mark.t0);
      const point = isPoint(mark);
      const x1 = point ? x0 : Math.max(toX(s, Math.max(endOf(mark, now), mark.t1 === null ? (mark.tUntil ?? 0) : 0)), x0 + 2);
      const off = x < x0 ? x0 - x : x > x1 ? x - x1 : 0;
      if (off > reach) continue;
      const rank = off + (point ? 0 : 0.5);
      if (best === null || rank < best.rank || (rank === best.rank && mark.t0 >= best.mark.t0)) best = { mark, rank };
    }
  }
  return best?.mark ?? null;
}

const away = (row, y) => Math.max(row.y - y, y - row.y - row.height, 0);
