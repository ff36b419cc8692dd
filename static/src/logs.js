// The log pane: the lines of all containers as they come, followed until somebody scrolls up.

import { firstIndex } from "./book.js";
import { clockText } from "./times.js";
import { t } from "./words.js";

const KEPT = 4000;
const HUES = 6;

export class LogPane {
  // `idle`: what stands in it while it is nobody's.
  constructor(root, { onHover, onLines, idle = "" }) {
    Object.assign(this, { root, onHover, onLines, idle });
    this.list = root.querySelector(".log-lines");
    this.chooser = root.querySelector("[data-log=container]");
    this.jump = root.querySelector("[data-do=jump]");
    this.empty = root.querySelector(".log-empty");
    this.silent = root.querySelector(".log-silent");
    this.range = null; // [from, to]: only these are shown
    this.lines = [];
    this.sources = [];
    this.following = true;
    this.last = new Map(); // container → {at, count}: where a reconnect goes on
    this.skip = new Map();
    this.chooser.addEventListener("change", () => this.rewrite());
    this.list.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.jump.addEventListener("click", () => this.toEnd());
    this.list.addEventListener("pointerover", (event) => {
      const line = event.target.closest("[data-time]");
      onHover(line ? Number(line.dataset.time) : null);
    });
    this.list.addEventListener("pointerleave", () => onHover(null));
    if (idle) {
      this.chooser.hidden = true;
      this.tellSilence();
    }
  }

