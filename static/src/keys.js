// Single-key commands of the timeline. They never fire while somebody types, and can be switched off (WCAG 2.1.4).

const STORE = "podlab.keys";

// A frame without an origin has no store; there the choice holds as long as the page.
let kept = null;

export function enabled() {
  try {
    return (localStorage.getItem(STORE) ?? kept) !== "off";
  } catch {
    return kept !== "off";
  }
}

export function enable(on) {
  kept = on ? "on" : "off";
  try {
    localStorage.setItem(STORE, kept);
  } catch {
    // As above.
  }
}

export const COMMANDS = {
  w: (timeline) => timeline.zoomBy(0.7),
  s: (timeline) => timeline.zoomBy(1 / 0.7),
  arrowup: (timeline) => timeline.scrollBy(-60),
  arrowdown: (timeline) => timeline.scrollBy(60),
  a: (timeline, large) => timeline.panBy(-timeline.s.width * (large ? 0.8 : 0.15)),
  d: (timeline, large) => timeline.panBy(timeline.s.width * (large ? 0.8 : 0.15)),
  f: (timeline) => (timeline.selected ? timeline.fitMark() : timeline.all()),
  0: (timeline) => timeline.all(),
  ",": (timeline) => timeline.step(-1),
  ".": (timeline) => timeline.step(1),
  // In the past it plays and pauses; a saved file has nothing to play.
  " ": (timeline) => (document.querySelector(".past") ? document.dispatchEvent(new Event("podlab:toggle")) : timeline.toggle()),
  t: (timeline) => timeline.switchTimes(),
  z: (timeline) => timeline.fold(),
  r: (timeline) => timeline.setRange(timeline.range ? null : [timeline.s.from, Math.min(timeline.s.to, timeline.last)]),
};

export function typing(element) {
  // A dialog that was just closed keeps the focus until the next frame.
  if (element?.closest?.("dialog:not([open])")) return false;
  return Boolean(element?.closest?.("input, textarea, select, [contenteditable], .cm-editor, dialog[open]"));
}

export function listen(timeline) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (!enabled() || timeline.root.offsetParent === null) return;
    if (event.key === " " && event.target.closest?.("button, a, summary")) return;
    if (event.key === "Escape") {
      if (timeline.range) timeline.setRange(null);
      else timeline.select(null);
      return;
    }
    const command = COMMANDS[event.key.toLowerCase()];
    // The arrows scroll the page where the timeline has nothing to scroll.
    if (!command || (event.key.startsWith("Arrow") && !timeline.scrolls)) return;
    event.preventDefault();
    command(timeline, event.shiftKey);
  });
}
