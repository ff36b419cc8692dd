// The timeline: holds the view, listens to hands and keys, paints when something moved. `pod` and `space` feed it.

import { writeAxis } from "./axis.js";
import { palette, paint } from "./draw.js";
import { fitCanvas, paintMinimap } from "./draw_frame.js";
import { folded, idle, unfolded } from "./folds.js";
import { hands } from "./hands.js";
import { Labels } from "./labels.js";
import { CONDITIONS, hit, lanes, visible } from "./layout.js";
import { fit, follow, pan, perPixel, scale, toTime, toX, zoom } from "./scale.js";
import { clockText, sinceText, TIMES, WallLine } from "./times.js";
import { t } from "./words.js";

const START_LENGTH = 72_000;
const LONGEST_AUTO = 15 * 60_000;
const MINIMAP = 30; // px

export class Timeline {
  constructor(root, { book, clock, onSelect, onView, onRange }) {
    Object.assign(this, { root, book, clock, onSelect, onView, onRange });
    this.canvas = root.querySelector("canvas.plot");
    this.plot = root.querySelector(".timeline-plot");
    this.scroller = root.querySelector(".timeline-scroll");
    this.axis = root.querySelector(".timeline-axis");
    this.minimap = root.querySelector("canvas.minimap");
    this.tip = root.querySelector(".timeline-tip");
    this.wait = root.querySelector("[data-wait]");
    this.foldButton = root.querySelector("[data-do=fold]");
    this.liveButton = root.querySelector("[data-do=live]");
    this.timesButton = root.querySelector("[data-do=times]");
    this.labels = new Labels(root.querySelector(".timeline-labels"), { noteOf: (lane) => this.note(lane), linkOf: (lane) => this.linkOf(lane) });
    this.headed = true; // the conditions have a heading
    this.range = null; // [from, to] that filters what stands beside
    this.folding = false;
    this.folds = [];
    this.pod = null;
    this.selected = null;
    this.hover = null;
    this.logTimes = [];
    this.walls = new WallLine();
    this.times = "since"; // since | lab | wall
    this.past = null; // {rev, at} of a replay: the live edge stands there
    this.mode = "auto"; // auto: everything from the start; follow: a window at the live edge; still: where the person is
    this.s = scale(0, START_LENGTH, 600);
    this.layout = { lanes: [], height: 60 };
    this.dirty = true;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(() => this.resize()).observe(this.scroller);
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.themed());
    addEventListener("podlab:theme", () => this.themed());
    this.themed();
    hands(this);
    this.resize();
    this.loop();
  }

  // --- what is shown ---------------------------------------------------------------------------------------------

  get origin() {
    return this.pod ? Date.parse(this.pod.created) : (this.book.first ?? this.past?.at ?? this.clock.now() ?? 0);
  }

  get first() {
    return Math.min(this.book.first ?? Infinity, this.origin);
  }

  // Where the live edge is; null when the pod is gone and nothing moves any more.
  get now() {
    if (this.past) return this.past.at;
    const now = this.clock.now();
    return this.pod?.gone || now === null ? null : Math.max(now, this.book.size ? this.book.last : now);
  }

  get last() {
    return this.now ?? Math.max(this.book.last, this.first + 1000);
  }

  get absolute() {
    return this.times !== "since";
  }

  setPod(pod) {
    this.pod = pod;
    this.relayout();
  }

  relayout() {
    this.layout = this.makeLanes();
    this.byLane = new Map(this.layout.lanes.map((lane) => [lane.id, lane]));
    this.resize();
  }

  makeLanes() {
    const begun = (prefix) => [...this.book.lanes.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    const known = begun("condition/");
    const conditions = [...CONDITIONS, ...known.filter((type) => !CONDITIONS.includes(type))];
    const has = (name) => this.book.lane(name).length > 0;
    return lanes(this.pod, { deleting: has("deletion"), services: begun("endpoint/"), conditions });
  }

  // What stands at the right of a lane's name: sort and restarts, the running count of a probe.
  note(lane) {
    const marks = this.book.lane(lane.id);
    if (lane.kind === "container") {
      const attempt = marks.reduce((most, mark) => Math.max(most, mark.attempt ?? 0), 0);
      return [lane.note && t(lane.note), attempt ? t("restart {n}", { n: attempt }) : ""].filter(Boolean).join(" · ");
    }
    if ((lane.kind === "phase" || lane.kind === "pod") && lane.dim) return t("deleted");
    if (lane.kind === "log") return t("lines");
    if (lane.kind !== "probe" || !marks.length) return "";
    const last = marks.at(-1);
    const count = `${Math.min(last.run, last.threshold)}/${last.threshold}`;
    return last.outcome === "failure" ? t("fail {count}", { count }) : last.outcome === "success" ? `${count} ✓` : t(last.outcome);
  }

  linkOf() {
    return "";
  }

  // The first news is here; or with words: why there is none.
  arrived(words = "") {
    this.wait.hidden = !words;
    if (words) this.wait.textContent = words;
  }

  changed() {
    this.relayout();
    this.dirty = true;
  }

  // --- the view --------------------------------------------------------------------------------------------------

  showRange(from, to) {
    this.mode = "still";
    this.view(scale(from, to, this.s.width, this.folds));
  }

  view(s) {
    this.s = s;
    this.dirty = true;
    this.onView?.(this);
    if (this.liveButton) this.liveButton.setAttribute("aria-pressed", String(this.mode !== "still"));
  }

  live() {
    this.mode = "auto";
    this.settle();
    this.view(this.s);
  }

  fitMark() {
    const mark = this.book.get(this.selected);
    if (!mark) return this.all();
    const end = mark.t1 ?? mark.tUntil ?? this.last;
    const length = Math.max(end - mark.t0, 4000);
    this.mode = "still";
    this.view(scale(mark.t0 - length * 0.3, mark.t0 + length * 1.3, this.s.width, this.folds));
  }

  all() {
    this.mode = this.now === null || this.past ? "still" : "auto";
    this.view(fit(this.first, this.last, this.s.width, this.folds));
    this.settle();
  }

  zoomBy(factor, x = null) {
    const now = this.now;
    const live = this.mode !== "still" && now !== null;
    const at = x ?? (live ? toX(this.s, now) : this.s.width / 2);
    // Whoever zooms at the live edge goes on following it.
    this.mode = live && (x === null || x > toX(this.s, now) - this.s.width * 0.1) ? "follow" : "still";
    this.view(zoom(this.s, factor, at));
  }

  panBy(pixels) {
    this.mode = "still";
    this.view(pan(this.s, pixels));
  }

  scrollBy(pixels) {
    this.scroller.scrollTop += pixels;
  }

  get scrolls() {
    return this.layout.height > this.seen;
  }

  scrolled() {
    this.dirty = true;
    this.onView?.(this);
  }

  // Let the window go with time.
  settle() {
    const now = this.now;
    if (this.folding) this.refold(now);
    if (this.mode === "still") return;
    if (now === null) {
      if (this.mode === "auto" && this.book.size) this.s = fit(this.first, this.last, this.s.width, this.folds);
      return;
    }
    if (this.mode === "follow") {
      this.s = follow(this.s, now, this.first);
      return;
    }
    const [begin, at] = [folded(this.folds, this.first), folded(this.folds, now)];
    const length = Math.max(START_LENGTH, Math.min(at - begin, LONGEST_AUTO) * 1.3);
    const from = at - begin > LONGEST_AUTO ? at - length / 1.3 : begin - length * 0.012;
    this.s = scale(unfolded(this.folds, from), unfolded(this.folds, from + length), this.s.width, this.folds);
  }

  // --- folds and ranges ------------------------------------------------------------------------------------------

  fold(yes = !this.folding) {
    this.folding = yes;
    this.foldButton?.setAttribute("aria-pressed", String(yes));
    this.refold(this.now);
    this.view(this.s);
  }

  // The window keeps its ends; only what lies between is drawn shorter. Looked for again when there is something new.
  refold(now) {
    const key = this.folding ? `${this.book.version}/${Math.floor((now ?? this.last) / 1000)}` : "";
    if (key === this.foldKey) return;
    this.foldKey = key;
    this.folds = this.folding ? idle(this.book.sorted, this.first, now ?? this.last) : [];
    if (this.folds.length || this.s.folds.length) this.s = scale(this.s.from, this.s.to, this.s.width, this.folds);
  }

  setRange(range) {
    this.range = range;
    this.dirty = true;
    this.onRange?.(range);
  }

  // --- painting --------------------------------------------------------------------------------------------------

  themed() {
    this.colours = palette(this.root);
    this.dirty = true;
  }

  resize() {
    this.zoom = this.plot.currentCSSZoom ?? 1; // on a projector the style sheet makes the pixels of the lanes larger
    const { ratio } = this;
    // Where the lanes scroll, the room below few of them belongs to the drawing as well.
    const room = this.scroller.classList.contains("many") ? this.scroller.clientHeight : 0;
    const height = Math.max(this.layout.height, room);
    this.plot.style.height = `${height}px`;
    const width = Math.max(this.plot.clientWidth, 50);
    this.seen = Math.max(Math.min(this.scroller.clientHeight || height, height), 20);
    if (width !== this.s.width || this.s.folds !== this.folds) this.s = scale(this.s.from, this.s.to, width, this.folds);
    this.axis.style.width = `${width}px`;
    fitCanvas(this.canvas, width, this.seen, ratio);
    if (this.minimap) fitCanvas(this.minimap, width, MINIMAP, ratio);
    this.dirty = true;
  }

  get ratio() {
    return (devicePixelRatio || 1) * this.zoom;
  }

  // One frame when something changed; while time runs, as often as it can be seen to move.
  loop() {
    const frame = (at) => {
      if (this.root.offsetParent !== null && !document.hidden && (this.dirty || this.due(at))) {
        this.painted = at;
        this.dirty = false;
        this.frame();
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  due(at) {
    if (this.past || !this.clock.running || this.now === null) return false;
    const pixel = this.s.length / this.s.width / Math.max(this.clock.speed, 0.01);
    const often = this.book.counting.size ? 100 : Math.min(Math.max(pixel / 2, 50), 1000);
    return at - (this.painted ?? 0) >= (this.calm.matches ? 1000 : often);
  }

  // The lanes that are in sight.
  get inSight() {
    const top = this.scroller.scrollTop;
    return visible(this.layout.lanes, top - 20, top + this.seen + 20);
  }

  frame() {
    this.settle();
    const { now, s, ratio } = this;
    const margin = perPixel(s) * 24;
    const [from, to] = [s.from - margin, s.to + margin];
    const shown = this.inSight;
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(ctx, {
      s, now, edge: this.last, lanes: shown, top: this.scroller.scrollTop, height: this.seen, origin: this.absolute ? 0 : this.origin,
      colours: this.colours, marksOf: (lane) => this.book.part(lane, from, to), laneOf: (id) => this.byLane?.get(id),
      selected: this.selected, hover: this.hover, logTimes: this.logTimes, range: this.range, leftWord: t("left"),
    });
    this.labels.show(shown, this.layout.height, { headed: this.headed });
    writeAxis(this.axis, {
      s, now, word: this.edgeWord, origin: this.origin, zero: this.absolute ? 0 : this.origin,
      timeText: (time, step) => this.timeText(time, step),
    });
    if (this.minimap) this.paintMinimap(ratio);
    this.onFrame?.(now);
  }

  get edgeWord() {
    if (this.past) return t(this.recorded ? "END" : "REPLAY");
    return t(this.clock.paused ? "PAUSED" : "LIVE");
  }

  timeText(time, step = 100) {
    if (this.times === "since") return sinceText(time, this.origin, step);
    const decimals = step < 10 ? 3 : step < 100 ? 2 : step < 1000 ? 1 : 0;
    if (this.times === "lab") return clockText(time, { decimals });
    return clockText(this.walls.at(time, this.present), { decimals, utc: false });
  }

  // [lab, wall] at this instant, while the clock runs and is known.
  get present() {
    const lab = this.clock.frozen === null ? this.clock.now() : null;
    return lab === null || this.past ? null : [lab, Date.now()];
  }

  paintMinimap(ratio) {
    const { s, last, now } = this;
    const whole = fit(this.first, Math.max(last, s.to), s.width, this.folds);
    this.whole = whole;
    const ctx = this.minimap.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintMinimap(ctx, { s: whole, now: now ?? last, window: s, drag: this.dragging ?? null, height: MINIMAP, colours: this.colours, ...this.summary(whole) });
  }

  // What the minimap shows: rows of spans, or how much happened.
  summary() {
    const names = (this.pod?.containers ?? []).filter((one) => one.sort !== "init").map((one) => `container/${one.name}`);
    return { rows: [...names.slice(0, 5), "deletion"].map((name) => this.book.lane(name)).filter((marks) => marks.length) };
  }

  // --- what is under the pointer, and what is chosen ---------------------------------------------------------------

  at(x, y) {
    const view = { lanes: this.layout.lanes, partOf: (lane, from, to) => this.book.part(lane, from, to), s: this.s, now: this.last };
    return hit(x, y + this.scroller.scrollTop, view);
  }

  point(x, y) {
    const mark = x < 0 ? null : this.at(x, y);
    this.plot.style.cursor = mark ? "pointer" : "";
    this.tip.hidden = mark === null;
    this.hover = x < 0 ? null : toTime(this.s, x);
    this.dirty = true;
    this.onHover?.(this.hover);
    if (!mark) return;
    this.tip.textContent = `${this.timeText(mark.t0)}  ${mark.sentence || mark.text || mark.reason}`;
    const flip = x > this.s.width - 300;
    this.tip.style.transform = `translate(${flip ? "-100%" : "0"}, 0)`;
    this.tip.style.left = `${flip ? x - 10 : x + 12}px`;
    this.tip.style.top = `${y + this.scroller.scrollTop + 14}px`;
  }

  select(id, { reveal = true } = {}) {
    this.selected = id;
    this.dirty = true;
    const mark = this.book.get(id);
    if (mark && reveal) this.reveal(mark);
    this.onSelect?.(mark);
  }

  reveal(mark) {
    const lane = this.byLane?.get(mark.lane);
    const top = this.scroller.scrollTop;
    if (lane && (lane.y < top || lane.y + lane.height > top + this.seen)) this.scroller.scrollTop = lane.y - this.seen / 2;
    const x = toX(this.s, mark.t0);
    const end = toX(this.s, mark.t1 ?? mark.tUntil ?? this.last);
    if (end >= 0 && x <= this.s.width) return;
    const length = this.s.to - this.s.from;
    this.mode = "still";
    this.view(scale(mark.t0 - length / 2, mark.t0 + length / 2, this.s.width, this.folds));
  }

  step(direction) {
    const mark = this.book.neighbour(this.selected, direction);
    if (mark) this.select(mark.id);
  }

  toggle() {
    if (this.mode === "still") this.live();
    else this.showRange(this.s.from, this.s.to);
  }

  switchTimes(to = TIMES[(TIMES.indexOf(this.times) + 1) % TIMES.length]) {
    this.times = TIMES.includes(to) ? to : "since";
    if (this.timesButton) this.timesButton.dataset.times = this.times;
    this.dirty = true;
    this.onView?.(this);
  }
}
