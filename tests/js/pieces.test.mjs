import assert from "node:assert/strict";
import { test } from "node:test";
import { linesOf } from "../../static/src/card.js";
import { LabClock } from "../../static/src/labclock.js";
import { bursts, plain } from "../../static/src/logs.js";
import { attributes } from "../../static/src/twin.js";
import { t } from "../../static/src/words.js";

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
});

test("lines that come close together are one burst a container and run", () => {
  const line = (container, at, attempt = 0) => ({ container, attempt, at: new Date(at).toISOString() });
  const found = bursts([line("a", 0), line("b", 500), line("a", 1500), line("a", 9000), line("a", 9500, 1)]);
  assert.deepEqual(found.map((one) => [one.container, one.attempt, one.count]), [["a", 0, 2], ["b", 0, 1], ["a", 0, 1], ["a", 1, 1]]);
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
