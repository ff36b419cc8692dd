// Times: parsing, kubectl's ages, labels for the axis. Pure.

export const ms = (iso) => (iso ? Date.parse(iso) : null);

// kubectl's age (apimachinery duration.HumanDuration).
export function humanDuration(span) {
  const total = Math.trunc(span / 1000);
  if (span <= -2000) return "<invalid>";
  if (span < 0) return "0s";
  const pair = (big, bigUnit, small, smallUnit) => `${big}${bigUnit}${small ? small + smallUnit : ""}`;
  const minutes = Math.trunc(total / 60);
  const hours = Math.trunc(total / 3600);
  const days = Math.trunc(total / 86400);
  if (total < 120) return `${total}s`;
  if (minutes < 10) return pair(minutes, "m", total % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return pair(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  if (hours < 192) return pair(days, "d", hours % 24, "h");
  if (days < 730) return `${days}d`;
  if (days < 2920) return pair(Math.trunc(days / 365), "y", days % 365, "d");
  return `${Math.trunc(days / 365)}y`;
}

// The rest of a countdown: one decimal below ten seconds, never negative.
export function left(span) {
  const seconds = Math.max(span, 0) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  return `${Math.floor(seconds / 60)} m ${Math.floor(seconds % 60)} s`;
}

const two = (number) => String(number).padStart(2, "0");

export function clockText(time, { decimals = 0, utc = true } = {}) {
  const date = new Date(time);
  const [h, m, s, f] = utc
    ? [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCMilliseconds()]
    : [date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds()];
  const tail = decimals ? "." + String(f).padStart(3, "0").slice(0, decimals) : "";
  return `${two(h)}:${two(m)}:${two(s)}${tail}`;
}

// "+27.6s", "+3m20s": a moment since `origin`, as exact as `step` (ms between ticks) asks for.
export function sinceText(time, origin, step = 1000) {
  const span = time - origin;
  const sign = span < 0 ? "−" : "+";
  const absolute = Math.abs(span);
  const decimals = step < 10 ? 3 : step < 100 ? 2 : step < 1000 ? 1 : 0;
  if (absolute < 120_000) return `${sign}${(absolute / 1000).toFixed(decimals)}s`;
  const seconds = Math.round(absolute / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${sign}${minutes}m${seconds % 60 ? two(seconds % 60) + "s" : ""}`;
  const hours = Math.floor(minutes / 60);
  return `${sign}${hours}h${minutes % 60 ? two(minutes % 60) + "m" : ""}`;
}

// How moments are told: since apply, in the cluster's lab time (UTC), on the clock of this computer.
export const TIMES = ["since", "lab", "wall"];

// Lab time and the time of the world: points at which both are known, [lab, wall] in ms; straight lines between them.
export class WallLine {
  constructor(points = []) {
    this.points = points;
  }

  put(points) {
    this.points = points;
  }

  // `present`: the point at which both are known now.
  at(lab, present = null) {
    if (!this.points.length) return lab;
    const points = present ? [...this.points, present] : this.points;
    let i = points.findIndex(([one]) => one > lab);
    if (i < 0) i = points.length;
    const [before, after] = [points[i - 1], points[i]];
    if (!before) return after[1] - (after[0] - lab);
    if (!after || after[0] === before[0]) return before[1] + (lab - before[0]);
    return before[1] + ((lab - before[0]) / (after[0] - before[0])) * (after[1] - before[1]);
  }
}
