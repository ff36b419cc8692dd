// Which lane stands where, and what on it is one thing to the eye. Pure: numbers in, numbers out.

import { toX } from "./scale.js";
import { endOf } from "./book.js";

export const CONDITIONS = ["PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"];

const HEIGHT = { phase: 18, condition: 13, container: 18, probe: 20, events: 24, deletion: 18, log: 22 };
const GAP = { section: 16, lane: 0 };

// The lanes of one pod from top to bottom: {id, kind, label, note, y, height, bar}.
export function lanes(pod, { log = true, deleting = false, conditions = CONDITIONS } = {}) {
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
  for (const container of pod?.containers ?? []) {
    const note = container.sort === "app" ? "" : container.sort;
    add(`container/${container.name}`, "container", container.name, { gap: GAP.section, note });
    container.probes.forEach((probe, index) =>
      add(`probe/${container.name}/${probe.type}`, "probe", probe.type, { gap: index ? 0 : 4, sub: true }),
    );
  }
  if (log) add("log", "log", "Logs", { gap: GAP.section });
  add("events", "events", "Events", { gap: GAP.section });
  if (deleting) add("deletion", "deletion", "Deletion", { gap: GAP.section });
  return { lanes: found, height: y + 12 };
}

// The lanes of a namespace: for each pod its phase band, readiness and containers; the Events of all at the foot.
// `pods`: [{uid, name, gone, containers}] in the order of the page; the ids of lanes and marks begin with the uid.
export function spaceLanes(pods) {
  const found = [];
  let y = 10;
  const add = (id, kind, label, { note = "", gap = 0, sub = false, dim = false, link = "" } = {}) => {
    y += gap;
    found.push({ id, kind, label, note, sub, dim, link, y, height: HEIGHT[kind] });
    y += HEIGHT[kind];
  };
  for (const { uid, name, gone, containers } of pods) {
    add(`${uid}/phase`, "phase", name, { gap: found.length ? GAP.section : 0, dim: gone, link: uid });
    add(`${uid}/condition/Ready`, "condition", "Ready", { sub: true, dim: gone });
    for (const container of containers) {
      const note = container.sort === "app" ? "" : container.sort;
      add(`${uid}/container/${container.name}`, "container", container.name, { gap: 2, note, sub: true, dim: gone });
      for (const { type } of container.probes) {
        add(`${uid}/probe/${container.name}/${type}`, "probe", type, { gap: 2, sub: true, dim: gone });
      }
    }
  }
  add("events", "events", "Events", { gap: GAP.section });
  return { lanes: found, height: y + 12 };
}

// Bars of a lane in px, at least one px wide; spans outside of the window are left out.
export function bars(marks, s, now) {
  const found = [];
  for (const mark of marks) {
    const x0 = toX(s, mark.t0);
    const x1 = toX(s, Math.max(endOf(mark, Math.max(now, mark.t0)), mark.t0));
    const xUntil = mark.tUntil === null || mark.t1 !== null ? null : toX(s, mark.tUntil);
    if (Math.max(x1, xUntil ?? x1) < -20 || x0 > s.width + 20) continue;
    found.push({ mark, x0: Math.max(x0, -20), x1: Math.min(Math.max(x1, x0 + 1), s.width + 20), xUntil });
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
export function hit(x, y, { lanes: all, marksOf, s, now, reach = 8 }) {
  const lane = all.find((l) => y >= l.y - 2 && y < l.y + l.height + 2);
  if (!lane) return null;
  let best = null;
  for (const mark of marksOf(lane.id)) {
    const x0 = toX(s, mark.t0);
    const point = mark.kind === "event" || mark.kind === "probe";
    const x1 = point ? x0 : Math.max(toX(s, Math.max(endOf(mark, now), mark.tUntil ?? 0)), x0 + 2);
    const away = x < x0 ? x0 - x : x > x1 ? x - x1 : 0;
    if (away > reach) continue;
    const rank = away + (point ? 0 : 0.5);
    if (best === null || rank < best.rank || (rank === best.rank && mark.t0 >= best.mark.t0)) best = { mark, rank };
  }
  return best?.mark ?? null;
}
