// What a page was told once, played again from the page itself: stands where `Connection` stands when there is a server.

import { LabClock } from "./labclock.js";

export class Recording {
  // `at`: ISO time at which the clock stands.
  constructor(messages, at) {
    this.messages = messages;
    this.clock = new LabClock();
    this.clock.hear({ lab: at, speed: 1, paused: true });
    this.subs = new Map();
    this.listeners = new Set();
    this.started = false;
  }

  open(sub, request, handlers) {
    this.subs.set(sub, { request, handlers });
    if (this.started) this.play(sub);
  }

  start() {
    this.started = true;
    for (const listener of this.listeners) listener(this.clock);
    for (const sub of [...this.subs.keys()]) this.play(sub);
    return this;
  }

  // Two containers may share the name of their log, which is cut; the message says whose it is.
  play(sub) {
    const { request, handlers } = this.subs.get(sub);
    const { container } = request();
    for (const message of this.messages) {
      if (message.sub === sub && message.container === container) handlers[message.type]?.(message);
    }
  }

  onClock(listener) {
    this.listeners.add(listener);
  }

  // Everything that could be asked is told already.
  say() {}

  close(sub) {
    this.subs.delete(sub);
  }
}
