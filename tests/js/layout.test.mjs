import assert from "node:assert/strict";
import { test } from "node:test";
import { Book } from "../../static/src/book.js";
import { bars, clusters, density, hit, lanes, leads, remaining, tickHeight, ticksOf, visible } from "../../static/src/layout.js";
import { grouped, spaceLanes } from "../../static/src/layout_space.js";
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
    ["phase", "container/wait", "container/app", "probe/app/liveness", "probe/app/readiness", "events", "log", "deletion"],
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

test("a wait without length leaves the run that began with it its bar", () => {
  const wait = mark("wait:app:1", 10, { end: at(10), state: "waiting", rev: 2 });
  const found = bars(book(mark("run:app:0", 10, { rev: 2 }), wait).sorted, s, 50_000);
  assert.deepEqual(found.map((bar) => [bar.mark.id, bar.x0, bar.x1]), [["run:app:0", 100, 500], ["wait:app:1", 100, 101]]);
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
  const view = { lanes: all, partOf: (lane, from, to) => known.part(lane, from, to), s, now: 50_000 };
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

const owner = (kind, name) => ({ kind, name, uid: `uid-${name}` });
const row = (name, created, owners = [], more = {}) => ({ uid: `u-${name}`, name, created, gone: false, owners, containers: pod.containers, ...more });

test("pods stand under their owner, those of one ReplicaSet together, bare ones last", () => {
  const web = owner("Deployment", "web");
  const [old, fresh] = [owner("ReplicaSet", "web-1"), owner("ReplicaSet", "web-2")];
  const found = grouped([row("bare", "1"), row("a", "2", [web, old]), row("c", "3", [web, fresh]), row("b", "4", [web, old])]);
  assert.deepEqual(found.map((group) => [group.chain[0]?.name, group.pods.map((one) => one.name)]), [["web", ["a", "b", "c"]], [undefined, ["bare"]]]);
});

test("a namespace has a row for each pod, all lanes of those that are opened, none of closed groups", () => {
  const set = [owner("ReplicaSet", "web")];
  const pods = [row("one", "1", set), row("two", "2", set, { gone: true, containers: [] }), row("bare", "3")];
  const ids = (options) => spaceLanes(pods, options).lanes.map((lane) => lane.id);
  assert.deepEqual(ids(), ["events", "group/uid-web", "u-one/pod", "u-two/pod", "u-bare/pod"]);
  assert.deepEqual(ids({ shut: new Set(["uid-web"]), opened: new Set(["u-bare"]) }), [
    "events", "group/uid-web", "u-bare/phase", "u-bare/condition/Ready", "u-bare/container/wait", "u-bare/container/app",
    "u-bare/probe/app/liveness", "u-bare/probe/app/readiness",
  ]);
  const { lanes: found, height } = spaceLanes(pods);
  assert.deepEqual(found.filter((lane) => lane.dim).map((lane) => lane.id), ["u-two/pod"]);
  for (let i = 1; i < found.length; i += 1) assert.ok(found[i].y >= found[i - 1].y + found[i - 1].height);
  const first = found.find((lane) => lane.id === "u-one/pod");
  assert.deepEqual(first.rows.map((part) => part.id), ["u-one/phase", "u-one/container/wait", "u-one/container/app", "u-one/condition/Ready"]);
  assert.ok(first.rows.every((part) => part.y >= first.y && part.y + part.height <= first.y + first.height));
  assert.ok(height > found.at(-1).y + found.at(-1).height);
});

test("a pod that waits for a node has its phase in its row, under what its containers do later", () => {
  const { lanes: all } = spaceLanes([row("one", "1")]);
  const phase = mark("p", 0, { kind: "phase", lane: "u-one/phase", end: at(60) });
  const known = book(phase, mark("c", 30, { lane: "u-one/container/app" }));
  const view = { lanes: all, partOf: (lane, from, to) => known.part(lane, from, to), s, now: 90_000 };
  const y = all.find((lane) => lane.id === "u-one/pod").y + 12;
  assert.equal(hit(100, y, view).id, "p");
  assert.equal(hit(500, y, view).id, "c");
});

test("only lanes in sight are drawn, however many there are", () => {
  const all = Array.from({ length: 1000 }, (_, i) => ({ id: String(i), y: i * 20, height: 18 }));
  assert.deepEqual(visible(all, 100, 160).map((lane) => lane.id), ["5", "6", "7", "8"]);
  assert.deepEqual(visible(all, -50, -10), []);
});

test("what lies between two moments is found without the rest, open and long marks too", () => {
  const long = mark("long", 0, { end: at(900) });
  const many = Array.from({ length: 1000 }, (_, i) => mark(`m${i}`, i, { end: at(i + 0.5) }));
  const known = book(long, ...many, mark("open", 990));
  assert.deepEqual(known.part("container/app", 500_100, 501_200).map((one) => one.id).filter((id) => id !== "long").slice(-2), ["m500", "m501"]);
  assert.ok(known.part("container/app", 500_100, 501_200).includes(known.get("long")));
  assert.ok(known.part("container/app", 2_000_000, 3_000_000).includes(known.get("open")));
  assert.equal(known.part("container/none", 0, 1).length, 0);
  known.put([mark("m500", 700, { end: at(701) })]);
  assert.equal(known.size, 1002);
  assert.ok(!known.within(500_100, 500_400).some((one) => one.id === "m500"));
});

test("a countdown is one while it goes on", () => {
  const known = book(mark("w", 10, { until: at(30) }));
  assert.equal(known.counting.size, 1);
  known.put([mark("w", 10, { until: at(30), end: at(20) })]);
  assert.equal(known.counting.size, 0);
});

test("bars without room are one that stands for the gravest, ticks too", () => {
  const far = scale(0, 1_000_000_000, 1000);
  const ended = (id, start, outcome) => mark(id, start, { end: at(start + 10), state: "ended", outcome });
  const [bar, ...more] = bars(book(ended("a", 0, "completed"), ended("b", 20, "failed"), ended("c", 40, "completed")).sorted, far, 0);
  assert.deepEqual([bar.count, bar.mark.id, more.length], [3, "b", 0]);
  const probe = (id, start, outcome, latency_ms) => mark(id, start, { kind: "probe", end: at(start), outcome, caused: "", latency_ms });
  const [tick] = ticksOf(book(probe("p", 0, "success", 900), probe("q", 1, "failure", 2), probe("r", 2, "success", 3)).sorted, far);
  assert.deepEqual([tick.count, tick.mark.id, tick.latency], [3, "q", 900]);
});
