import assert from "node:assert/strict";
import { test } from "node:test";
import { clockText, humanDuration, left, sinceText } from "../../static/src/times.js";

test("ages are written as kubectl writes them", () => {
  const cases = [
    [0, "0s"], [119_000, "119s"], [120_000, "2m"], [200_000, "3m20s"], [600_000, "10m"], [10_799_000, "179m"],
    [18_600_000, "5h10m"], [28_800_000, "8h"], [172_800_000, "2d"], [273_600_000, "3d4h"], [63_072_000_000, "2y"],
    [-1000, "0s"], [-5000, "<invalid>"],
  ];
  for (const [span, text] of cases) assert.equal(humanDuration(span), text);
});

test("a countdown never says less than nothing", () => {
  assert.equal(left(5540), "5.5 s");
  assert.equal(left(48_900), "48 s");
  assert.equal(left(200_000), "3 m 20 s");
  assert.equal(left(-3), "0.0 s");
});

test("moments since apply are as exact as the ticks are apart", () => {
  assert.equal(sinceText(1600, 0, 1000), "+2s");
  assert.equal(sinceText(1640, 0, 100), "+1.6s");
  assert.equal(sinceText(-500, 0, 100), "−0.5s");
  assert.equal(sinceText(200_000, 0), "+3m20s");
  assert.equal(sinceText(7_380_000, 0), "+2h03m");
});

test("clock times are UTC", () => {
  assert.equal(clockText(Date.parse("2026-11-21T02:03:04.567Z"), { decimals: 1 }), "02:03:04.5");
});
