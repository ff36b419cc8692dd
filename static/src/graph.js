// The object graph, live: when a pod changes the server draws anew, and boxes that moved glide to their new place.

import { Connection } from "./socket.js";

const page = document.getElementById("graph-page");
const REST = 300; // ms in which more changes may come before the drawing is asked for
const LOOK = 5000; // ms; objects that are not pods change without a word on this socket
if (page && !page.dataset.rev) start(page);

function start(page) {
  const connection = new Connection(page.dataset.cluster);
  let timer = 0;
  let asking = false;
  let again = false;

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(draw, REST);
  };

  connection.open("list", () => ({ type: "open-list", namespace: page.dataset.namespace }), { rows: later });
  setInterval(() => document.visibilityState === "visible" && draw(), LOOK);
  connection.start();

  async function draw() {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { "HX-Request": "true" } });
      if (answer.ok) put(await answer.text());
    } catch {
      // The bar above says that the connection is lost; the next look tries again.
    }
    asking = false;
    if (again) {
      again = false;
      later();
    }
  }
}

// Replace the drawing only if it differs; what the person has open or in focus stays.
function put(text) {
  const old = document.getElementById("graph");
  const next = new DOMParser().parseFromString(text, "text/html").getElementById("graph");
  if (!next || old.isEqualNode(next)) return;
  const open = old.querySelector("details")?.open;
  const focused = document.activeElement?.closest?.(".graph-link")?.querySelector(".graph-box")?.dataset.object;
  const before = places(old);
  if (open && next.querySelector("details")) next.querySelector("details").open = true;
  if (old.isEqualNode(next)) return;
  const [left, top] = [old.querySelector(".scroll")?.scrollLeft ?? 0, old.querySelector(".scroll")?.scrollTop ?? 0];
  old.replaceWith(next);
  next.querySelector(".scroll")?.scrollTo(left, top);
  if (focused) next.querySelector(`[data-object="${CSS.escape(focused)}"]`)?.closest("a")?.focus();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) glide(next, before);
}

function places(root) {
  const found = new Map();
  for (const box of root.querySelectorAll(".graph-box")) {
    const rect = box.querySelector("rect");
    found.set(box.dataset.object, [Number(rect.getAttribute("x")), Number(rect.getAttribute("y"))]);
  }
  return found;
}

function glide(root, before) {
  for (const [name, [x, y]] of places(root)) {
    const box = root.querySelector(`[data-object="${CSS.escape(name)}"]`);
    const old = before.get(name);
    if (!old) box.animate([{ opacity: 0 }, { opacity: 1 }], 300);
    else if (old[0] !== x || old[1] !== y) {
      box.animate([{ transform: `translate(${old[0] - x}px, ${old[1] - y}px)` }, { transform: "none" }], { duration: 300, easing: "ease-out" });
    }
  }
}
