// The lines of a list, in the order of their names. A long one lies in groups (css/tables.css), of which the browser at first
// lays out those near the window only; glance/listing.py makes them so.

import { firstIndex } from "./book.js";

const LONG = 300;
const GROUP = 50;
const AT_ONCE = 10; // groups
const PAUSE = 200; // ms

export class Lines {
  // `resting` says whether there is time for what nobody waits for.
  constructor(table, resting) {
    this.table = table;
    this.resting = resting;
    if (this.long) this.draw();
  }

  // By name. Made when it is asked for: of thousands of lines it takes a while, and a list that does not change needs none.
  get known() {
    this.names ??= new Map([...this.table.querySelectorAll("tbody > tr")].map((line) => [line.dataset.name, line]));
    return this.names;
  }

  get size() {
    return this.known.size;
  }

  get(name) {
    return this.known.get(name);
  }

  add(name, line) {
    const { tBodies } = this.table;
    const last = (body) => body.lastElementChild?.dataset.name ?? "";
    const body = tBodies[Math.min(firstIndex(tBodies.length, (i) => last(tBodies[i]) > name), tBodies.length - 1)];
    const { children } = body;
    body.insertBefore(line, children[firstIndex(children.length, (i) => children[i].dataset.name > name)] ?? null);
    this.known.set(name, line);
    if (!this.long && this.size > LONG) this.lengthen();
    else if (this.long) this.halve(body);
  }

  drop(line) {
    const body = line.parentElement;
    this.known.delete(line.dataset.name);
    line.remove();
    if (this.long && !body.children.length && this.table.tBodies.length > 1) body.remove();
    else if (this.long) measure(body);
  }

  get long() {
    return this.table.classList.contains("long");
  }

  // A list that has become long: its columns keep the widths that they have.
  lengthen() {
    const [body] = this.table.tBodies;
    const widths = [...this.table.tHead.rows[0].cells].map((cell) => cell.getBoundingClientRect().width);
    this.table.style.setProperty("--tracks", widths.map((width) => `minmax(${width}px, ${width}fr)`).join(" "));
    const lines = [...body.children];
    for (let i = GROUP; i < lines.length; i += GROUP) this.group(lines.slice(i, i + GROUP), this.table.tBodies[this.table.tBodies.length - 1]);
    for (const group of this.table.tBodies) group.classList.add("drawn"); // as they were
    measure(body);
    this.table.classList.add("long");
  }

  // What has not been laid out is not there for screen readers: that is done while nothing else is to do, some groups at once,
  // as each time costs the browser a look at the whole page.
  draw() {
    idle(() => {
      const left = [...this.table.tBodies].filter((body) => !body.classList.contains("drawn"));
      if (this.resting()) for (const body of left.splice(0, AT_ONCE)) body.classList.add("drawn");
      if (left.length) setTimeout(() => this.draw(), PAUSE);
    });
  }

  // A group that has become twice as large is two.
  halve(body) {
    if (body.children.length > GROUP * 2) this.group([...body.children].slice(GROUP), body);
    measure(body);
  }

  group(lines, before) {
    const body = document.createElement("tbody");
    body.className = "drawn";
    body.append(...lines);
    measure(body);
    before.after(body);
  }

  // All that somebody may see now, and a few more.
  *seen() {
    for (const body of this.table.tBodies) {
      const { top, bottom } = body.getBoundingClientRect();
      if (bottom >= 0 && top <= innerHeight) yield* body.children;
    }
  }

  [Symbol.iterator]() {
    return this.known.values();
  }
}

const idle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 50));

// How many lines there are says how high a group is that has never been laid out.
const measure = (body) => body.style.setProperty("--rows", body.children.length);
