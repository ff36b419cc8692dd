// The editor's own arithmetic: where the cursor is, what the schema says there, what differs between two texts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Draft } from "../../static/src/draft.js";
import { fieldOf, keysFor, valuesFor } from "../../static/src/field_types.js";
import { changeOf, changedLines, changedPieces } from "../../static/src/text_change.js";
import { documentStart, fieldAt, inner, pathAt } from "../../static/src/yaml_path.js";

const TEXT = `apiVersion: v1
kind: Pod
metadata:
  labels: {a: b}
spec:
  containers:
  - name: app
    image: busybox
    command:
      - sh
      - |
        kind: not a key
    ports:
    - containerPort: 80
    
    # a comment
  - name: side
    env:
      - name: A
        val
  restartPolicy: Al
---
kind: Service
sp`.split("\n");

const at = (row, column = TEXT[row].length) => pathAt(TEXT, row, column);

test("the path of a key and of a value", () => {
  assert.deepEqual(at(1), { path: [], key: "kind", part: "value", typed: "Pod" });
  assert.deepEqual(at(7), { path: ["spec", "containers", 0], key: "image", part: "value", typed: "busybox" });
  assert.deepEqual(at(13).path, ["spec", "containers", 0, "ports", 0]);
  assert.deepEqual(at(19), { path: ["spec", "containers", 1, "env", 0], key: "", part: "key", typed: "val" });
  assert.deepEqual(at(20), { path: ["spec"], key: "restartPolicy", part: "value", typed: "Al" });
});

test("an empty line belongs where the cursor stands", () => {
  assert.deepEqual(at(14, 4).path, ["spec", "containers", 0]);
  assert.deepEqual(pathAt(["spec:", "  containers:", "    - name: a", "  "], 3, 2).path, ["spec"]);
  assert.deepEqual(pathAt(["spec:", "  containers:", "    - "], 2, 6), { path: ["spec", "containers", 0], key: "", part: "key", typed: "" });
});

test("block texts and comments are nowhere", () => {
  assert.equal(at(11), null);
  assert.equal(at(15), null);
});

test("each document begins anew", () => {
  assert.equal(documentStart(TEXT, 23), 22);
  assert.deepEqual(at(23), { path: [], key: "", part: "key", typed: "sp" });
});

test("a key under the pointer", () => {
  assert.deepEqual(fieldAt(TEXT, 6), { path: ["spec", "containers", 0, "name"], from: 4, to: 8 });
  assert.equal(fieldAt(TEXT, 9), null);
});

const SCHEMA = {
  root: "Pod",
  types: {
    Pod: { kind: { type: "string" }, spec: { type: "PodSpec", of: "PodSpec", doc: "What is wanted." }, status: { type: "PodStatus", of: "PodStatus" } },
    PodSpec: { containers: { type: "[]Container", of: "Container", required: true }, restartPolicy: { type: "string", values: ["Always", "Never"] } },
    Container: { name: { type: "string", required: true } },
    PodStatus: {},
  },
};

test("the schema's fields, values and sentences", () => {
  assert.deepEqual(keysFor(SCHEMA, ["spec"]).map((one) => one.label + one.after), ["containers:", "restartPolicy: "]);
  assert.deepEqual(keysFor(SCHEMA, ["spec", "containers", 3]).map((one) => one.label), ["name"]);
  assert.deepEqual(keysFor(SCHEMA, ["spec", "nowhere"]), []);
  assert.deepEqual(keysFor(SCHEMA, [], ["kind"]).map((one) => one.label), ["spec", "status"]);
  assert.deepEqual(valuesFor(SCHEMA, ["spec"], "restartPolicy").map((one) => one.label), ["Always", "Never"]);
  assert.deepEqual(valuesFor(SCHEMA, ["spec"], "containers"), []);
  assert.equal(fieldOf(SCHEMA, ["spec"]).doc, "What is wanted.");
  assert.equal(fieldOf(SCHEMA, ["spec", "x", "y"]), null);
});

test("one change makes the new text of the old one", () => {
  for (const [old, next] of [["abc", "abXc"], ["aaa", "aa"], ["", "x"], ["x", ""], ["same", "same"], ["aXa", "aYa"]]) {
    const change = changeOf(old, next);
    assert.equal(change ? old.slice(0, change.from) + change.insert + old.slice(change.to) : old, next);
  }
});

test("changed lines are those that are new, or the place where some went", () => {
  assert.deepEqual(changedLines("a\nb\nc", "a\nX\nb\nc"), [2]);
  assert.deepEqual(changedLines("a\nb\nc\nd", "a\nB\nc\nD"), [2, 4]);
  assert.deepEqual(changedLines("a\nb\nc", "a\nc"), [2]);
  assert.deepEqual(changedLines("a", "a"), []);
});

test("of a command the words that are new are marked, in JSON the parts", () => {
  const marked = (old, next) => changedPieces(old, next).filter(([, fresh]) => fresh).map(([text]) => text);
  assert.deepEqual(marked("kubectl run a --image=x", "kubectl run a --image=y"), ["--image=y"]);
  assert.deepEqual(marked('--overrides={"a":1,"b":2}', '--overrides={"a":1,"b":3,"c":4}'), ['"b":3', '"c":4']);
  assert.deepEqual(marked("run a --port=1 x", "run a x"), []);
  assert.equal(changedPieces("a b", "a  c\n").map(([text]) => text).join(""), "a  c\n");
});

test("a draft is kept, and a storage that refuses breaks nothing", () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  const draft = new Draft("main/default", storage);
  assert.equal(draft.read(), null);
  assert.equal(draft.write("text", 7), true);
  assert.deepEqual(draft.read(), { text: "text", base: "7" });
  draft.forget();
  assert.equal(draft.read(), null);
  kept.set(draft.key, "an older shape");
  assert.equal(draft.read(), null);
  const full = new Draft("x", { getItem() { throw new Error(); }, setItem() { throw new Error(); } });
  assert.equal(full.write("text"), false);
  assert.equal(full.read(), null);
  assert.equal(new Draft("x", null).write("text"), false);
});

test("a new line below a key without a value begins where its fields stand", () => {
  assert.equal(inner("spec:"), 2);
  assert.equal(inner("      readinessProbe: # asked every second"), 8);
  assert.equal(inner("    - securityContext:"), 8);
  assert.equal(inner("      - |"), null);
  assert.equal(inner("  script: |"), 4);
  assert.equal(inner("    image: busybox:1.36"), null);
  assert.equal(inner("    - name: app"), null);
  assert.equal(inner("# a note:"), null);
  assert.equal(inner(""), null);
});
