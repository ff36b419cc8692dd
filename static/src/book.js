// The marks that the page knows, by id and by lane. Upserts make a reconnect the same as the first connect; a few new
// marks cost a few insertions, and what lies between two moments is found without looking at the rest. Pure.

import { ms } from "./times.js";

const BULK = 64; // from here on sorting a lane again is cheaper than inserting

export const inOrder = (a, b) => a.t0 - b.t0 || a.rev - b.rev || a.seq - b.seq || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const POINTS = new Set(["event", "probe", "endpoint"]);
export const isPoint = (mark) => POINTS.has(mark.kind);

export const endOf = (mark, now) => mark.t1 ?? (isPoint(mark) ? mark.t0 : now);

// The first index in `count` for which `test` is true; `test` is false up to there and true from there on.
export function firstIndex(count, test) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

// The marks of one lane in time order, and how far those up to each of them reach.
class Lane {
  marks = [];
  reach = [];
  known = 0; // up to here `reach` is right

  index(mark) {
    return firstIndex(this.marks.length, (i) => inOrder(this.marks[i], mark) >= 0);
  }

  insert(mark) {
    const at = this.index(mark);
    this.marks.splice(at, 0, mark);
    this.known = Math.min(this.known, at);
  }

  remove(mark) {
    const at = this.index(mark);
    if (this.marks[at] !== mark) return;
    this.marks.splice(at, 1);
    this.known = Math.min(this.known, at);
  }

  resort() {
    this.marks.sort(inOrder);
    this.known = 0;
  }

  // [begin, end): all marks that touch the time from `from` to `to` lie in it.
  between(from, to) {
    const { marks, reach } = this;
    for (; this.known < marks.length; this.known += 1) {
      const mark = marks[this.known];
      const end = Math.max(endOf(mark, Infinity), mark.tUntil ?? -Infinity);
      reach[this.known] = this.known ? Math.max(reach[this.known - 1], end) : end;
    }
    reach.length = marks.length;
    return [firstIndex(marks.length, (i) => reach[i] >= from), firstIndex(marks.length, (i) => marks[i].t0 > to)];
  }
}

const NONE = Object.freeze([]);

export class Book {
  constructor() {
    this.clear();
  }

  clear() {
    this.byId = new Map();
    this.lanes = new Map();
    this.counting = new Set(); // ids of countdowns under way
    this.version = 0;
    this.earliest = Infinity;
    this.latest = -Infinity;
    this.all = null;
  }

  get size() {
    return this.byId.size;
  }

  put(marks) {
    if (!marks.length) return marks;
    const many = marks.length > BULK;
    const touched = new Set();
    for (const mark of marks) {
      if (mark.t0 === undefined) Object.assign(mark, { t0: ms(mark.start), t1: ms(mark.end), tUntil: ms(mark.until) });
      this.note(mark);
      const before = this.byId.get(mark.id);
      if (before) this.laneOf(before.lane).remove(before);
      this.byId.set(mark.id, mark);
      const lane = this.laneOf(mark.lane);
      touched.add(lane);
      if (many) lane.marks.push(mark);
      else lane.insert(mark);
      // A lane that has not been sorted yet cannot be searched.
      if (many && before) lane.resort();
    }
    if (many) for (const lane of touched) lane.resort();
    this.version += 1;
    this.all = null;
    return marks;
  }

  note(mark) {
    this.earliest = Math.min(this.earliest, mark.t0);
    this.latest = Math.max(this.latest, mark.t1 ?? mark.t0);
    if (mark.tUntil !== null && mark.t1 === null) this.counting.add(mark.id);
    else this.counting.delete(mark.id);
  }

  laneOf(name) {
    let lane = this.lanes.get(name);
    if (!lane) this.lanes.set(name, (lane = new Lane()));
    return lane;
  }

  // Whatever belongs to lanes that begin with `prefix` is forgotten.
  drop(prefix) {
    for (const [name, lane] of this.lanes) {
      if (!name.startsWith(prefix)) continue;
      for (const mark of lane.marks) {
        this.byId.delete(mark.id);
        this.counting.delete(mark.id);
      }
      this.lanes.delete(name);
    }
    this.version += 1;
    this.all = null;
  }

  get(id) {
    return this.byId.get(id) ?? null;
  }

  lane(name) {
    return this.lanes.get(name)?.marks ?? NONE;
  }

  // The marks of a lane that touch the time from `from` to `to`.
  part(name, from, to) {
    const lane = this.lanes.get(name);
    if (!lane) return NONE;
    const [begin, end] = lane.between(from, to);
    return begin === 0 && end === lane.marks.length ? lane.marks : lane.marks.slice(begin, end);
  }

  // Everything in time order; made when somebody asks.
  get sorted() {
    return (this.all ??= [...this.byId.values()].sort(inOrder));
  }

  get first() {
    return this.earliest === Infinity ? null : this.earliest;
  }

  // The latest moment that anything is known of, countdowns left out.
  get last() {
    return this.latest;
  }

  // The neighbour on the same lane: `step` is 1 or -1.
  neighbour(id, step) {
    const mark = this.byId.get(id);
    if (!mark) return step > 0 ? (this.sorted[0] ?? null) : (this.sorted.at(-1) ?? null);
    const lane = this.laneOf(mark.lane);
    return lane.marks[lane.index(mark) + step] ?? null;
  }

  // What is to be seen between two moments, on all lanes or on those named.
  within(from, to, lanes = this.lanes.keys()) {
    const found = [];
    for (const name of lanes) {
      for (const mark of this.part(name, from, to)) {
        if (mark.t0 <= to && (endOf(mark, to) ?? mark.t0) >= from) found.push(mark);
      }
    }
    return found.sort(inOrder);
  }
}
