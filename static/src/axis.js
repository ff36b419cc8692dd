// The words over the plot: times, the live edge, how long a fold is. Elements are used again from frame to frame.

import { ticks, toX } from "./scale.js";
import { left } from "./times.js";
import { t } from "./words.js";

export function writeAxis(axis, { s, now, word, origin, zero, timeText }) {
  const { step, times } = ticks(s, zero);
  const labels = times.map((time) => [toX(s, time), time === origin && zero === origin ? t("apply") : timeText(time, step), "tick"]);
  if (now !== null) labels.push([toX(s, now), word, "edge"]);
  for (const fold of s.folds) labels.push([(toX(s, fold.from) + toX(s, fold.to)) / 2, left(fold.to - fold.from), "fold"]);
  const edgeX = now === null ? -1000 : toX(s, now);
  const shown = labels.filter(([x, , kind]) => x >= 0 && x <= s.width && (kind === "edge" || Math.abs(x - edgeX) > 52));
  while (axis.children.length > shown.length) axis.lastChild.remove();
  while (axis.children.length < shown.length) axis.append(document.createElement("span"));
  shown.forEach(([x, label, kind], index) => {
    const element = axis.children[index];
    if (element.textContent !== label) element.textContent = label;
    if (element.className !== kind) element.className = kind;
    element.style.transform = `translateX(clamp(0px, calc(${x.toFixed(1)}px - 50%), calc(${s.width.toFixed(0)}px - 100%)))`;
  });
}
