// The object graph, live or walked through its past: the server draws anew, and boxes that moved glide to their new place.

document.addEventListener("podlab:fresh", (event) => {
  if (event.target.id === "graph") put(event.target, event.detail);
});

// Draw in `graph` what `next` says; what the person has open or in focus stays.
function put(graph, next) {
  const focused = document.activeElement?.closest?.(".graph-link")?.querySelector(".graph-box")?.dataset.object;
  const before = places(graph);
  const list = next.querySelector("details");
  if (list && graph.querySelector("details")?.open) list.open = true;
  const [left, top] = [graph.querySelector(".scroll")?.scrollLeft ?? 0, graph.querySelector(".scroll")?.scrollTop ?? 0];
  graph.replaceChildren(...next.childNodes);
  graph.querySelector(".scroll")?.scrollTo(left, top);
  if (focused) graph.querySelector(`[data-object="${CSS.escape(focused)}"]`)?.closest("a")?.focus();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) glide(graph, before);
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
