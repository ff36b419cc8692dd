import assert from "node:assert/strict";
import { test } from "node:test";
import { Book } from "../../static/src/book.js";
import { bars, clusters, density, hit, lanes, leads, remaining, spaceLanes, tickHeight } from "../../static/src/layout.js";
import { scale } from "../../static/src/scale.js";

const at = (seconds) => new Date(seconds * 1000).toISOString();
const mark = (id, start, more = {}) => ({
  id, kind: "span", lane: "container/app", start: at(start), end: null, until: null, state: "running", rev: 1, seq: 0, ...more,
});
const s = scale(0, 100_000, 1000);
const pod = {
  containers: [
    { name: "wait", sort: "init", probes: [] },
    { name: "app", sort: "app", probes: [{ type: "liveness" }, { type: "readiness" }] },
  ],
};
const book = (...marks) => {
  const made = new Book();
  made.put(marks);
  return made;
};

test("lanes stand in the order of the story and do not overlap", () => {
  const { lanes: found, height } = lanes(pod, { deleting: true });
  assert.deepEqual(
    found.map((lane) => lane.id).filter((id) => !id.startsWith("condition/")),
    ["phase", "container/wait", "container/app", "probe/app/liveness", "probe/app/readiness", "log", "events", "deletion"],
  );
  for (let i = 1; i < found.length; i += 1) assert.ok(found[i].y >= found[i - 1].y + found[i - 1].height);
  assert.ok(height > found.at(-1).y + found.at(-1).height);
  assert.equal(lanes(null).lanes.some((lane) => lane.kind === "container"), false);
});

test("a bar that goes on ends at the live edge and one outside is left out", () => {
  const marks = book(mark("a", 10), mark("b", 20, { end: at(30) }), mark("c", 200)).sorted;
  const found = bars(marks, s, 50_000);
  assert.deepEqual(found.map((bar) => [bar.mark.id, bar.x0, bar.x1]), [["a", 100, 500], ["b", 200, 300]]);
});

test("an end without length can still be seen", () => {
  const [bar] = bars(book(mark("a", 10, { end: at(10) })).sorted, s, 50_000);
  assert.equal(bar.x1 - bar.x0, 1);
});

test("words begin after the ring of the run before, and only there", () => {
  const ended = mark("a", 10, { end: at(20), state: "ended", exit_code: 137 });
  const found = leads(bars(book(ended, mark("b", 20, { end: at(30) }), mark("c", 60)).sorted, s, 90_000));
  assert.ok(found[1].lead > 14 && found[1].lead < 30);
  assert.deepEqual([found[0].lead, found[2].lead], [0, 0]);
});

test("events that lie together are one, and the severe one is painted last", () => {
  const event = (id, start, state) => mark(id, start, { kind: "event", lane: "events", state });
  const found = clusters(book(event("w", 10, "Warning"), event("n", 10.5, "Normal"), event("m", 50, "Normal")).sorted, s);
  assert.deepEqual(found.map((one) => [one.mark.id, one.marks.length]), [["m", 1], ["w", 2]]);
});

test("a slow answer stands higher", () => {
  assert.equal(tickHeight(1, 20), 3);
  assert.equal(tickHeight(1000, 20), 20);
  assert.equal(tickHeight(60_000, 20), 20);
  assert.ok(tickHeight(30, 20) > tickHeight(3, 20));
});

test("a countdown empties from one to nothing", () => {
  const [wait] = book(mark("w", 10, { until: at(30) })).sorted;
  assert.deepEqual([10, 20, 30, 40].map((now) => remaining(wait, now * 1000)), [1, 0.5, 0, 0]);
  assert.equal(remaining(book(mark("x", 1)).sorted[0], 0), 0);
});

test("log lines are counted by place", () => {
  assert.deepEqual(density([10_000, 10_100, 50_000], s), [{ x: 100, count: 2 }, { x: 500, count: 1 }]);
});

test("a click finds the point before the span, the nearest first, and nothing on bare ground", () => {
  const { lanes: all } = lanes(pod);
  const probe = (id, start) => mark(id, start, { kind: "probe", lane: "probe/app/liveness", end: at(start) });
  const known = book(mark("span", 10), probe("p1", 20), probe("p2", 20.4));
  const view = { lanes: all, marksOf: (lane) => known.lane(lane), s, now: 50_000 };
  const y = (id) => all.find((lane) => lane.id === id).y + 3;
  assert.equal(hit(300, y("container/app"), view).id, "span");
  assert.equal(hit(205, y("probe/app/liveness"), view).id, "p2");
  assert.equal(hit(300, y("probe/app/liveness"), view), null);
  assert.equal(hit(300, -50, view), null);
});

test("the book keeps one mark an id, in time order, and knows neighbours on a lane", () => {
  const known = book(mark("b", 20), mark("a", 10), mark("e", 15, { lane: "events", kind: "event" }));
  known.put([mark("a", 10, { end: at(12) })]);
  assert.deepEqual(known.sorted.map((one) => one.id), ["a", "e", "b"]);
  assert.equal(known.get("a").t1, 12_000);
  assert.equal(known.neighbour("a", 1).id, "b");
  assert.equal(known.neighbour("b", 1), null);
  assert.equal(known.neighbour(null, 1).id, "a");
  assert.deepEqual(known.within(11_000, 16_000).map((one) => one.id), ["a", "e"]);
});

test("a namespace has the lanes of every pod, deleted ones dimmed, and one lane for all events", () => {
  const one = { uid: "u1", name: "web", gone: false, containers: pod.containers };
  const { lanes: found } = spaceLanes([one, { uid: "u2", name: "old", gone: true, containers: [] }]);
  assert.deepEqual(found.map((lane) => lane.id), [
    "u1/phase", "u1/condition/Ready", "u1/container/wait", "u1/container/app", "u1/probe/app/liveness", "u1/probe/app/readiness",
    "u2/phase", "u2/condition/Ready", "events",
  ]);
  assert.deepEqual(found.filter((lane) => lane.dim).map((lane) => lane.id), ["u2/phase", "u2/condition/Ready"]);
  for (let i = 1; i < found.length; i += 1) assert.ok(found[i].y >= found[i - 1].y + found[i - 1].height);
});
