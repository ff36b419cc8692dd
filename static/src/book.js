// The marks that the page knows, by id. Upserts make a reconnect the same as the first connect. Pure.

import { ms } from "./times.js";

export class Book {
  constructor() {
    this.byId = new Map();
    this.sorted = [];
  }

  // Returns the marks that are new or different.
  put(marks) {
    for (const mark of marks) {
      mark.t0 = ms(mark.start);
      mark.t1 = ms(mark.end);
      mark.tUntil = ms(mark.until);
      this.byId.set(mark.id, mark);
    }
    if (marks.length) this.sorted = [...this.byId.values()].sort(inOrder);
    return marks;
  }

  get(id) {
    return this.byId.get(id) ?? null;
  }

  lane(name) {
    return this.sorted.filter((mark) => mark.lane === name);
  }

  get first() {
    return this.sorted.length ? this.sorted[0].t0 : null;
  }

  // The latest moment that anything is known of, countdowns left out.
  get last() {
    return this.sorted.reduce((latest, mark) => Math.max(latest, mark.t1 ?? mark.t0), -Infinity);
  }

  // The neighbour on the same lane: `step` is 1 or -1.
  neighbour(id, step) {
    const mark = this.byId.get(id);
    if (!mark) return step > 0 ? (this.sorted[0] ?? null) : (this.sorted.at(-1) ?? null);
    const lane = this.lane(mark.lane);
    return lane[lane.indexOf(mark) + step] ?? null;
  }

  // What is to be seen between two moments.
  within(from, to) {
    return this.sorted.filter((mark) => mark.t0 <= to && (endOf(mark, to) ?? mark.t0) >= from);
  }
}

export const endOf = (mark, now) => mark.t1 ?? (mark.kind === "event" || mark.kind === "probe" ? mark.t0 : now);

export const inOrder = (a, b) => a.t0 - b.t0 || a.rev - b.rev || a.seq - b.seq || (a.id < b.id ? -1 : 1);
