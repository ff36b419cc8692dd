import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { again } from "../../static/src/again.js";

const real = globalThis.fetch;
afterEach(() => (globalThis.fetch = real));

function failing(times, problem) {
  let asked = 0;
  globalThis.fetch = async (...question) => {
    asked += 1;
    if (asked <= times) throw problem;
    return { question, asked };
  };
  return () => asked;
}

test("a request that the network dropped is made again", async () => {
  failing(2, new TypeError("Failed to fetch"));
  assert.deepEqual(await again("/x", { method: "GET" }), { question: ["/x", { method: "GET" }], asked: 3 });
});

test("a server that is away is said to be away", async () => {
  const asked = failing(9, new TypeError("Failed to fetch"));
  await assert.rejects(again("/x"), TypeError);
  assert.equal(asked(), 3);
});

test("what the page gave up is not asked again", async () => {
  const asked = failing(9, new DOMException("given up", "AbortError"));
  await assert.rejects(again("/x"), { name: "AbortError" });
  assert.equal(asked(), 1);
});
