// The timeline of one pod: holds the view, listens to hands and keys, paints when something moved.

import { palette, paint, paintMinimap } from "./draw.js";
import { folded, idle, unfolded } from "./folds.js";
import { hands } from "./hands.js";
import { CONDITIONS, hit, lanes } from "./layout.js";
import { fit, follow, pan, scale, ticks, toTime, toX, zoom } from "./scale.js";
import { clockText, left, sinceText } from "./times.js";
import { t } from "./words.js";

const START_LENGTH = 72_000;
const LONGEST_AUTO = 15 * 60_000;
const AXIS = 26;

export class Timeline {
  constructor(root, { book, clock, onSelect, onView, onRange }) {
    Object.assign(this, { root, book, clock, onSelect, onView, onRange });
    this.canvas = root.querySelector("canvas.plot");
    this.plot = root.querySelector(".timeline-plot");
    this.axis = root.querySelector(".timeline-axis");
    this.labels = root.querySelector(".timeline-labels");
    this.minimap = root.querySelector("canvas.minimap");
    this.tip = root.querySelector(".timeline-tip");
    this.foldButton = root.querySelector("[data-do=fold]");
    this.headed = true; // the conditions have a heading
    this.range = null; // [from, to] that filters what stands beside
    this.folding = false;
    this.folds = [];
    this.liveButton = root.querySelector("[data-do=live]");
    this.pod = null;
    this.selected = null;
    this.hover = null;
    this.logTimes = [];
    this.absolute = root.dataset.times === "absolute";
    this.mode = "auto"; // auto: everything from the start; follow: a window at the live edge; still: where the person is
    this.s = scale(0, START_LENGTH, 600);
    this.layout = { lanes: [], height: 60 };
    this.dirty = true;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(() => this.resize()).observe(this.plot);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.themed());
    addEventListener("podlab:theme", () => this.themed());
    this.themed();
    hands(this);
    this.resize();
    this.loop();
  }

  // --- what is shown ---------------------------------------------------------------------------------------------

  get origin() {
    return this.pod ? Date.parse(this.pod.created) : (this.book.first ?? 0);
  }

  get first() {
    return Math.min(this.book.first ?? Infinity, this.origin);
  }

  // Where the live edge is; null when the pod is gone and nothing moves any more.
  get now() {
    const now = this.clock.now();
    return this.pod?.gone || now === null ? null : Math.max(now, this.book.sorted.length ? this.book.last : now);
  }

  get last() {
    return this.now ?? Math.max(this.book.last, this.first + 1000);
  }

  setPod(pod) {
    this.pod = pod;
    this.relayout();
  }

  relayout() {
    this.layout = this.makeLanes();
    this.byLane = new Map();
    for (const mark of this.book.sorted) {
      if (!this.byLane.has(mark.lane)) this.byLane.set(mark.lane, []);
      this.byLane.get(mark.lane).push(mark);
    }
    this.writeLabels();
    this.resize();
  }

  makeLanes() {
    const types = new Set(this.book.sorted.filter((mark) => mark.kind === "condition").map((mark) => mark.lane.slice(10)));
    const conditions = [...CONDITIONS, ...[...types].filter((type) => !CONDITIONS.includes(type))];
    return lanes(this.pod, { deleting: this.book.lane("deletion").length > 0, conditions });
  }

  writeLabels() {
    const made = this.layout.lanes.map((lane) => {
      const label = document.createElement("div");
      label.className = `lane-label lane-${lane.kind}${lane.sub ? " sub" : ""}${lane.dim ? " dim" : ""}`;
      label.style.top = `${lane.y}px`;
      label.style.height = `${lane.height}px`;
      const name = document.createElement("span");
      name.className = "lane-name";
      name.textContent = lane.kind === "container" || lane.kind === "condition" || lane.link ? lane.label : t(lane.label);
      const note = document.createElement("span");
      note.className = "lane-note";
      note.textContent = this.note(lane);
      label.title = [name.textContent, note.textContent].filter(Boolean).join(" · ");
      label.append(name, note);
      return label;
    });
    const heading = this.layout.lanes.find((lane) => lane.kind === "condition");
    if (heading && this.headed) {
      const title = document.createElement("div");
      title.className = "lane-heading";
      title.style.top = `${heading.y}px`;
      title.textContent = t("Conditions");
      made.push(title);
    }
    this.labels.replaceChildren(...made);
    this.labels.style.height = `${this.layout.height}px`;
  }

  // What stands at the right of a lane's name: sort and restarts, the running count of a probe.
  note(lane) {
    const marks = this.marksOf(lane.id);
    if (lane.kind === "container") {
      const attempt = marks.reduce((most, mark) => Math.max(most, mark.attempt ?? 0), 0);
      return [lane.note && t(lane.note), attempt ? t("restart {n}", { n: attempt }) : ""].filter(Boolean).join(" · ");
    }
    if (lane.kind === "phase" && lane.dim) return t("deleted");
    if (lane.kind !== "probe" || !marks.length) return "";
    const last = marks.at(-1);
    const count = `${Math.min(last.run, last.threshold)}/${last.threshold}`;
    return last.outcome === "failure" ? t("fail {count}", { count }) : last.outcome === "success" ? `${count} ✓` : last.outcome;
  }

  marksOf = (lane) => this.byLane?.get(lane) ?? [];

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

  fit() {
    if (this.selected && this.mode !== "still") return this.fitMark();
    this.all();
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
    this.mode = this.now === null ? "still" : "auto";
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

  // Let the window go with time.
  settle() {
    const now = this.now;
    if (this.folding) this.refold(now);
    if (this.mode === "still") return;
    if (now === null) {
      if (this.mode === "auto" && this.book.sorted.length) this.s = fit(this.first, this.last, this.s.width, this.folds);
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

  // The window keeps its ends; only what lies between is drawn shorter.
  refold(now) {
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
    const ratio = devicePixelRatio || 1;
    const width = Math.max(this.plot.clientWidth, 50);
    this.s = scale(this.s.from, this.s.to, width, this.folds);
    this.size(this.canvas, width, this.layout.height, ratio);
    if (this.minimap) this.size(this.minimap, width, 30, ratio);
    this.plot.style.height = `${this.layout.height + AXIS}px`;
    this.dirty = true;
  }

  size(canvas, width, height, ratio) {
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width === w && canvas.height === h) return;
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
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
    if (!this.clock.running || this.now === null) return false;
    const perPixel = this.s.length / this.s.width / Math.max(this.clock.speed, 0.01);
    const waiting = this.book.sorted.some((mark) => mark.tUntil !== null && mark.t1 === null);
    const often = waiting ? 100 : Math.min(Math.max(perPixel / 2, 50), 1000);
    return at - (this.painted ?? 0) >= (this.calm.matches ? 1000 : often);
  }

  frame() {
    this.settle();
    const ratio = devicePixelRatio || 1;
    const now = this.now;
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(ctx, {
      s: this.s, lanes: this.layout.lanes, height: this.layout.height, now, origin: this.absolute ? 0 : this.origin,
      colours: this.colours, marksOf: this.marksOf, selected: this.selected, hover: this.hover, logTimes: this.logTimes, range: this.range,
      leftWord: t("left"),
    });
    this.writeAxis(now);
    if (this.minimap) this.paintMinimap(ratio, now);
    this.onFrame?.(now);
  }

  writeAxis(now) {
    const { step, times } = ticks(this.s, this.absolute ? 0 : this.origin);
    const labels = times.map((time) => {
      const label = time === this.origin && !this.absolute ? t("apply") : this.timeText(time, step);
      return [toX(this.s, time), label, "tick"];
    });
    if (now !== null) labels.push([toX(this.s, now), this.clock.paused ? t("PAUSED") : t("LIVE"), "edge"]);
    for (const fold of this.s.folds) {
      const x = (toX(this.s, fold.from) + toX(this.s, fold.to)) / 2;
      labels.push([x, `${left(fold.to - fold.from)}`, "fold"]);
    }
    const edgeX = now === null ? -1000 : toX(this.s, now);
    const shown = labels.filter(
      ([x, , kind]) => x >= 0 && x <= this.s.width && (kind === "edge" || Math.abs(x - edgeX) > 52),
    );
    while (this.axis.children.length > shown.length) this.axis.lastChild.remove();
    while (this.axis.children.length < shown.length) this.axis.append(document.createElement("span"));
    shown.forEach(([x, label, kind], index) => {
      const element = this.axis.children[index];
      if (element.textContent !== label) element.textContent = label;
      element.className = kind;
      element.style.transform = `translateX(clamp(0px, calc(${x.toFixed(1)}px - 50%), calc(${this.s.width.toFixed(0)}px - 100%)))`;
    });
  }

  timeText(time, step = 100) {
    if (this.absolute) return clockText(time, { decimals: step < 10 ? 3 : step < 100 ? 2 : step < 1000 ? 1 : 0 });
    return sinceText(time, this.origin, step);
  }

  paintMinimap(ratio, now) {
    const ctx = this.minimap.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const whole = fit(this.first, Math.max(this.last, this.s.to), this.s.width, this.folds);
    this.whole = whole;
    const rows = this.minimapLanes().map(this.marksOf).filter((marks) => marks.length);
    paintMinimap(ctx, { s: whole, rows, now: now ?? this.last, window: this.s, height: 30, colours: this.colours });
  }

  minimapLanes() {
    const names = (this.pod?.containers ?? []).filter((one) => one.sort !== "init").map((one) => `container/${one.name}`);
    return [...names.slice(0, 5), "deletion"];
  }

  // --- what is under the pointer, and what is chosen ---------------------------------------------------------------

  at(x, y) {
    return hit(x, y, { lanes: this.layout.lanes, marksOf: this.marksOf, s: this.s, now: this.now ?? this.last });
  }

  point(x, y) {
    const mark = x < 0 ? null : this.at(x, y);
    this.plot.style.cursor = mark ? "pointer" : "";
    this.tip.hidden = mark === null;
    this.hover = x < 0 ? null : toTime(this.s, x);
    this.dirty = true;
    if (!mark) return;
    this.tip.textContent = `${this.timeText(mark.t0)}  ${mark.sentence}`;
    const flip = x > this.s.width - 300;
    this.tip.style.transform = `translate(${flip ? "-100%" : "0"}, 0)`;
    this.tip.style.left = `${flip ? x - 10 : x + 12}px`;
    this.tip.style.top = `${y + AXIS + 14}px`;
  }

  select(id) {
    this.selected = id;
    this.dirty = true;
    const mark = this.book.get(id);
    if (mark) this.reveal(mark);
    this.onSelect?.(mark);
  }

  reveal(mark) {
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

  switchTimes() {
    this.absolute = !this.absolute;
    this.dirty = true;
    this.onView?.(this);
  }
}
