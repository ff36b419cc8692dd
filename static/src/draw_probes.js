// Paints the probes of a container: a tick each, the running count, the line from a crossed threshold. Called by `draw`.

import { widthOf } from "./draw_shapes.js";
import { tickHeight, ticksOf } from "./layout.js";
import { toX } from "./scale.js";

// A stem as high as the answer took long, with a head whose shape is the outcome.
export function probes(ctx, lane, marks, view) {
  const { s, colours } = view;
  const foot = lane.y + lane.height - 2;
  ctx.fillStyle = colours.line;
  ctx.fillRect(0, foot, s.width, 1);
  const ticks = ticksOf(marks, s);
  const dense = ticks.length > s.width / 7;
  for (const { x, mark, latency } of ticks) {
    const top = foot - tickHeight(latency, lane.height - 6);
    const colour = { success: colours.running, failure: colours.failed, warning: colours.waiting }[mark.outcome] ?? colours.unknown;
    ctx.strokeStyle = colour;
    ctx.fillStyle = colour;
    // Stems that stand close say enough; a failure keeps its head.
    if (dense && mark.outcome === "success") {
      ctx.fillRect(x - 1, top, 2, foot - top);
    } else {
      ctx.beginPath();
      ctx.moveTo(x, foot);
      ctx.lineTo(x, top);
      ctx.stroke();
      head(ctx, x, top, mark.outcome, colours);
    }
    if (view.selected === mark.id) {
      ctx.strokeStyle = colours.select;
      ctx.lineWidth = 2;
      ctx.strokeRect(x - 6, top - 6, 12, foot - top + 7);
      ctx.lineWidth = 1;
    }
  }
  if (!dense) counts(ctx, lane, ticks, view);
}

function head(ctx, x, y, outcome, colours) {
  ctx.beginPath();
  if (outcome === "success") {
    ctx.arc(x, y, 2.7, 0, Math.PI * 2);
    ctx.fill();
  } else if (outcome === "failure") {
    ctx.lineWidth = 1.8;
    ctx.moveTo(x - 3, y - 3);
    ctx.lineTo(x + 3, y + 3);
    ctx.moveTo(x + 3, y - 3);
    ctx.lineTo(x - 3, y + 3);
    ctx.stroke();
    ctx.lineWidth = 1;
  } else {
    ctx.moveTo(x, y - 4);
    ctx.lineTo(x + 4, y);
    ctx.lineTo(x, y + 4);
    ctx.lineTo(x - 4, y);
    ctx.closePath();
    ctx.fillStyle = colours.panel;
    ctx.fill();
    ctx.stroke();
  }
}

// "2/3" beside a run that counts towards its threshold when there is room; the crossing says in words what it caused.
function counts(ctx, lane, ticks, view) {
  ctx.font = `600 10px ${view.colours.words}`;
  ctx.textBaseline = "middle";
  const y = lane.y + lane.height / 2 + 1;
  let free = -Infinity;
  ticks.forEach(({ x, mark, count }, index) => {
    const next = ticks[index + 1]?.x ?? Infinity;
    const counting = mark.outcome === "failure" || (mark.outcome === "success" && mark.threshold > 1 && mark.run <= mark.threshold);
    if (!counting || count > 1 || x < free || x < 0) return;
    // The longest words that end before the next tick; the line to what the crossing caused is there in any case.
    const crossed = mark.caused === "restart" || mark.caused === "unready" || (mark.caused && mark.outcome === "success");
    const short = `${Math.min(mark.run, mark.threshold)}/${mark.threshold}`;
    const label = (crossed ? [mark.text, short] : [short]).find((one) => one && widthOf(ctx, one) + 12 <= next - x);
    if (!label) return;
    ctx.fillStyle = mark.outcome === "failure" ? view.colours.failed : view.colours.running;
    ctx.fillText(label, x + 7, y);
    free = x + widthOf(ctx, label) + 8;
  });
}

// From the probe that crossed its threshold to the lane that it changed, and on to the endpoint that was taken out.
export function links(ctx, lane, view) {
  for (const mark of view.marksOf(lane.id)) {
    if (!mark.target || (mark.outcome === "success" && mark.id !== view.selected)) continue;
    const target = view.laneOf(mark.target);
    if (target) link(ctx, lane, target, toX(view.s, mark.t0), mark.outcome === "success" ? view.colours.running : view.colours.failed, view);
  }
}

function link(ctx, lane, target, x, colour, view) {
  if (x < 0 || x > view.s.width) return;
  const up = target.y < lane.y;
  const y0 = lane.y + (up ? 2 : lane.height);
  const y1 = target.y + target.height / 2 + (up && target.height > 14 ? target.height / 2 : 0);
  const bend = Math.min(Math.abs(y1 - y0) / 5, 10);
  ctx.strokeStyle = colour;
  ctx.setLineDash([2, 2]);
  ctx.beginPath();
  ctx.moveTo(x, y0);
  ctx.quadraticCurveTo(x + bend, (y0 + y1) / 2, x, y1);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.arc(x, y1, 2, 0, Math.PI * 2);
  ctx.fillStyle = colour;
  ctx.fill();
}
