// What a timeline shows stands in the address: a link shows the same, back and forward go through what was chosen.

const SETTLE = 400; // ms after the last movement

const iso = (time) => new Date(Math.round(time)).toISOString();
const moment = (text) => (text ? Date.parse(text) : NaN);

// What the view is, as the parameters of the address; those that say nothing special are "". Pure.
export function told(timeline) {
  const still = timeline.mode === "still";
  return {
    from: still ? iso(timeline.s.from) : "",
    to: still ? iso(timeline.s.to) : "",
    range: timeline.range ? timeline.range.map(iso).join("/") : "",
    fold: timeline.folding ? "1" : "",
    times: timeline.times === "since" ? "" : timeline.times,
    mark: timeline.selected ?? "",
  };
}

// The other way round: moments as numbers, null for what is not there or cannot be. Pure.
export function understood(query) {
  const pair = (from, to) => (moment(to) > moment(from) ? [moment(from), moment(to)] : null);
  const [begin, end] = (query.get("range") ?? "").split("/");
  return {
    window: pair(query.get("from"), query.get("to")),
    range: pair(begin, end),
    fold: query.get("fold") === "1",
    times: query.get("times") ?? "since",
    mark: query.get("mark"),
  };
}

export class Address {
  // `more`: {name: {get: () => text, set: (text or null) => …}} for what a page has beside its timeline.
  constructor(timeline, more = {}) {
    Object.assign(this, { timeline, more });
    this.reading = true; // nothing is written over it before it has been read, however long the first news take
    addEventListener("popstate", () => this.read());
  }

  // The view moved: written when it rests, over the present entry of the history.
  moved() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.write(false), SETTLE);
  }

  // Something was chosen: an entry of its own.
  chose() {
    clearTimeout(this.timer);
    this.write(true);
  }

  write(push) {
    if (this.reading) return;
    const url = new URL(location.href);
    const all = { ...told(this.timeline) };
    for (const [name, { get }] of Object.entries(this.more)) all[name] = get();
    for (const [name, value] of Object.entries(all)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    if (url.href === location.href) return;
    try {
      if (push) history.pushState(history.state, "", url);
      else history.replaceState(history.state, "", url);
    } catch {
      // A file, or a frame without an origin, may not change its address; the view is the same without.
    }
  }

  // Make the page what the address says.
  read() {
    this.reading = true;
    const query = new URLSearchParams(location.search);
    const { window: view, range, fold, times, mark } = understood(query);
    const { timeline } = this;
    if (times !== timeline.times) timeline.switchTimes(times);
    if (fold !== timeline.folding) timeline.fold(fold);
    if (view) timeline.showRange(...view);
    else if (timeline.mode === "still" && timeline.now !== null && !timeline.past) timeline.live();
    if (String(range) !== String(timeline.range)) timeline.setRange(range);
    if (mark !== timeline.selected) timeline.select(mark, { reveal: false });
    for (const [name, { set }] of Object.entries(this.more)) set(query.get(name));
    this.reading = false;
  }
}
