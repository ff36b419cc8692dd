import assert from "node:assert/strict";
import { test } from "node:test";
import { Address } from "../../static/src/address.js";

test("what moves while the page loads does not wipe out what its address says", () => {
  const place = { href: "http://lab/timeline?wide=1", search: "?wide=1" };
  const written = [];
  Object.assign(globalThis, {
    addEventListener: () => {},
    location: place,
    history: { state: null, replaceState: (_state, _title, url) => written.push(String(url)) },
  });
  const timeline = { mode: "auto", range: null, folding: false, times: "since", selected: null, now: 1, past: null };
  let wide = false;
  const address = new Address(timeline, { wide: { get: () => (wide ? "1" : ""), set: (text) => (wide = text === "1") } });
  address.write(false);
  assert.deepEqual(written, []);
  address.read();
  assert.equal(wide, true);
  wide = false;
  address.write(false);
  assert.deepEqual(written, ["http://lab/timeline"]);
});
