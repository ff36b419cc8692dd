import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { lanes } from "../../static/src/layout.js";

const probe = (type) => ({ type, failure_threshold: 3, success_threshold: 1, period: 10 });
const pod = {
  containers: [
    { name: "init", sort: "init", image: "", probes: [] },
    { name: "app", sort: "app", image: "", probes: [probe("liveness"), probe("readiness")] },
  ],
};

test("the page keeps as much room free as the timeline will take", () => {
  const going = { ...pod, deleting: true, gone: false };
  const code = "import json, sys; from podlab.web.pod_parts import timeline_height as of; print(*(of(*one) for one in json.load(sys.stdin)))";
  const asked = JSON.stringify([[{ ...pod, deleting: false, gone: false }, 0], [going, 2]]);
  const told = execFileSync(".venv/bin/python", ["-c", code], { input: asked, encoding: "utf8" }).split(" ").map(Number);
  assert.deepEqual(told, [lanes(pod).height, lanes(pod, { deleting: true, services: ["a", "b"] }).height]);
});
