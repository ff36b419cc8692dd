// What lies under and over the marks: the grid, folds, the selected range, the live edge; and the minimap.

import { bars } from "./layout.js";
import { box, rule } from "./draw_shapes.js";
import { ticks, toX } from "./scale.js";

// Gives a canvas its size in CSS pixels, at the screen's own density; drawing on it is lost only when that changes.
export function fitCanvas(canvas, width, height, ratio) {
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width === w && canvas.height === h) return;
  canvas.width = w;
  canvas.height = h;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
}

export function grid(ctx, { s, height, origin, now, colours }) {
  if (now !== null && toX(s, now) < s.width) {
    ctx.fillStyle = colours.well;
    ctx.globalAlpha = 0.35;
    const x = Math.max(toX(s, now), 0);
    ctx.fillRect(x, 0, s.width - x, height);
    ctx.globalAlpha = 1;
  }
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const time of ticks(s, origin).times) {
    const x = Math.round(toX(s, time)) + 0.5;
    ctx.moveTo(x, 0);
    ctx.lineTo(x, height);
  }
  ctx.stroke();
}

// A folded stretch: two jagged edges, what lies between is left out.
export function gap(ctx, fold, { s, height, colours }) {
  const [x0, x1] = [toX(s, fold.from), toX(s, fold.to)];
  if (x1 < 0 || x0 > s.width) return;
  const zigzag = (x) => {
    for (let y = 0, side = 0; y <= height; y += 6, side = 3 - side) ctx.lineTo(x + side, y);
  };
  ctx.fillStyle = colours.ground;
  ctx.beginPath();
  zigzag(x0);
  for (let y = height, side = 0; y >= 0; y -= 6, side = 3 - side) ctx.lineTo(x1 + side, y);
  ctx.closePath();
  ctx.fill();
  ctx.strokeStyle = colours.muted;
  for (const x of [x0, x1]) {
    ctx.beginPath();
    zigzag(x);
    ctx.stroke();
  }
}

// The selected range.
export function band(ctx, { s, range, height, colours }) {
  const [x0, x1] = range.map((time) => toX(s, time));
  ctx.fillStyle = colours.select;
  ctx.globalAlpha = 0.08;
  ctx.fillRect(x0, 0, x1 - x0, height);
  ctx.globalAlpha = 1;
  rule(ctx, x0, height, colours.select);
  rule(ctx, x1, height, colours.select);
}

export function edge(ctx, { s, now, height, colours }) {
  const x = toX(s, now);
  if (x < 0 || x > s.width) return;
  ctx.lineWidth = 1.5;
  rule(ctx, x, height, colours.ink);
  ctx.lineWidth = 1;
}

// The whole story in a strip: a thin row for each container, and the window as a frame.
export function paintMinimap(ctx, { s, rows, columns = [], now, window: win, drag, height, colours }) {
  ctx.clearRect(0, 0, s.width, height);
  ctx.fillStyle = colours.well;
  box(ctx, 0, 3, s.width, height - 6, 4);
  ctx.fill();
  const thick = Math.min(6, Math.floor(16 / Math.max(rows.length, 1)));
  rows.forEach((marks, index) => {
    const y = height / 2 + (index - rows.length / 2) * (thick + 1);
    for (const bar of bars(marks, s, now)) {
      ctx.fillStyle = bar.mark.kind === "deletion" ? colours.terminating : bar.mark.state === "waiting" ? colours.waiting : colours.running;
      ctx.fillRect(bar.x0, y, bar.x1 - bar.x0, thick);
      if (bar.mark.outcome !== "failed") continue;
      ctx.fillStyle = colours.failed;
      ctx.fillRect(bar.x1 - 1, y - 1, 2, thick + 2);
    }
  });
  const most = columns.reduce((largest, one) => Math.max(largest, one.count), 4);
  for (const { x, count, grave } of columns) {
    const tall = Math.max((count / most) * (height - 10), 2);
    const part = grave ? Math.max((tall * grave) / count, 2) : 0;
    ctx.fillStyle = colours.done;
    ctx.fillRect(x, height - 5 - tall, 2.5, tall);
    ctx.fillStyle = colours.failed;
    ctx.fillRect(x, height - 5 - part, 2.5, part);
  }
  if (drag) {
    ctx.fillStyle = colours.select;
    ctx.globalAlpha = 0.15;
    const [from, to] = drag.map((time) => toX(s, time));
    ctx.fillRect(from, 3, to - from, height - 6);
    ctx.globalAlpha = 1;
  }
  const x0 = Math.max(toX(s, win.from), 1);
  const x1 = Math.min(toX(s, win.to), s.width - 1);
  ctx.strokeStyle = colours.ink;
  ctx.lineWidth = 1.3;
  box(ctx, x0, 2, Math.max(x1 - x0, 6), height - 4, 4);
  ctx.stroke();
  ctx.lineWidth = 1;
}
