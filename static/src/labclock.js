// The cluster's time in the browser: from the server's word, never from the machine's own clock. Pure but for `ticker`.

export class LabClock {
  constructor(ticker = () => performance.now()) {
    this.ticker = ticker;
    this.lab = null;
    this.heard = 0;
    this.speed = 1;
    this.paused = false;
    this.frozen = null; // set while the connection is lost: time that nobody vouches for stands still
  }

  hear({ lab, speed, paused }) {
    this.lab = Date.parse(lab);
    this.heard = this.ticker();
    this.speed = speed;
    this.paused = paused;
    this.frozen = null;
  }

  freeze() {
    this.frozen ??= this.now();
  }

  get running() {
    return this.lab !== null && !this.paused && this.frozen === null;
  }

  now() {
    if (this.frozen !== null) return this.frozen;
    if (this.lab === null) return null;
    return this.paused ? this.lab : this.lab + (this.ticker() - this.heard) * this.speed;
  }
}
