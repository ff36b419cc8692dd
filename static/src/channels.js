// Kubernetes' channel protocol (v4, v5): the first byte of a message says which stream it belongs to. Pure.

export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;
export const ERROR = 3;
export const RESIZE = 4;

const SHELL = ["sh", "-c", "command -v bash >/dev/null 2>&1 && exec bash || exec sh"];

// The best shell that the image has; a container with a terminal of its own is attached to instead.
export function address(location, place, container, operation) {
  const query = new URLSearchParams({ container, stdin: "true", stdout: "true", tty: "true" });
  if (operation === "exec") for (const word of SHELL) query.append("command", word);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const path = ["ws", "c", place.cluster, "ns", place.namespace, "pods", place.name, operation].map(encodeURIComponent).join("/");
  return `${scheme}://${location.host}/${path}?${query}`;
}

export function write(channel, text) {
  const body = new TextEncoder().encode(text);
  const message = new Uint8Array(body.length + 1);
  message[0] = channel;
  message.set(body, 1);
  return message;
}

export function read(data) {
  const bytes = new Uint8Array(data);
  return [bytes[0], bytes.subarray(1)];
}
