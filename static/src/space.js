// The timeline of a namespace: the story of every pod on one axis, each fed like the page of that pod.

import { Book } from "./book.js";
import { Card } from "./card.js";
import * as keys from "./keys.js";
import { spaceLanes } from "./layout.js";
import { Connection } from "./socket.js";
import { Timeline } from "./timeline.js";
import { absolute, Twin } from "./twin.js";

const MOST = 36; // as podlab/web/views/spaces.py; one more feed is the list
const page = globalThis.document?.getElementById("space");

class SpaceTimeline extends Timeline {
  headed = false;

  makeLanes() {
    return spaceLanes(this.shown?.() ?? []);
  }

  minimapLanes() {
    return (this.shown?.() ?? []).slice(-5).map(({ uid }) => `${uid}/phase`);
  }
}

// A mark of one pod among those of all: its lane and id carry the uid, its sentence the name. Events share a lane. Pure.
export function placed(mark, { uid, name }) {
  const lane = mark.lane === "events" ? "events" : `${uid}/${mark.lane}`;
  const target = mark.target && `${uid}/${mark.target.replace("condition/ContainersReady", "condition/Ready")}`;
  return { ...mark, id: `${uid}/${mark.id}`, lane, target, sentence: `${name}: ${mark.sentence}` };
}

function start(page) {
  const { cluster, namespace } = page.dataset;
  const book = new Book();
  const connection = new Connection(cluster);
  const pods = new Map(); // uid → {uid, name, created, gone, containers, since, probes}
  const deleted = page.querySelector("[data-deleted]");
  let toList = 0;

  const timeline = new SpaceTimeline(document.getElementById("timeline"), {
    book, clock: connection.clock, onSelect: selected, onView: later, onRange: later,
  });
  const timeText = (time) => timeline.timeText(time);
  const card = new Card(document.getElementById("evidence"), { yaml: [], timeText, onClose: () => timeline.select(null) });
  const twin = new Twin(document.getElementById("twin"), {
    onSelect: (id) => timeline.select(id),
    timeText: (mark) => (timeline.absolute ? absolute(mark) : timeText(mark.t0)),
  });
  timeline.shown = () =>
    [...pods.values()].filter((pod) => deleted.checked || !pod.gone).sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : a.name < b.name ? -1 : 1));
  timeline.onFrame = (now) => card.tick(now);

  function selected(mark) {
    card.show(mark, timeline.now);
    later();
  }

  function later() {
    if (toList) return;
    toList = setTimeout(() => {
      toList = 0;
      const { from, to } = timeline.s;
      const range = timeline.range ?? (timeline.mode === "still" ? [from, to] : null);
      twin.update(range ? book.within(...range) : book.sorted, timeline.selected);
    }, 200);
  }

  let due = 0;
  function changed() {
    // Thirty pods may speak at once; they are laid out together.
    if (due) return;
    due = requestAnimationFrame(() => {
      due = 0;
      const created = timeline.shown().map((pod) => pod.created).sort()[0];
      timeline.pod = created ? { created, gone: false, containers: [] } : null;
      timeline.changed();
      later();
    });
  }

  function add({ name, uid, created, gone }) {
    if (pods.has(uid) || pods.size >= MOST) return;
    const pod = { name, uid, created, gone, containers: [], since: 0, probes: 0 };
    pods.set(uid, pod);
    const request = () => ({ type: "open-pod", namespace, name, uid, since: pod.since, probes: pod.probes });
    connection.open(uid.slice(0, 32), request, {
      pod: (message) => {
        Object.assign(pod, { gone: message.pod.gone, containers: message.pod.containers });
        changed();
      },
      marks: ({ marks, revision, seq }) => {
        book.put(marks.map((mark) => placed(mark, pod)));
        Object.assign(pod, { since: revision, probes: seq });
        changed();
      },
      ended: () => Object.assign(pod, { since: 0, probes: 0 }),
    });
  }

  for (const pod of JSON.parse(document.getElementById("space-pods").textContent)) add(pod);
  connection.open("list", () => ({ type: "open-list", namespace }), {
    rows: ({ rows }) => rows.forEach((row) => add({ name: row.name, uid: row.uid, created: row.created, gone: false })),
  });
  connection.onClock(() => (timeline.dirty = true));
  deleted.addEventListener("change", changed);
  buttons(page, timeline, twin);
  card.show(null);
  connection.start();
  globalThis.podlab = { timeline, book, connection, pods };
}

function buttons(page, timeline, twin) {
  const actions = {
    live: () => timeline.live(),
    fit: () => timeline.all(),
    in: () => timeline.zoomBy(0.7),
    out: () => timeline.zoomBy(1 / 0.7),
    times: () => timeline.switchTimes(),
    fold: () => timeline.fold(),
    unrange: () => timeline.setRange(null),
    list: (button) => {
      twin.show(!twin.shown);
      button.setAttribute("aria-pressed", String(twin.shown));
    },
    keys: () => document.getElementById("keys").showModal(),
  };
  page.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    actions[button?.dataset.do]?.(button);
  });
  keys.listen(timeline, document.getElementById("keys"));
}

if (page) start(page);
