// Parts that are asked for again from the address of the page: an element with an id, every data-refresh seconds or when
// `watch.js` says so. Only what is different is changed, so that focus, scrolling and selection stay.

import { again } from "./again.js";
import { t } from "./words.js";

const AT_END = 24; // px from the end that still count as the end
const due = new Map(); // id → when it was asked for last

// Makes `old` say what `fresh` says. Children with the same data-key are the same; others are matched in their order.
export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.dataset.draws !== undefined && fresh.dataset.draws !== undefined) {
    old.dispatchEvent(new CustomEvent("podlab:fresh", { detail: fresh, bubbles: true })); // its own script puts it in
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !theirs(old, name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (flat(old) || flat(fresh)) {
    if (old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
    return;
  }
  const known = new Map([...old.children].filter((child) => child.dataset.key).map((child) => [child.dataset.key, child]));
  let at = old.firstElementChild;
  for (const child of [...fresh.children]) {
    const { key } = child.dataset;
    const same = key ? known.get(key) : at && !at.dataset.key && at.nodeName === child.nodeName ? at : null;
    if (!same) {
      old.insertBefore(child, at);
      continue;
    }
    known.delete(key);
    if (same === at) at = at.nextElementSibling;
    else old.insertBefore(same, at);
    morph(same, child);
  }
  while (at) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
}

// What the person did to an element is not undone.
const theirs = (element, name) => name === "open" && (element.nodeName === "DETAILS" || element.nodeName === "DIALOG");

// Without elements, or with words between them: compared and written as a whole.
function flat(element) {
  return !element.children.length || [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
}

export async function ask(place) {
  const answer = await again(location.href, { headers: { "HX-Request": "true" } });
  if (answer.redirected) return location.reload(); // logged out
  if (answer.status === 404) return gone(place);
  if (!answer.ok) throw new Error(answer.statusText);
  const text = await answer.text();
  if (!place.isConnected) return;
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById(place.id);
  if (!fresh) return;
  const list = place.querySelector("[data-to-end]");
  const follows = !list || atEnd(list);
  morph(place, fresh);
  const after = place.querySelector("[data-to-end]");
  if (after && follows) after.scrollTop = after.scrollHeight;
  if (after) offer(after);
}

// What the page is about was deleted: its last state stays, pale, and is said to be that.
function gone(place) {
  if (place.dataset.gone) return;
  place.dataset.gone = "yes";
  const notice = Object.assign(document.createElement("p"), {
    className: "notice", textContent: t("It has been deleted. This is what it was last; its history is in the replay."),
  });
  notice.setAttribute("role", "status");
  place.before(notice);
}

const atEnd = (list) => list.scrollHeight - list.scrollTop - list.clientHeight < AT_END;

function offer(list) {
  const button = document.querySelector("[data-jump]");
  if (button) button.hidden = atEnd(list);
}

async function turn() {
  if (!document.hidden) {
    for (const place of document.querySelectorAll("[data-refresh]")) {
      if (place.offsetParent === null) continue; // the tab is not shown
      if (performance.now() - (due.get(place.id) ?? 0) < Number(place.dataset.refresh) * 1000) continue;
      due.set(place.id, performance.now());
      await ask(place).catch(() => {}); // that the connection is lost says the page's socket
    }
  }
  setTimeout(turn, 500);
}

function begin() {
  const list = document.querySelector("[data-to-end]");
  if (!list) return;
  if (list.closest("[data-watch-log]")) list.scrollTop = list.scrollHeight;
  offer(list);
}

if (globalThis.document) {
  document.addEventListener("podlab:panel", begin);
  document.addEventListener("scroll", (event) => event.target.dataset?.toEnd !== undefined && offer(event.target), true);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-jump]")) return;
    const list = document.querySelector("[data-to-end]");
    if (list) list.scrollTop = list.scrollHeight;
  });
  begin();
  turn();
}
