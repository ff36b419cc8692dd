import assert from "node:assert/strict";
import { test } from "node:test";
import { address, read, RESIZE, STDIN, write } from "../../static/src/channels.js";

const place = { cluster: "main", namespace: "default", name: "web" };

test("a message is the channel and the bytes", () => {
  assert.deepEqual([...write(STDIN, "é")], [0, 0xc3, 0xa9]);
  assert.deepEqual([...write(RESIZE, "{}")], [4, 123, 125]);
  const [channel, bytes] = read(Uint8Array.from([1, 104, 105]).buffer);
  assert.equal(channel, 1);
  assert.equal(new TextDecoder().decode(bytes), "hi");
});

test("an empty message belongs to no stream", () => {
  assert.equal(read(new ArrayBuffer(0))[0], undefined);
});

test("exec asks for the best shell, attach for none", () => {
  const url = new URL(address({ protocol: "https:", host: "lab:1" }, place, "app", "exec"));
  assert.equal(url.protocol, "wss:");
  assert.equal(url.pathname, "/ws/c/main/ns/default/pods/web/exec");
  assert.deepEqual(url.searchParams.getAll("command").slice(0, 2), ["sh", "-c"]);
  assert.equal(url.searchParams.get("tty"), "true");
  const attach = new URL(address({ protocol: "http:", host: "lab:1" }, place, "debugger-1", "attach"));
  assert.deepEqual(attach.searchParams.getAll("command"), []);
});
