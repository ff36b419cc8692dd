// The page's one websocket, `connect`: opens what the page wants, opens it again after a loss, tells whether it lives.

import { LabClock } from "./labclock.js";
import { clockText } from "./times.js";
import { t } from "./words.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const SILENCE = 45_000; // the server says something at least every 15 s

export class Connection {
  constructor(cluster, { clock = new LabClock(), banner = document.getElementById("connection") } = {}) {
    this.cluster = cluster;
    this.clock = clock;
    this.banner = banner;
    this.subs = new Map(); // sub → {request: () => message, handlers}
    this.wait = FIRST_WAIT;
    this.socket = null;
    this.timer = null;
    this.listeners = new Set();
    addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.retryNow();
    });
    addEventListener("pagehide", () => this.socket?.close());
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.retryNow();
    });
  }

  // More than one part of a page may start it.
  start() {
    if (!this.socket) this.dial();
    return this;
  }

  dial() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/c/${encodeURIComponent(this.cluster)}/?lang=${document.documentElement.lang}`);
    this.socket = socket;
    socket.onopen = () => {
      for (const sub of this.subs.keys()) this.send(sub);
    };
    socket.onmessage = (event) => this.receive(JSON.parse(event.data));
    socket.onclose = (event) => {
      if (this.socket === socket) this.lost(event.code);
    };
  }

  // `request` makes the opening message anew at every connect, so that it can say what is already known.
  open(sub, request, handlers) {
    this.subs.set(sub, { request, handlers });
    if (this.socket?.readyState === WebSocket.OPEN) this.send(sub);
  }

  // Ask anew, with what `request` says now.
  reopen(sub) {
    if (this.subs.has(sub) && this.socket?.readyState === WebSocket.OPEN) this.send(sub);
  }

  close(sub) {
    this.subs.delete(sub);
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: "close", sub }));
  }

  // Something about what is open; while the connection is lost it is forgotten, as the answer would be.
  say(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  onClock(listener) {
    this.listeners.add(listener);
  }

  send(sub) {
    this.socket.send(JSON.stringify({ ...this.subs.get(sub).request(), sub }));
  }

  receive(message) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.socket?.close(), SILENCE);
    if (message.type === "hello") {
      this.wait = FIRST_WAIT;
      this.clock.hear(message.clock);
      this.alive(true);
    } else if (message.type === "clock") {
      this.clock.hear(message);
    }
    if (message.type === "hello" || message.type === "clock") {
      for (const listener of this.listeners) listener(this.clock);
      return;
    }
    const sub = this.subs.get(message.sub);
    if (!sub) return;
    if (message.type === "ended" && message.again) {
      // The server lost its place (a slow reader, a compacted log): open it again as at the first time.
      setTimeout(() => this.subs.has(message.sub) && this.socket?.readyState === WebSocket.OPEN && this.send(message.sub), 1000);
    }
    sub.handlers[message.type]?.(message);
  }

  lost(code) {
    clearTimeout(this.silence);
    clearTimeout(this.timer);
    this.clock.freeze();
    this.alive(false, code);
    if (code === 4401) {
      location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
      return;
    }
    if (code === 4403 || code === 4404) return;
    this.timer = setTimeout(() => this.dial(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
  }

  retryNow() {
    if (!this.socket || this.socket.readyState <= WebSocket.OPEN) return;
    clearTimeout(this.timer);
    this.wait = FIRST_WAIT;
    this.dial();
  }

  alive(yes, code) {
    document.documentElement.dataset.live = yes ? "yes" : "no";
    if (!this.banner) return;
    if (yes) {
      this.banner.hidden = true;
      return;
    }
    const frozen = this.clock.now();
    const why = code === 4403 ? t("You may no longer see this.") : t("Connection lost. Trying again…");
    const asOf = frozen === null ? "" : " " + t("Shown as of {time}.", { time: clockText(frozen) });
    this.banner.textContent = why + asOf;
    this.banner.hidden = false;
  }
}

const shared = new Map();

// The one connection of this page to a cluster, whoever opens something on it.
export function connect(cluster) {
  if (!shared.has(cluster)) shared.set(cluster, new Connection(cluster));
  return shared.get(cluster);
}
