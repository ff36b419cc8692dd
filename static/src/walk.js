// A timeline that follows a replay: its edge moves with every moment; what was known then is asked for again, at most so
// often as the server likes to be asked, and always for the moment at which the replay stops.

const PATIENCE = 4000; // ms after which an answer is no longer waited for

export class Walk {
  // `open` asks for `at`, `back` is called before a moment that is earlier than the one shown.
  // `least`: ms between two questions, which are more messages the more containers there are.
  constructor(timeline, { open, back, least = () => 500, ticker = () => performance.now() }) {
    Object.assign(this, { timeline, open, back, least, ticker });
    this.moment = null; // ms of lab time; null until something walks
    this.asked = -Infinity;
    this.waits = false;
    this.timer = 0;
    globalThis.document?.addEventListener("podlab:play", () => timeline.live()); // until the person pans
  }

  get at() {
    return this.moment === null ? {} : { at: new Date(Math.round(this.moment)).toISOString() };
  }

  to({ rev, at }) {
    const { timeline } = this;
    const before = this.moment ?? timeline.past?.at ?? at;
    if (at < before) this.back();
    this.moment = at;
    timeline.past = { rev, at };
    timeline.dirty = true;
    this.due = true;
    this.ask();
  }

  ask() {
    if (!this.due || this.timer) return;
    const passed = this.ticker() - this.asked;
    const rest = (this.waits ? PATIENCE : this.least()) - passed;
    if (rest > 0) {
      this.timer = setTimeout(() => {
        this.timer = 0;
        this.ask();
      }, Math.min(rest, 250));
      return;
    }
    this.due = false;
    this.waits = true;
    this.asked = this.ticker();
    this.open();
  }

  // The first news of a page about the past: the whole story, or the moment itself if somebody has set out by now.
  begun() {
    if (this.moment === null) this.timeline.all();
    else this.timeline.live();
  }

  // The server has told everything that was asked for.
  answered() {
    this.waits = false;
  }
}