  setContainers(names) {
    if (names.join() === this.sources.join()) return;
    this.sources = names;
    const chosen = this.chooser.value;
    const options = [["", t("all containers")], ...names.map((name) => [name, name])];
    this.chooser.replaceChildren(...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
    this.chooser.hidden = names.length < 2;
    this.tellSilence();
  }

  setRange(range) {
    this.range = range;
    this.rewrite();
  }

  get shown() {
    return this.lines.filter(this.wanted).length;
  }

  // Who has written nothing, and why that is nothing wrong.
  tellSilence() {
    const chosen = this.chooser.value;
    const wrote = new Set(this.lines.map((line) => line.container));
    const silent = this.sources.filter((name) => !wrote.has(name) && (!chosen || name === chosen));
    const nothing = this.list.children.length === 0;
    this.empty.hidden = !nothing;
    if (this.idle && !this.sources.length) this.empty.textContent = this.idle;
    else this.empty.textContent = this.range && wrote.size ? t("No lines in the selected range.") : t("No lines yet.");
    this.silent.hidden = silent.length === 0 || this.sources.length === 0;
    this.silent.textContent = t(
      "{names}: nothing written to stdout or stderr. A program that logs to a file shows nothing here, nor in kubectl logs.",
      { names: silent.join(", ") },
    );
  }

  // Another moment, before the one that is shown: everything is told anew.
  clear() {
    this.lines = [];
    this.last.clear();
    this.skip.clear();
    this.list.replaceChildren();
    this.onLines([], []);
    this.tellSilence();
  }

  // Where to go on after a reconnect; the server sends again everything of that instant, `skip` drops what is known.
  request(container) {
    const last = this.last.get(container);
    this.skip.set(container, last ? last.count : 0);
    return last ? { after: last.at } : { tail: 500 };
  }

  add(lines) {
    const fresh = lines.filter((line) => !this.known(line));
    if (!fresh.length) return;
    this.lines.push(...fresh);
    const over = this.lines.length - KEPT;
    if (over > 0) this.lines.splice(0, over);
    this.lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    this.onLines(this.lines, fresh);
    const last = lastOf(this.lines, fresh);
    if (over > 0 || last === null) this.rewrite();
    else this.append(last.filter(this.wanted));
  }

  known(line) {
    const last = this.last.get(line.container);
    if (last && line.at === last.at) {
      const skip = this.skip.get(line.container) ?? 0;
      if (skip > 0) {
        this.skip.set(line.container, skip - 1);
        return true;
      }
      last.count += 1;
    } else {
      this.skip.set(line.container, 0);
      this.last.set(line.container, { at: line.at, count: 1 });
    }
    return false;
  }

  wanted = (line) => {
    if (this.chooser.value && line.container !== this.chooser.value) return false;
    if (!this.range) return true;
    const time = timeOf(line);
    return time >= this.range[0] && time <= this.range[1];
  };

  rewrite() {
    this.list.replaceChildren();
    this.append(this.lines.filter(this.wanted).slice(-1500));
  }

  append(lines) {
    this.list.append(...lines.map((line) => this.make(line)));
    while (this.list.children.length > 1500) this.list.firstChild.remove();
    this.tellSilence();
    if (this.peeking) return;
    if (this.following) this.toEnd();
    else this.jump.hidden = false;
  }

  make(line) {
    const row = document.createElement("div");
    row.className = `log-line hue-${this.sources.indexOf(line.container) % HUES}${line.stream === "stderr" ? " stderr" : ""}`;
    const time = timeOf(line);
    row.dataset.time = time;
    row.dataset.container = line.container;
    row.dataset.attempt = line.attempt;
    const when = document.createElement("time");
    when.dateTime = line.at;
    when.textContent = clockText(time);
    const source = document.createElement("span");
    source.className = "log-source";
    source.textContent = source.title = line.attempt ? `${line.container} #${line.attempt}` : line.container;
    const text = document.createElement("span");
    text.className = "log-text";
    text.textContent = plain(line.text);
    row.append(when, source, text);
    return row;
  }

  // The line that was written last before a moment: shown while the pointer is on the timeline.
  mark(time) {
    this.marked?.classList.remove("at-hover");
    this.marked = null;
    if (time === null) {
      if (this.peeking) this.toEnd();
      this.peeking = false;
      return;
    }
    const rows = this.list.children;
    const index = firstIndex(rows.length, (i) => Number(rows[i].dataset.time) > time) - 1;
    if (index < 0) return;
    this.marked = rows[index];
    this.marked.classList.add("at-hover");
    if (!this.following && !this.peeking) return;
    this.peeking = true;
    const { top, bottom } = this.list.getBoundingClientRect();
    const box = this.marked.getBoundingClientRect();
    if (box.top < top || box.bottom > bottom) this.list.scrollTop += box.top - top - (bottom - top) / 2;
  }

  scrolled() {
    if (this.peeking) return;
    const { scrollTop, scrollHeight, clientHeight } = this.list;
    this.following = scrollHeight - scrollTop - clientHeight < 24;
    this.jump.hidden = this.following;
  }

  toEnd() {
    this.list.scrollTop = this.list.scrollHeight;
    this.following = true;
    this.jump.hidden = true;
  }
}

// The fresh lines in their order if they are the last of all; null when a container that is heard later wrote between others. Pure.
export function lastOf(lines, fresh) {
  const [last, added] = [lines.slice(-fresh.length), new Set(fresh)];
  return last.every((line) => added.has(line)) ? last : null;
}

// Nanoseconds cut to what a Date keeps. Pure.
export const timeOf = (line) => Date.parse(line.at.replace(/(\.\d{3})\d*/, "$1"));

// Without terminal colour codes, the returns that a terminal puts before the end of a line, and other control characters. Pure.
export function plain(text) {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\r+$/, "").replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "�");
}

// The kubectl line that shows the lines of a run, of whose container the run `latest` is the last; "" for runs that
// Kubernetes has forgotten. Pure.
export function logCommand({ cluster, namespace, name }, { container, attempt }, latest) {
  if (attempt < latest - 1) return "";
  const context = cluster === "main" ? "" : ` --context podlab-${cluster}`;
  return `kubectl logs ${name} -c ${container} -n ${namespace}${context}${attempt < latest ? " --previous" : ""}`;
}

// Log lines that come close together as one mark, so that the list tells of them too. Pure.
export function bursts(lines, gap = 2000) {
  const found = [];
  const open = new Map();
  for (const line of lines) {
    const time = timeOf(line);
    const last = open.get(line.container);
    if (last && time - last.to <= gap && last.attempt === line.attempt) {
      last.to = time;
      last.text = line.text;
      last.count += 1;
    } else {
      const burst = { container: line.container, attempt: line.attempt, from: time, to: time, text: line.text, count: 1 };
      open.set(line.container, burst);
      found.push(burst);
    }
  }
  return found;
}
