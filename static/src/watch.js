// Parts of a page that the server draws and that keep up by a bell: data-watch names resources, data-watch-log a pod that
// writes; when one of them changes, or has written, the part is asked for again, whole: after a lost connection too, so that
// nothing is missing or there twice. `list.js` and the timelines are told what changed instead.

import { ask } from "./refresh.js";
import { connect } from "./socket.js";
import { humanDuration } from "./times.js";

const REST = 80; // ms in which more may change before the part is asked for
const SHARE = 3; // of the time at least so many times as long as the last answer took lies between two questions
const LONGEST = 5000;
const opened = new WeakSet();
let count = 0;

// How long to wait after an answer that took `cost` ms. Pure.
export const pause = (cost) => Math.min(Math.max(REST, cost * SHARE), LONGEST);

export function watch(place, connection) {
  if (opened.has(place)) return;
  opened.add(place);
  const sub = `watch:${(count += 1)}`;
  const { watch: resources, watchLog: pod, watchName, watchUid: uid, watchNode: node } = place.dataset;
  const { namespace } = document.body.dataset;
  const what = pod ? { type: "open-written", name: pod } : { type: "open-changes", resources, name: watchName };
  const about = Object.fromEntries(Object.entries({ ...what, namespace, uid, node }).filter(([, value]) => value));
  let timer = 0;
  let asking = false;
  let again = false;
  let cost = 0;

  async function turn() {
    timer = 0;
    if (!place.isConnected) return connection.close(sub);
    if (place.offsetParent === null || document.hidden) return (again = true); // asked for when it is seen again
    asking = true;
    again = false;
    const begun = performance.now();
    await ask(place).catch(() => {}); // a lost connection is told by the banner; the bell rings when it is back
    cost = performance.now() - begun;
    asking = false;
    if (again) soon();
  }

  function soon() {
    again = asking;
    if (!asking && !timer) timer = setTimeout(turn, pause(cost));
  }

  connection.open(sub, () => about, { changed: soon });
  document.addEventListener("visibilitychange", () => again && !document.hidden && soon());
}

function ages(connection) {
  const now = connection.clock.now();
  if (now === null) return;
  for (const cell of document.querySelectorAll(".facts [data-since]")) {
    const text = humanDuration(now - Date.parse(cell.dataset.since));
    if (cell.textContent !== text) cell.textContent = text;
  }
}

function begin() {
  const places = document.querySelectorAll("[data-watch], [data-watch-log]");
  if (!places.length) return;
  const connection = connect(document.body.dataset.cluster);
  for (const place of places) watch(place, connection);
  connection.start();
  return connection;
}

if (globalThis.document?.body) {
  document.addEventListener("podlab:panel", begin);
  const connection = begin();
  if (connection) setInterval(() => ages(connection), 1000);
}
