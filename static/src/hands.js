// Wheel and pointer on the timeline: zoom, move, choose, select a range; the minimap. `timeline` holds what they change.

import { toTime, toX } from "./scale.js";

const SLACK = 4; // px that a click may wander

export function hands(timeline) {
  const { plot, axis } = timeline;
  for (const element of [plot, axis]) {
    element.addEventListener("wheel", (event) => wheel(timeline, event), { passive: false });
    drags(timeline, element);
  }
  plot.addEventListener("pointerleave", () => timeline.point(-1, -1));
  plot.addEventListener("dblclick", () => timeline.selected && timeline.fitMark());
  if (timeline.minimap) minimap(timeline);
}

// In the pixels of the lanes.
function place(timeline, event, canvas = timeline.canvas) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / timeline.zoom, (event.clientY - box.top) / timeline.zoom];
}

// Over the plot the wheel zooms at the pointer; sideways, or with Shift, it moves; over the names it scrolls the lanes.
function wheel(timeline, event) {
  event.preventDefault();
  const [x] = place(timeline, event);
  const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.shiftKey ? event.deltaY : 0;
  if (sideways) timeline.panBy(sideways);
  else timeline.zoomBy(Math.exp(Math.max(Math.min(event.deltaY, 200), -200) * 0.002), x);
}

// A drag moves the view, lanes and time alike; on the axis, and with Shift everywhere, it selects a range.
function drags(timeline, element) {
  let drag = null; // {x, y, moved, from}: `from` is the time where a range begins, null while the view is moved
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const [x] = place(timeline, event);
    const selects = event.shiftKey || element === timeline.axis;
    drag = { x: event.clientX, y: event.clientY, moved: false, from: selects ? toTime(timeline.s, x) : null };
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    const [x, y] = place(timeline, event);
    const wandered = drag && Math.max(Math.abs(event.clientX - drag.x), Math.abs(event.clientY - drag.y)) > SLACK;
    if (!drag || (!drag.moved && !wandered)) return element === timeline.plot && timeline.point(x, y);
    drag.moved = true;
    if (drag.from !== null) return timeline.setRange(inOrder(drag.from, toTime(timeline.s, x)));
    if (event.clientX !== drag.x) timeline.panBy((drag.x - event.clientX) / timeline.zoom);
    timeline.scrollBy((drag.y - event.clientY) / timeline.zoom);
    [drag.x, drag.y] = [event.clientX, event.clientY];
  });
  const done = () => (drag = null);
  element.addEventListener("pointercancel", done);
  element.addEventListener("pointerup", (event) => {
    if (drag && !drag.moved) {
      if (drag.from !== null) timeline.setRange(null);
      else timeline.select(timeline.at(...place(timeline, event))?.id ?? null, { reveal: false });
    }
    if (drag?.moved) timeline.onSettled?.();
    done();
  });
}

const inOrder = (a, b) => [Math.min(a, b), Math.max(a, b)];

function minimap(timeline) {
  const canvas = timeline.minimap;
  let from = null;
  const time = (event) => toTime(timeline.whole, place(timeline, event, canvas)[0]);
  const end = () => {
    from = timeline.dragging = null;
    timeline.dirty = true;
  };
  canvas.addEventListener("pointerdown", (event) => {
    from = time(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (from === null) return;
    timeline.dragging = inOrder(from, time(event));
    timeline.dirty = true;
  });
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const to = time(event);
    const half = (timeline.s.to - timeline.s.from) / 2;
    const near = Math.abs(toX(timeline.whole, to) - toX(timeline.whole, from)) < 5;
    if (near) timeline.showRange(to - half, to + half);
    else timeline.showRange(...inOrder(from, to));
    end();
    timeline.onSettled?.();
  });
}
