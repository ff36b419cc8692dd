// Paints points in time: events as diamonds, log lines as a density strip. Called by `draw`.

import { clusters, density } from "./layout.js";
import { half, hollow, widthOf } from "./draw_shapes.js";

// Diamonds: severity above, source below; several that lie together are one with a count.
export function events(ctx, lane, marks, view) {
  const y = lane.y + lane.height / 2;
  const found = clusters(marks, view.s);
  const places = found.map(({ x }) => x).sort((a, b) => a - b);
  for (const { x, mark, marks: all } of found) {
    half(ctx, x, y, -6.5, mark.state === "Warning" ? view.colours.failed : view.colours.done);
    source(ctx, x, y, mark.source, view.colours);
    if (all.some((one) => one.id === view.selected)) {
      ctx.strokeStyle = view.colours.select;
      ctx.lineWidth = 2;
      ctx.strokeRect(x - 8, y - 8, 16, 16);
      ctx.lineWidth = 1;
    }
    if (all.length > 1) {
      ctx.font = `600 10px ${view.colours.words}`;
      ctx.fillStyle = view.colours.muted;
      ctx.textBaseline = "middle";
      const next = places[places.indexOf(x) + 1] ?? Infinity; // the list and the tip tell the count where there is no room for it
      if (next - x > widthOf(ctx, String(all.length)) + 16) ctx.fillText(String(all.length), x + 9, y + 0.5);
    }
  }
}

// Who said it: the kubelet full, the scheduler in its own hue, everybody else hollow.
function source(ctx, x, y, name, colours) {
  if (name === "kubelet") half(ctx, x, y, 6.5, colours["event-source"]);
  else if (name.includes("scheduler")) half(ctx, x, y, 6.5, colours.terminating);
  else hollow(ctx, x, y, 6.5, colours["event-source"]);
}

export function logs(ctx, lane, view) {
  const found = density(view.logTimes, view.s);
  const most = Math.max(...found.map((one) => one.count), 4);
  ctx.fillStyle = view.colours.log;
  for (const { x, count } of found) {
    const height = Math.max(2, (count / most) * (lane.height - 2));
    ctx.fillRect(x, lane.y + lane.height - height, 3, height);
  }
  ctx.fillStyle = view.colours.line;
  ctx.fillRect(0, lane.y + lane.height, view.s.width, 1);
}
