// The timeline of a namespace: every pod in a row, grouped by owner, all fed by one packed stream in windows of time.

import { Address } from "./address.js";
import { Unpacker } from "./batches.js";
import { buttons, rangeChip } from "./bench.js";
import { Book } from "./book.js";
import { Card } from "./card.js";
import { CONDITIONS } from "./layout.js";
import { byAge, spaceLanes } from "./layout_space.js";
import { LogPane } from "./logs.js";
import { connect } from "./socket.js";
import { Timeline } from "./timeline.js";
import { histogram } from "./folds.js";
import { Twin } from "./twin.js";
import { Walk } from "./walk.js";
import { t } from "./words.js";
import { fetchYaml } from "./yaml_lines.js";

const FEW = 3000; // marks that the list tells wherever they lie; of more only the lanes in sight
const ASK = 60; // ids of one question
const OPEN_AT_FIRST = 6; // so few pods show all their lanes
const page = globalThis.document?.getElementById("space");

class SpaceTimeline extends Timeline {
  headed = false;
  opened = new Set();
  shut = new Set();
  wide = false; // every pod shows all its lanes

  makeLanes() {
    const pods = this.shown?.() ?? [];
    const opened = this.wide ? new Set(pods.map((pod) => pod.uid)) : this.opened;
    return spaceLanes(pods, { opened, shut: this.shut });
  }

  note(lane) {
    if (lane.kind === "group") return lane.of === lane.count ? String(lane.count) : t("{live} of {all} live", { live: lane.count, all: lane.of });
    if (lane.link) return lane.dim ? t("deleted") : (this.podOf(lane.link)?.status ?? "");
    return super.note(lane);
  }

  linkOf(lane) {
    return lane.link ? this.hrefOf(this.podOf(lane.link)) : "";
  }

  // Of so many pods the minimap says how much happened, not to whom.
  summary(whole) {
    const key = `${this.book.version}/${whole.width}/${Math.round(whole.from / 1000)}/${Math.round(whole.to / 1000)}`;
    if (key !== this.summed) {
      this.summed = key;
      this.columns = histogram(this.book.lane("events"), whole);
    }
    return { rows: [], columns: this.columns };
  }

  get lanesInSight() {
    const ids = [];
    for (const lane of this.inSight) {
      ids.push(lane.id);
      if (lane.kind === "pod") ids.push(...namesOf(this.podOf(lane.link)).map((name) => `${lane.link}/${name}`));
    }
    return ids;
  }
}

// The lanes that a pod would have if it were opened.
function namesOf({ containers }) {
  const names = ["phase", "deletion", ...CONDITIONS.map((type) => `condition/${type}`)];
  for (const { name, probes } of containers) names.push(`container/${name}`, ...probes.map(({ type }) => `probe/${name}/${type}`));
  return names;
}

