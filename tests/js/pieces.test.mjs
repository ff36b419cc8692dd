import assert from "node:assert/strict";
import { test } from "node:test";
import { told, understood } from "../../static/src/address.js";
import { Unpacker } from "../../static/src/batches.js";
import { beganAt, probeText } from "../../static/src/card.js";
import { LabClock } from "../../static/src/labclock.js";
import { bursts, lastOf, logCommand, plain } from "../../static/src/logs.js";
import { attributes } from "../../static/src/twin.js";
import { WallLine } from "../../static/src/times.js";
import { t } from "../../static/src/words.js";
import { linesOf } from "../../static/src/yaml_lines.js";

test("lab time runs with its speed, stands while paused and freezes when nobody vouches for it", () => {
  let tick = 0;
  const clock = new LabClock(() => tick);
  assert.equal(clock.now(), null);
  clock.hear({ lab: "1970-01-01T00:00:10Z", speed: 5, paused: false });
  tick = 1000;
  assert.equal(clock.now(), 15_000);
  clock.freeze();
  tick = 9000;
  assert.equal(clock.now(), 15_000);
  assert.equal(clock.running, false);
  clock.hear({ lab: "1970-01-01T00:01:00Z", speed: 5, paused: true });
  tick = 20_000;
  assert.equal(clock.now(), 60_000);
});

test("the evidence shows the field and what stands in it, without its margin", () => {
  const yaml = [
    { path: "spec", text: "spec:" },
    { path: "spec.containers[0].name", text: "    - name: app" },
    { path: "spec.containers[0].livenessProbe", text: "      livenessProbe:" },
    { path: "spec.containers[0].livenessProbe.periodSeconds", text: "        periodSeconds: 2" },
    { path: "spec.containers[1].name", text: "    - name: other" },
  ];
  assert.deepEqual(linesOf(yaml, "spec.containers[0].livenessProbe"), [
    { number: 3, text: "livenessProbe:" },
    { number: 4, text: "  periodSeconds: 2" },
  ]);
  assert.deepEqual(linesOf(yaml, "spec.containers[0]").map((line) => line.number), [2, 3, 4]);
  assert.deepEqual(linesOf(yaml, "spec.nothing"), []);
});

test("log lines lose terminal codes and other control characters", () => {
  assert.equal(plain("\u001b[31mred\u001b[0m \u0007bell\ttab"), "red �bell\ttab");
  assert.equal(plain("from a terminal\r"), "from a terminal");
});

test("lines that come close together are one burst a container and run", () => {
  const line = (container, at, attempt = 0) => ({ container, attempt, at: new Date(at).toISOString() });
  const found = bursts([line("a", 0), line("b", 500), line("a", 1500), line("a", 9000), line("a", 9500, 1)]);
  assert.deepEqual(found.map((one) => [one.container, one.attempt, one.count]), [["a", 0, 2], ["b", 0, 1], ["a", 0, 1], ["a", 1, 1]]);
});

test("fresh lines are put behind the others only when all of them were written later", () => {
  const [a, b, c, d] = ["1", "2", "3", "4"].map((at) => ({ at }));
  assert.deepEqual(lastOf([a, b, c, d], [d, c]), [c, d]);
  assert.equal(lastOf([a, b, c, d], [b, d]), null);
  assert.equal(lastOf([a, b, c, d], [c, a]), null);
});

test("the command for a line is that of its run, in its cluster, and none where Kubernetes has forgotten the run", () => {
  const place = { cluster: "main", namespace: "ns", name: "web" };
  const command = (attempt, more = {}) => logCommand({ ...place, ...more }, { container: "app", attempt }, 2);
  assert.equal(command(2), "kubectl logs web -c app -n ns");
  assert.equal(command(1), "kubectl logs web -c app -n ns --previous");
  assert.equal(command(0), "");
  assert.equal(command(2, { cluster: "sim" }), "kubectl logs web -c app -n ns --context podlab-sim");
});

