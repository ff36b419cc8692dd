// Unpacks what the server sends for many lanes (podlab/timeline/batches.py has the same columns). Pure.

const WORDS = ["kind", "lane", "state", "reason", "text", "container", "probe", "outcome", "caused", "target", "source"];
const NUMBERS = ["attempt", "exit_code", "run", "threshold", "rev", "seq", "share"];
const FIRST_WORD = 6;
const FIRST_NUMBER = FIRST_WORD + WORDS.length;

const iso = (time) => (time === null ? null : new Date(time).toISOString());

// A mark made from a packed row. Its words come later, when somebody wants to read them; ISO times when asked for.
class Packed {
  get start() {
    return iso(this.t0);
  }

  get end() {
    return iso(this.t1);
  }

  get until() {
    return iso(this.tUntil);
  }
}

export class Unpacker {
  constructor() {
    this.words = [];
    this.pods = []; // by number: {uid, name}
  }

  // `placed`: where a mark of a pod goes among those of all. Returns the marks of a batch.
  marks({ words, marks, ticks }) {
    for (const word of words) this.words.push(word);
    return [...marks.map((row) => this.mark(row)), ...ticks.map((row) => this.tick(row))];
  }

  mark(row) {
    const mark = new Packed();
    const pod = this.pods[row[0]];
    mark.id = `${pod.uid}/${row[1]}`;
    [mark.t0, mark.t1, mark.tUntil] = [row[2], row[3], row[4]];
    mark.term = iso(row[5]);
    WORDS.forEach((name, index) => (mark[name] = this.words[row[FIRST_WORD + index]]));
    NUMBERS.forEach((name, index) => (mark[name] = row[FIRST_NUMBER + index]));
    mark.latency_ms = null;
    return placed(mark, pod);
  }

  tick(row) {
    const mark = new Packed();
    const [number, seq, time, container, attempt, probe, outcome, run, threshold, latency, caused] = row;
    const pod = this.pods[number];
    const word = (at) => this.words[at];
    Object.assign(mark, {
      id: `${pod.uid}/probe:${seq}`, t0: time, t1: time, tUntil: null, term: null, kind: "probe", state: word(outcome), reason: word(outcome),
      text: "", container: word(container), probe: word(probe), outcome: word(outcome), caused: word(caused), source: "",
      attempt, exit_code: null, run, threshold, rev: 0, seq, share: null, latency_ms: latency,
    });
    mark.lane = `probe/${mark.container}/${mark.probe}`;
    mark.target = mark.caused === "ready" || mark.caused === "unready" ? "condition/Ready" : mark.caused ? `container/${mark.container}` : "";
    return placed(mark, pod);
  }
}

// Lanes carry the uid; Events of all pods share one.
function placed(mark, pod) {
  mark.pod = pod;
  mark.lane = mark.lane === "events" ? "events" : `${pod.uid}/${mark.lane}`;
  if (mark.target) mark.target = `${pod.uid}/${mark.target.replace("condition/ContainersReady", "condition/Ready")}`;
  return mark;
}
