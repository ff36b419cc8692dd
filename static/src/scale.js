// The time axis: a window [from, to] in ms over a width in px. Pure; every function returns a new scale.

export const SHORTEST = 50; // ms that may fill the whole width
export const LONGEST = 10 * 365 * 86_400_000;

export function scale(from, to, width) {
  const length = Math.min(Math.max(to - from, SHORTEST), LONGEST);
  return Object.freeze({ from, to: from + length, width: Math.max(width, 1) });
}

export const toX = (s, time) => ((time - s.from) / (s.to - s.from)) * s.width;
export const toTime = (s, x) => s.from + (x / s.width) * (s.to - s.from);
export const perPixel = (s) => (s.to - s.from) / s.width;

// Zoom by `factor` (below 1 = nearer) so that what is under `x` stays there.
export function zoom(s, factor, x) {
  const length = Math.min(Math.max((s.to - s.from) * factor, SHORTEST), LONGEST);
  const from = toTime(s, x) - (x / s.width) * length;
  return scale(from, from + length, s.width);
}

export function pan(s, pixels) {
  const shift = pixels * perPixel(s);
  return scale(s.from + shift, s.to + shift, s.width);
}

// Show everything from `first` to `last` with a little air on both sides.
export function fit(first, last, width) {
  const length = Math.max(last - first, 1000);
  return scale(first - length * 0.02, last + length * 0.12, width);
}

// The window that follows the live edge: `now` stands at 4/5 of the width, unless all fits anyway.
export function follow(s, now, first) {
  const length = s.to - s.from;
  const edge = s.from + length * 0.8;
  if (now <= edge && now >= s.from) return s;
  const from = now - length * 0.8;
  return scale(Math.max(from, Math.min(first, from)), Math.max(from, Math.min(first, from)) + length, s.width);
}

const STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500,
  1e3, 2e3, 5e3, 10e3, 15e3, 30e3,
  60e3, 120e3, 300e3, 600e3, 900e3, 1800e3,
  3600e3, 7200e3, 10800e3, 21600e3, 43200e3, 86400e3, 172800e3, 604800e3, 2592000e3, 31536000e3,
];

export function stepFor(s, apart = 84) {
  const wanted = perPixel(s) * apart;
  return STEPS.find((step) => step >= wanted) ?? STEPS.at(-1);
}

// Round moments since `origin`, at least `apart` px from each other.
export function ticks(s, origin, apart = 84) {
  const step = stepFor(s, apart);
  const first = Math.ceil((s.from - origin) / step);
  const last = Math.floor((s.to - origin) / step);
  const found = [];
  for (let n = first; n <= last && found.length < 200; n += 1) found.push(origin + n * step);
  return { step, times: found };
}
