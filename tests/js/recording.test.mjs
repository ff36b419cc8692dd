import assert from "node:assert/strict";
import { test } from "node:test";
import { Recording } from "../../static/src/recording.js";
import { linesOf } from "../../static/src/yaml_lines.js";

const AT = "2026-11-21T09:00:10.000Z";

test("what was recorded is played to whoever opens it, by name and container", () => {
  const heard = [];
  const recording = new Recording(
    [
      { type: "marks", sub: "pod", marks: [] },
      { type: "log", sub: "log:same", container: "same-1", lines: [] },
      { type: "log", sub: "log:same", container: "same-2", lines: [] },
    ],
    AT,
  );
  recording.open("pod", () => ({}), {
    marks: () => {
      heard.push("marks");
      // Opened while it plays: told at once.
      recording.open("log:same", () => ({ container: "same-2" }), { log: ({ container }) => heard.push(container) });
    },
  });
  assert.deepEqual(heard, []);
  recording.start();
  assert.deepEqual(heard, ["marks", "same-2"]);
});

test("its clock stands where the story ends", () => {
  const recording = new Recording([], AT);
  let told = null;
  recording.onClock((clock) => (told = clock.now()));
  recording.start();
  assert.equal(told, Date.parse(AT));
  assert.equal(recording.clock.running, false);
});

test("lines of a part of the YAML keep their numbers and lead nowhere", () => {
  const yaml = [{ path: "spec.nodeName", text: "  nodeName: a", number: 17, href: null }];
  assert.deepEqual(linesOf(yaml, "spec.nodeName"), [{ number: 17, text: "nodeName: a", href: null }]);
});