test("the twin says what tests and assistive tools rely on", () => {
  const data = attributes({
    kind: "probe", container: "app", probe: "liveness", reason: "failure", outcome: "failure", start: "2026-01-01T00:00:00.000Z", rev: 7,
  });
  assert.equal(data["data-mark"], "probe");
  assert.equal(data["data-probe"], "liveness");
  assert.equal(data["data-at"], "2026-01-01T00:00:00.000Z");
  assert.equal(data["data-rev"], 7);
});

test("words without a catalogue are English and take their fields", () => {
  assert.equal(t("line {line}", { line: 3 }), "line 3");
  assert.equal(t("{missing} stays", {}), "{missing} stays");
});

test("packed rows become marks that lie on the lanes of their pod", () => {
  const unpacker = new Unpacker();
  unpacker.pods[3] = { uid: "u", name: "web" };
  const words = ["span", "container/app", "running", "Started", "#0", "app", "", "probe", "events", "event", "liveness", "failure", "restart"];
  const row = [3, "run:app:0", 1000, null, null, null, 0, 1, 2, 3, 4, 5, 6, 2, 6, 6, 6, 1, null, 0, 0, 7, 0, null];
  const tick = [3, 42, 2000, 5, 1, 10, 11, 3, 3, 4.5, 12];
  const [span, probe] = unpacker.marks({ words, marks: [row], ticks: [tick] });
  assert.deepEqual([span.id, span.lane, span.state, span.t0, span.t1, span.attempt, span.rev], ["u/run:app:0", "u/container/app", "running", 1000, null, 1, 7]);
  assert.equal(span.start, "1970-01-01T00:00:01.000Z");
  assert.deepEqual([probe.id, probe.lane, probe.target, probe.caused, probe.latency_ms], ["u/probe:42", "u/probe/app/liveness", "u/container/app", "restart", 4.5]);
});

test("the address says what is shown, and the other way round", () => {
  const timeline = { mode: "still", s: { from: 0, to: 60_000 }, range: [1000, 2000], folding: true, times: "lab", selected: "run:app:0" };
  const query = new URLSearchParams(Object.entries(told(timeline)));
  assert.deepEqual(understood(query), { window: [0, 60_000], range: [1000, 2000], fold: true, times: "lab", mark: "run:app:0" });
  const plain = told({ ...timeline, mode: "auto", range: null, folding: false, times: "since", selected: null });
  assert.ok(Object.values(plain).every((value) => value === ""));
  assert.deepEqual(understood(new URLSearchParams("from=nonsense&to=x&range=1")), { window: null, range: null, fold: false, times: "since", mark: null });
});

test("lab time is told as the time of the world by the moments at which both are known", () => {
  const line = new WallLine([[0, 1000], [100, 1010], [200, 2010]]);
  assert.deepEqual([line.at(-10), line.at(50), line.at(150), line.at(300)], [990, 1005, 1510, 2110]);
  assert.equal(new WallLine().at(7), 7);
});

test("a probe result says outcome, latency and count", () => {
  assert.equal(probeText({ kind: "probe", outcome: "failure", latency_ms: 4.26, run: 5, threshold: 3 }), "failure · 4.3 ms · 3/3");
  assert.equal(probeText({ kind: "probe", outcome: "success", latency_ms: 1500, run: 1, threshold: 1 }), "success · 1.5 s · 1/1");
  assert.equal(probeText({ kind: "span" }), "");
});

test("the moment of a mark is the revision at which it began, where that is known", () => {
  const began = (id, kind = "span") => beganAt({ id, kind, rev: 99 });
  assert.deepEqual([began("phase:12"), began("uid-1/condition:Ready:34"), began("wait:app:56"), began("run:app:0")], [12, 34, 56, 0]);
  assert.deepEqual([began("event:web.1:1", "event"), began("probe:7", "probe")], [99, 99]);
});