// `connection`: to the server, or to what an exported file recorded of it, with the lines of YAML by the pods' uids.
export function start(page, connection, recorded = null) {
  const { namespace, base } = page.dataset;
  const rev = () => page.dataset.rev;
  const book = new Book();
  const pods = new Map(); // uid → {number, uid, name, created, gone, status, owners, containers}
  const deleted = page.querySelector("[data-deleted]");
  const wide = page.querySelector("[data-wide]");
  let unpacker = new Unpacker();
  let known = []; // windows of time of which everything is known: [[from, to]]
  let first = true;
  let anew = false; // the next pods are those of an earlier moment: what is known is forgotten

  const timeline = new SpaceTimeline(document.getElementById("timeline"), {
    book, clock: connection.clock, onSelect: selected, onView: viewed, onRange: ranged,
  });
  timeline.recorded = Boolean(page.dataset.exported);
  timeline.podOf = (uid) => pods.get(uid);
  timeline.hrefOf = (pod) => (pod && !recorded ? `${base}${encodeURIComponent(pod.name)}?uid=${encodeURIComponent(pod.uid)}${rev() ? `&rev=${rev()}` : ""}` : "");
  timeline.shown = () => [...pods.values()].filter((pod) => deleted.checked || !pod.gone).sort(byAge);
  const timeText = (time) => timeline.timeText(time);
  const card = new Card(document.getElementById("evidence"), {
    timeText, onClose: () => timeline.select(null),
    yaml: (mark) => (recorded ? (recorded[mark.pod.uid] ?? []) : fetchYaml(timeline.hrefOf(pods.get(mark.pod.uid)))),
  });
  const twin = new Twin(document.getElementById("twin"), { onSelect: (id) => timeline.select(id), timeText: (mark) => timeText(mark.t0) });
  const address = new Address(timeline, {
    deleted: { get: () => (deleted.checked ? "" : "0"), set: (text) => toggled(deleted, text !== "0") },
    wide: { get: () => (wide.checked ? "1" : ""), set: (text) => toggled(wide, text === "1") },
  });
  timeline.onFrame = (now) => card.tick(now);
  timeline.onSettled = () => address.moved();

  function toggled(box, checked) {
    if (box.checked === checked) return;
    box.checked = checked;
    timeline.wide = wide.checked;
    changed();
  }

  // --- what is chosen and seen -------------------------------------------------------------------------------------

  function selected(mark) {
    card.show(mark, timeline.now);
    if (mark) listen(pods.get(mark.pod.uid));
    if (mark && !mark.sentence) ask([mark.id]);
    address.chose();
    later();
  }

  // The lines of the pod of the chosen mark; a saved file has those of all pods.
  const logs = new LogPane(document.getElementById("logs"), {
    onHover: (time) => Object.assign(timeline, { hover: time, dirty: true }),
    onLines: () => timeline.range && chip(),
    idle: recorded ? "" : t("Choose a mark: the lines of its pod stand here."),
  });
  let heard = null; // the pod whose lines these are: {uid, containers}
  timeline.onHover = (time) => logs.mark(time);

  function hearLines({ lines }) {
    if (recorded) logs.setContainers([...new Set(lines.map((line) => line.container))].sort());
    logs.add(lines);
  }

  function listen(pod) {
    if (recorded || !pod || heard?.uid === pod.uid) return;
    for (const { sub } of heard?.containers ?? []) connection.close(sub);
    // Each pod has names of its own, so that no late line comes to another's pane.
    heard = { uid: pod.uid, name: pod.name, containers: pod.containers.map(({ name }, index) => ({ name, sub: `log:${pod.number}:${index}` })) };
    logs.clear();
    logs.setContainers(heard.containers.map(({ name }) => name));
    document.querySelector("[data-log-of]").textContent = pod.name;
    hearAgain();
  }

  function hearAgain() {
    for (const { name: container, sub } of heard?.containers ?? []) {
      const request = () => ({
        type: "open-log", namespace, name: heard.name, uid: heard.uid, container, ...logs.request(container),
        ...(timeline.past ? { until: new Date(timeline.past.at).toISOString() } : {}),
      });
      connection.open(sub, request, { log: hearLines });
    }
  }

  const chip = () => rangeChip(page, timeline, { events: book.lane("events"), lines: recorded || heard ? logs.shown : null });

  function ranged(range) {
    logs.setRange(range);
    chip();
    address.moved();
    later();
  }

  function viewed() {
    address.moved();
    later();
  }

  let toList = 0;
  function later() {
    if (toList) return;
    toList = setTimeout(() => {
      toList = 0;
      look();
      tellAll();
    }, 250);
  }

  // The list beside the canvas, and the sentences that it needs.
  function tellAll() {
    const { from, to } = timeline.s;
    const range = timeline.range ?? (timeline.mode === "still" || book.size > FEW ? [from, to] : null);
    const lanes = book.size > FEW ? timeline.lanesInSight : undefined;
    const marks = range ? book.within(...range, lanes) : book.sorted;
    const shown = twin.update(marks.filter((mark) => deleted.checked || !pods.get(mark.pod.uid)?.gone), timeline.selected);
    ask(shown.filter((mark) => !mark.sentence && !mark.asked).map((mark) => mark.id));
  }

  function ask(ids) {
    // Few questions at a time; the next follow with the next change of the view or the answer.
    for (const id of ids.slice(0, ASK)) if (book.get(id)) book.get(id).asked = true;
    if (ids.length) connection.say({ type: "tell", sub: "space", ids: ids.slice(0, ASK) });
  }

  // What the view shows and the page does not know yet.
  function look() {
    const { from, to } = timeline.s;
    if (!known.length || known.some(([begin, end]) => begin <= Math.max(from, timeline.first) && Math.min(to, timeline.last) <= end)) return;
    const margin = (to - from) / 2;
    const window = [from - margin, to + margin];
    known.push(window);
    connection.say({ type: "look", sub: "space", from: new Date(window[0]).toISOString(), to: new Date(window[1]).toISOString() });
  }

  // Many pods may speak at once; they are laid out together.
  let due = 0;
  function changed() {
    if (due) return;
    due = requestAnimationFrame(() => {
      due = 0;
      const created = [...pods.values()].map((pod) => pod.created).sort()[0];
      if (created && !page.dataset.created) page.dataset.created = created; // where a replay begins
      timeline.pod = created ? { created, gone: false, containers: [] } : null;
      timeline.changed();
      timeline.arrived(pods.size ? "" : document.getElementById("no-pods").textContent);
      later();
    });
  }

  // --- what the server tells ---------------------------------------------------------------------------------------

  const walk = new Walk(timeline, { open: () => connection.reopen("space"), back: () => (anew = true) });
  document.addEventListener("podlab:moment", ({ detail }) => {
    page.dataset.rev = detail.rev;
    walk.to(detail);
  });

  function request() {
    unpacker = new Unpacker();
    known = [];
    const view = timeline.mode === "still" && first === false ? { from: new Date(timeline.s.from).toISOString(), to: new Date(timeline.s.to).toISOString() } : {};
    return { type: "open-space", namespace, ...(rev() ? { rev: Number(rev()), ...walk.at } : {}), ...view };
  }

  function hearPods({ pods: told, reset, left_out }) {
    if (reset) pods.clear();
    if (reset && anew) {
      anew = false;
      book.clear();
      logs.clear();
      hearAgain();
    }
    for (const pod of told) {
      pods.set(pod.uid, pod);
      unpacker.pods[pod.number] = pod;
    }
    const notice = document.getElementById("left-out");
    if (reset) notice.hidden = left_out === 0;
    if (reset && first && pods.size <= OPEN_AT_FIRST) for (const pod of told) if (!pod.gone) timeline.opened.add(pod.uid);
    changed();
  }

  function hearBatch(batch) {
    const fresh = unpacker.marks(batch);
    book.put(fresh);
    if (batch.window) {
      known.push(batch.window.map((text) => Date.parse(text)));
      walk.answered();
      if (first) {
        first = false;
        if (pods.size) timeline.arrived();
        if (timeline.past) walk.begun();
        address.read();
      }
    }
    if (fresh.some((mark) => mark.id === timeline.selected)) card.show(book.get(timeline.selected), timeline.now);
    timeline.dirty = true;
    later();
  }

  function hearTold({ marks }) {
    for (const told of marks) {
      const mark = book.get(told.id);
      if (mark) Object.assign(mark, { sentence: `${mark.pod.name}: ${told.sentence}`, why: told.why, evidence: told.evidence });
    }
    if (marks.some((mark) => mark.id === timeline.selected)) card.show(book.get(timeline.selected), timeline.now);
    later();
  }

  connection.open("space", request, {
    pods: hearPods, batch: hearBatch, told: hearTold,
    past: ({ rev: at, at: when }) => {
      timeline.past = { rev: at, at: walk.moment ?? Date.parse(when) };
      hearAgain();
    },
    refused: ({ message }) => {
      document.getElementById("announce").textContent = message;
      if (first) timeline.arrived(message);
    },
  });
  if (recorded) connection.open("logs", () => ({}), { log: hearLines });
  connection.onClock(() => (timeline.dirty = true));

  // --- what the person does ------------------------------------------------------------------------------------------

  page.addEventListener("click", (event) => {
    const opens = event.target.closest("[data-opens]")?.dataset.opens;
    if (!opens) return;
    const [kind, key] = [opens.slice(0, opens.indexOf(":")), opens.slice(opens.indexOf(":") + 1)];
    const set = kind === "pod" ? timeline.opened : timeline.shut;
    if (!set.delete(key)) set.add(key);
    changed();
  });
  for (const box of [deleted, wide]) {
    box.addEventListener("change", () => {
      timeline.wide = wide.checked;
      address.chose();
      changed();
    });
  }
  buttons(page, timeline, twin, address);
  card.show(null);
  connection.start();
  globalThis.podlab = { timeline, book, connection, pods };
}

if (page && !page.dataset.exported) start(page, connect(page.dataset.cluster));
