import assert from "node:assert/strict";
import { test } from "node:test";
import { onward } from "../../static/src/replay.js";
import { Walk } from "../../static/src/walk.js";
import { pause } from "../../static/src/watch.js";

test("play goes with its speed, skips what nothing happens in and stands at the end", () => {
  assert.equal(onward({ at: 1000, next: 2000 }, 100, 1), 1100);
  assert.equal(onward({ at: 1000, next: 2000 }, 100, 5), 1500);
  assert.equal(onward({ at: 0, next: 60_000 }, 100, 1), 58_000);
  assert.equal(onward({ at: 0, next: 60_000 }, 100, 10), 40_000);
  assert.equal(onward({ at: 7, next: null }, 100, 1), 7);
});

function walking() {
  const told = { opened: 0, back: 0, tick: 0 };
  const timeline = { past: { rev: 5, at: 1000 }, live() {} };
  const walk = new Walk(timeline, { open: () => (told.opened += 1), back: () => (told.back += 1), ticker: () => told.tick });
  return { told, timeline, walk };
}

test("a timeline that walks moves its edge at once and asks for what was known then", () => {
  const { told, timeline, walk } = walking();
  assert.deepEqual(walk.at, {});
  walk.to({ rev: 6, at: 2000 });
  assert.deepEqual([timeline.past, told.opened, told.back], [{ rev: 6, at: 2000 }, 1, 0]);
  assert.equal(walk.at.at, "1970-01-01T00:00:02.000Z");
});

test("it asks again when it was answered, not before; and forgets what is known when it goes back", () => {
  const { told, timeline, walk } = walking();
  walk.to({ rev: 6, at: 2000 });
  walk.to({ rev: 7, at: 3000 });
  assert.equal(told.opened, 1);
  clearTimeout(walk.timer);
  walk.timer = 0;
  walk.answered();
  told.tick = 600;
  walk.ask();
  assert.deepEqual([told.opened, timeline.past.rev], [2, 7]);
  walk.answered();
  told.tick = 1200;
  walk.to({ rev: 5, at: 1000 });
  assert.deepEqual([told.opened, told.back], [3, 1]);
});

test("a part that is dear to draw is asked for less often", () => {
  assert.deepEqual([pause(1), pause(200), pause(60_000)], [80, 600, 5000]);
});
