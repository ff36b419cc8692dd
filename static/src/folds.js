// Folding of idle stretches: which they are, and times with them made short. Pure.

export const SHORTEST_IDLE = 45_000; // ms in which nothing changes before it is worth folding
const MARGIN = 4_000; // ms that stay unfolded on both sides
const SHOWN = 3_000; // what a fold is as long as, at least

// A probe that says the same as ever, or lines in a log, are not news.
export const news = (mark) => mark.kind !== "log" && (mark.kind !== "probe" || Boolean(mark.caused) || mark.outcome !== "success");

// The stretches between `first` and `last` in which no mark begins or ends: [{from, to, removed, before}].
export function idle(marks, first, last) {
  const moments = [first, last];
  for (const mark of marks) {
    if (!news(mark)) continue;
    moments.push(mark.t0);
    if (mark.t1 !== null) moments.push(mark.t1);
  }
  moments.sort((a, b) => a - b);
  const gaps = [];
  for (let i = 1; i < moments.length; i += 1) {
    if (moments[i] > last || moments[i - 1] < first) continue;
    if (moments[i] - moments[i - 1] >= SHORTEST_IDLE) gaps.push({ from: moments[i - 1] + MARGIN, to: moments[i] - MARGIN });
  }
  const busy = last - first - gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0);
  const shown = Math.max(SHOWN, busy / 25);
  let before = 0;
  const folds = [];
  for (const { from, to } of gaps) {
    const removed = to - from - shown;
    if (removed <= 0) continue;
    folds.push({ from, to, removed, before });
    before += removed;
  }
  return folds;
}

// A moment on the axis with the folds made short: the same as the moment itself without folds.
export function folded(folds, time) {
  let shift = 0;
  for (const { from, to, removed, before } of folds) {
    if (time <= from) break;
    if (time < to) return from - before + ((time - from) / (to - from)) * (to - from - removed);
    shift = before + removed;
  }
  return time - shift;
}

export function unfolded(folds, at) {
  let shift = 0;
  for (const { from, to, removed, before } of folds) {
    const begin = from - before;
    if (at <= begin) break;
    const length = to - from - removed;
    if (at < begin + length) return from + ((at - begin) / length) * (to - from);
    shift = before + removed;
  }
  return at + shift;
}

// How much happened, by columns of `size` px of a scale: [{x, count, grave}].
export function histogram(events, s, size = 3) {
  const columns = new Map();
  for (const mark of events) {
    const x = Math.floor((((folded(s.folds, mark.t0) - s.begin) / s.length) * s.width) / size) * size;
    const column = columns.get(x) ?? { x, count: 0, grave: 0 };
    column.count += 1;
    if (mark.state === "Warning") column.grave += 1;
    columns.set(x, column);
  }
  return [...columns.values()];
}
