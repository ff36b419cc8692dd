// Paints the probes of a container: a tick each, the running count, the line from a crossed threshold. Called by `draw`.

import { tickHeight } from "./layout.js";
import { toX } from "./scale.js";

// A stem as high as the answer took long, with a head whose shape is the outcome.
export function probes(ctx, lane, marks, view) {
  const { s, colours } = view;
  const foot = lane.y + lane.height - 2;
  ctx.fillStyle = colours.line;
  ctx.fillRect(0, foot, s.width, 1);
  for (const mark of marks) {
    const x = toX(s, mark.t0);
    if (x < -6 || x > s.width + 6) continue;
    const top = foot - tickHeight(mark.latency_ms, lane.height - 6);
    const colour = { success: colours.running, failure: colours.failed, warning: colours.waiting }[mark.outcome] ?? colours.unknown;
    ctx.strokeStyle = colour;
    ctx.fillStyle = colour;
    ctx.beginPath();
    ctx.moveTo(x, foot);
    ctx.lineTo(x, top);
    ctx.stroke();
    head(ctx, x, top, mark.outcome, colours);
    if (view.selected === mark.id) {
      ctx.strokeStyle = colours.select;
      ctx.lineWidth = 2;
      ctx.strokeRect(x - 6, top - 6, 12, foot - top + 7);
      ctx.lineWidth = 1;
    }
  }
  counts(ctx, lane, marks, view);
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

// "2/3" beside a failing run when there is room; the crossing says in words what it caused.
function counts(ctx, lane, marks, view) {
  ctx.font = `600 10px ${view.colours.words}`;
  ctx.textBaseline = "middle";
  const y = lane.y + lane.height / 2;
  let free = -Infinity;
  marks.forEach((mark, index) => {
    const x = toX(view.s, mark.t0);
    const next = index + 1 < marks.length ? toX(view.s, marks[index + 1].t0) : Infinity;
    if (mark.outcome !== "failure" || x < free || x < 0) return;
    // The longest words that end before the next tick; the line to what the crossing caused is there in any case.
    const crossed = mark.caused === "restart" || mark.caused === "unready";
    const short = `${Math.min(mark.run, mark.threshold)}/${mark.threshold}`;
    const label = (crossed ? [mark.text, short] : [short]).find((one) => ctx.measureText(one).width + 12 <= next - x);
    if (!label) return;
    const width = ctx.measureText(label).width + 8;
    ctx.fillStyle = view.colours.failed;
    ctx.fillText(label, x + 7, y);
    free = x + width;
  });
}

// From the probe that crossed its threshold to the lane that it changed.
export function links(ctx, lane, view) {
  for (const mark of view.marksOf(lane.id)) {
    if (!mark.target || (mark.outcome === "success" && mark.id !== view.selected)) continue;
    const target = view.lanes.find((l) => l.id === mark.target);
    const x = toX(view.s, mark.t0);
    if (!target || x < 0 || x > view.s.width) continue;
    const y0 = lane.y + (target.y < lane.y ? 2 : lane.height);
    const y1 = target.y + target.height / 2 + (target.y < lane.y ? target.height / 2 : 0);
    const bend = Math.min(Math.abs(y1 - y0) / 5, 10);
    ctx.strokeStyle = mark.outcome === "success" ? view.colours.running : view.colours.failed;
    ctx.setLineDash([2, 2]);
    ctx.beginPath();
    ctx.moveTo(x, y0);
    ctx.quadraticCurveTo(x + bend, (y0 + y1) / 2, x, y1);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.arc(x, y1, 2, 0, Math.PI * 2);
    ctx.fillStyle = ctx.strokeStyle;
    ctx.fill();
  }
}
