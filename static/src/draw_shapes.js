// The shapes that the timeline is drawn with: bars, words, rules. Knows a canvas and colours, nothing of marks.

export function box(ctx, x0, y, width, height, radius = 3) {
  ctx.beginPath();
  ctx.roundRect(x0, y, Math.max(width, 1), height, Math.min(radius, Math.max(width, 0) / 2));
}

export function solid(ctx, lane, x0, x1, colour) {
  box(ctx, x0, lane.y + 1, x1 - x0, lane.height - 2);
  ctx.fillStyle = colour;
  ctx.fill();
}

export function dashed(ctx, lane, x0, x1, colour, view, ground = "waiting-fill") {
  box(ctx, x0 + 0.5, lane.y + 1.5, x1 - x0 - 1, lane.height - 3);
  if (ground) {
    ctx.fillStyle = view.colours[ground];
    ctx.fill();
  }
  ctx.setLineDash([4, 3]);
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.stroke();
  ctx.setLineDash([]);
}

export function hatched(ctx, lane, x0, x1, colours) {
  ctx.save();
  box(ctx, x0, lane.y + 1, x1 - x0, lane.height - 2);
  ctx.strokeStyle = colours.unknown;
  ctx.stroke();
  ctx.clip();
  ctx.beginPath();
  for (let x = Math.floor(x0 / 6) * 6 - lane.height; x < x1; x += 6) {
    ctx.moveTo(x, lane.y + lane.height);
    ctx.lineTo(x + lane.height, lane.y);
  }
  ctx.stroke();
  ctx.restore();
}

// Words stand in the bar; if they must be read (`out`) and do not fit, behind it.
export function text(ctx, label, lane, x0, x1, view, colour, out, lead = 0) {
  if (!label) return;
  ctx.font = `600 11px ${view.colours.words}`;
  ctx.textBaseline = "middle";
  ctx.fillStyle = colour;
  const begin = Math.max(x0, 0) + Math.max(6, lead);
  const room = Math.min(x1, view.s.width) - begin - 4;
  if (room <= 22 && !out) return;
  const width = widthOf(ctx, label);
  const y = lane.y + lane.height / 2 + 0.5;
  if (width <= room) ctx.fillText(label, begin, y);
  else if (out && x1 + width + 8 < view.s.width) ctx.fillText(label, x1 + 6, y);
  else if (room > 22) ctx.fillText(shorten(ctx, label, room), begin, y);
}

// Widths of words, remembered: measuring is the dearest part of a frame that has many.
const widths = new Map();

export function widthOf(ctx, label) {
  const key = `${ctx.font}|${label}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 4000) widths.clear();
    widths.set(key, (width = ctx.measureText(label).width));
  }
  return width;
}

export function shorten(ctx, label, room) {
  const whole = widthOf(ctx, label);
  let length = Math.min(label.length - 1, Math.floor((label.length * room) / whole));
  while (length > 1 && widthOf(ctx, label.slice(0, length) + "…") > room) length -= 1;
  return label.slice(0, Math.max(length, 1)) + "…";
}

export function frame(ctx, lane, x0, x1, colours) {
  box(ctx, x0 - 2, lane.y - 1, x1 - x0 + 4, lane.height + 2, 4);
  ctx.strokeStyle = colours.select;
  ctx.lineWidth = 2;
  ctx.stroke();
  ctx.lineWidth = 1;
}

export function rule(ctx, x, height, colour, dash = []) {
  ctx.strokeStyle = colour;
  ctx.setLineDash(dash);
  ctx.beginPath();
  ctx.moveTo(Math.round(x) + 0.5, 0);
  ctx.lineTo(Math.round(x) + 0.5, height);
  ctx.stroke();
  ctx.setLineDash([]);
}

export function half(ctx, x, y, tip, colour) {
  ctx.beginPath();
  ctx.moveTo(x - 6.5, y);
  ctx.lineTo(x, y + tip);
  ctx.lineTo(x + 6.5, y);
  ctx.closePath();
  ctx.fillStyle = colour;
  ctx.fill();
}

export function hollow(ctx, x, y, tip, colour) {
  ctx.beginPath();
  ctx.moveTo(x - 6, y);
  ctx.lineTo(x, y + tip - 0.5);
  ctx.lineTo(x + 6, y);
  ctx.strokeStyle = colour;
  ctx.stroke();
}
