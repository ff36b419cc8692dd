import assert from "node:assert/strict";
import { test } from "node:test";
import { folded, idle, unfolded } from "../../static/src/folds.js";
import { trimmed } from "../../static/src/twin.js";
import { fit, pan, perPixel, scale, ticks, toTime, toX, zoom } from "../../static/src/scale.js";

const mark = (t0, t1 = t0, more = {}) => ({ kind: "span", t0, t1, ...more });
const HOUR = 3_600_000;
const life = [mark(0, 10_000), mark(HOUR, HOUR + 20_000)];

test("a stretch without news is folded, with a margin on both sides", () => {
  const [fold, ...more] = idle(life, 0, HOUR + 20_000);
  assert.deepEqual([fold.from, fold.to, more.length], [14_000, HOUR - 4_000, 0]);
  assert.equal(idle([mark(0, 10_000), mark(50_000)], 0, 50_000).length, 0);
});

test("a probe that says the same and lines of a log are no news, a failure is", () => {
  const probe = (t0, outcome) => mark(t0, t0, { kind: "probe", outcome, caused: "" });
  const quiet = [...life, probe(HOUR / 2, "success"), mark(HOUR / 3, HOUR / 3, { kind: "log" })];
  assert.equal(idle(quiet, 0, HOUR + 20_000).length, 1);
  assert.equal(idle([...life, probe(HOUR / 2, "failure")], 0, HOUR + 20_000).length, 2);
});

test("there and back gives the same moment, in order, and without folds nothing changes", () => {
  const folds = idle([...life, mark(2 * HOUR)], 0, 2 * HOUR);
  assert.equal(folds.length, 2);
  let last = -Infinity;
  for (let time = -60_000; time < 2.2 * HOUR; time += 7_919) {
    const at = folded(folds, time);
    assert.ok(at > last);
    last = at;
    assert.ok(Math.abs(unfolded(folds, at) - time) < 1e-3);
    assert.equal(folded([], time), time);
  }
});

test("a folded axis fits an hour of waiting into the page and keeps what is under the pointer", () => {
  const folds = idle(life, 0, HOUR + 20_000);
  const s = fit(0, HOUR + 20_000, 1000, folds);
  assert.ok(perPixel(s) < 60);
  const time = toTime(s, 700);
  assert.ok(Math.abs(toX(zoom(s, 0.5, 700), time) - 700) < 0.01);
  assert.ok(Math.abs(toX(pan(s, 100), time) - 600) < 0.01);
});

test("no tick stands in a fold", () => {
  const folds = idle(life, 0, HOUR + 20_000);
  const s = scale(0, HOUR + 20_000, 1000, folds);
  const { times } = ticks(s, 0);
  assert.ok(times.length > 3 && times.length < 20);
  assert.ok(times.every((time) => time <= folds[0].from || time >= folds[0].to));
  assert.ok(times.at(-1) > HOUR - 5_000);
});

test("a list that is too long loses the probes that say the same, the oldest first", () => {
  const probe = (t0, outcome = "success") => mark(t0, t0, { kind: "probe", outcome, caused: "" });
  const marks = [mark(0, 10), probe(1), probe(2), probe(3, "failure"), probe(4), mark(5)];
  assert.deepEqual(trimmed(marks, 4).map((one) => one.t0), [0, 3, 4, 5]);
  assert.deepEqual(trimmed(marks, 2).map((one) => one.t0), [3, 5]);
  assert.equal(trimmed(marks, 6), marks);
});
