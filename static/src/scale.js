// The time axis: a window [from, to] in ms over a width in px. Pure; every function returns a new scale.
// Idle stretches may be folded: `folds` (from folds.js) makes them short, and all lengths below are folded lengths.

import { folded, unfolded } from "./folds.js";

export const SHORTEST = 50; // ms that may fill the whole width
export const LONGEST = 10 * 365 * 86_400_000;

export function scale(from, to, width, folds = []) {
  const begin = folded(folds, from);
  const length = Math.min(Math.max(folded(folds, to) - begin, SHORTEST), LONGEST);
  return Object.freeze({ from, to: unfolded(folds, begin + length), width: Math.max(width, 1), folds, begin, length });
}

export const toX = (s, time) => ((folded(s.folds, time) - s.begin) / s.length) * s.width;
export const toTime = (s, x) => unfolded(s.folds, s.begin + (x / s.width) * s.length);
export const perPixel = (s) => s.length / s.width;

// A scale from folded ends.
const between = (begin, end, s) => scale(unfolded(s.folds, begin), unfolded(s.folds, end), s.width, s.folds);

// Zoom by `factor` (below 1 = nearer) so that what is under `x` stays there.
export function zoom(s, factor, x) {
  const share = x / s.width;
  const length = Math.min(Math.max(s.length * factor, SHORTEST), LONGEST);
  const begin = s.begin + share * s.length - share * length;
  return between(begin, begin + length, s);
}

export function pan(s, pixels) {
  const shift = pixels * perPixel(s);
  return between(s.begin + shift, s.begin + s.length + shift, s);
}

// Show everything from `first` to `last` with a little air on both sides.
export function fit(first, last, width, folds = []) {
  const begin = folded(folds, first);
  const length = Math.max(folded(folds, last) - begin, 1000);
  return between(begin - length * 0.02, begin + length * 1.12, { folds, width });
}

// The window that follows the live edge: `now` stands at 4/5 of the width, unless all fits anyway.
export function follow(s, now, first) {
  const [at, start] = [folded(s.folds, now), folded(s.folds, first)];
  if (at <= s.begin + s.length * 0.8 && at >= s.begin) return s;
  const wanted = at - s.length * 0.8;
  const begin = Math.max(wanted, Math.min(start, wanted));
  return between(begin, begin + s.length, s);
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
  for (let n = first; n <= last && found.length < 200; n += 1) {
    const time = origin + n * step;
    const fold = s.folds.find((one) => time > one.from && time < one.to);
    if (fold) n = Math.max(n, Math.ceil((fold.to - origin) / step) - 1);
    else found.push(time);
  }
  return { step, times: found };
}
