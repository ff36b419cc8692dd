// Wheel and pointer on the timeline: zoom, move, choose, select a range; the minimap. `timeline` holds what they change.

import { toTime, toX } from "./scale.js";

const SLACK = 4; // px that a click may wander

export function hands(timeline) {
  const { plot, canvas } = timeline;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  let drag = null; // {x, moved, from}: `from` is the time where a range begins, null while the view is moved
  plot.addEventListener("wheel", (event) => {
    event.preventDefault();
    const [x] = place(event);
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) timeline.panBy(event.deltaX);
    else timeline.zoomBy(Math.exp(Math.max(Math.min(event.deltaY, 200), -200) * 0.002), x);
  }, { passive: false });
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    const [x, y] = place(event);
    // The axis, and with Shift the whole plot, select; elsewhere a drag moves.
    drag = { x: event.clientX, moved: false, from: event.shiftKey || y < 0 ? toTime(timeline.s, x) : null };
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    const [x, y] = place(event);
    if (!drag || (!drag.moved && Math.abs(event.clientX - drag.x) <= SLACK)) return timeline.point(x, y);
    drag.moved = true;
    if (drag.from !== null) return timeline.setRange(inOrder(drag.from, toTime(timeline.s, x)));
    timeline.panBy(drag.x - event.clientX);
    drag.x = event.clientX;
  });
  plot.addEventListener("pointerup", (event) => {
    if (drag && !drag.moved) {
      if (drag.from !== null) timeline.setRange(null);
      else timeline.select(timeline.at(...place(event))?.id ?? null);
    }
    drag = null;
  });
  plot.addEventListener("pointerleave", () => timeline.point(-1, -1));
  plot.addEventListener("dblclick", () => timeline.selected && timeline.fitMark());
  if (timeline.minimap) minimap(timeline);
}

const inOrder = (a, b) => [Math.min(a, b), Math.max(a, b)];

function minimap(timeline) {
  const canvas = timeline.minimap;
  let from = null;
  const time = (event) => toTime(timeline.whole, event.clientX - canvas.getBoundingClientRect().left);
  canvas.addEventListener("pointerdown", (event) => {
    from = time(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", (event) => {
    const to = time(event);
    const half = (timeline.s.to - timeline.s.from) / 2;
    const near = Math.abs(toX(timeline.whole, to) - toX(timeline.whole, from)) < 5;
    if (near) timeline.showRange(to - half, to + half);
    else timeline.showRange(...inOrder(from, to));
    from = null;
  });
}
