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
  const code = "import json, sys; from podlab.web.pod_parts import timeline_height; print(timeline_height(json.load(sys.stdin)))";
  const told = execFileSync(".venv/bin/python", ["-c", code], { input: JSON.stringify(pod), encoding: "utf8" });
  assert.equal(Number(told), lanes(pod).height);
});
