import assert from "node:assert/strict";
import { test } from "node:test";
import { fit, follow, pan, scale, SHORTEST, stepFor, ticks, toTime, toX, zoom } from "../../static/src/scale.js";

const s = scale(1000, 11_000, 500);

test("time and place are each other's inverse", () => {
  assert.equal(toX(s, 6000), 250);
  assert.equal(toTime(s, 250), 6000);
});

test("zoom keeps what is under the pointer", () => {
  for (const x of [0, 123, 500]) {
    const near = zoom(s, 0.5, x);
    assert.ok(Math.abs(toTime(near, x) - toTime(s, x)) < 1e-6);
    assert.equal(near.to - near.from, 5000);
  }
});

test("zoom ends at a length that can still be seen", () => {
  assert.equal(zoom(s, 1e-9, 0).to - zoom(s, 1e-9, 0).from, SHORTEST);
});

test("panning moves by pixels and keeps the length", () => {
  const moved = pan(s, 50);
  assert.deepEqual([moved.from, moved.to], [2000, 12_000]);
});

test("fit leaves air on both sides and survives a single moment", () => {
  const all = fit(0, 10_000, 100);
  assert.ok(all.from < 0 && all.to > 10_000);
  assert.ok(fit(5, 5, 100).to > 5);
});

test("the window follows the live edge at four fifths", () => {
  assert.equal(follow(s, 5000, 0), s);
  const later = follow(s, 20_000, 0);
  assert.ok(Math.abs(toX(later, 20_000) - 400) < 1e-6);
  assert.equal(later.to - later.from, 10_000);
});

test("ticks are round moments since the origin, never closer than asked", () => {
  const { step, times } = ticks(scale(0, 72_000, 900), 0);
  assert.equal(step, 10_000);
  assert.deepEqual(times.slice(0, 3), [0, 10_000, 20_000]);
  for (const length of [50, 1e3, 6e4, 3.6e6, 8.64e7, 3e9]) {
    const one = scale(0, length, 800);
    assert.ok((stepFor(one) / length) * 800 >= 84);
    assert.ok(ticks(one, 0).times.length <= 11);
  }
});
