// What the timelines of a pod and of a namespace have in common beside the drawing: buttons, keys, the chip of a range.

import * as keys from "./keys.js";
import { t } from "./words.js";

export function buttons(page, timeline, twin, address) {
  const actions = {
    live: () => timeline.live(),
    fit: () => timeline.all(),
    in: () => timeline.zoomBy(0.7),
    out: () => timeline.zoomBy(1 / 0.7),
    times: () => timeline.switchTimes(),
    fold: () => timeline.fold(),
    unrange: () => timeline.setRange(null),
    list: (button) => {
      twin.show(!twin.shown);
      button.setAttribute("aria-pressed", String(twin.shown));
    },
    keys: () => document.getElementById("keys").showModal(),
    link: async (button) => {
      address.write(false);
      await navigator.clipboard?.writeText(location.href);
      button.dataset.copied = "yes";
      setTimeout(() => delete button.dataset.copied, 1500);
    },
  };
  page.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    actions[button?.dataset.do]?.(button);
    if (["times", "fold"].includes(button?.dataset.do)) address.chose();
  });
  keys.listen(timeline);
}

// "+3s … +9s · 4 events · 12 lines" while a range is selected.
export function rangeChip(page, timeline, { events, lines }) {
  const chip = page.querySelector("[data-range]");
  const { range } = timeline;
  chip.hidden = !range;
  if (!range) return;
  const [from, to] = range.map((time) => timeline.timeText(time));
  const within = events.filter((mark) => mark.t0 >= range[0] && mark.t0 <= range[1]).length;
  const text = lines === null ? "{from} … {to} · {events} events" : "{from} … {to} · {events} events · {lines} lines";
  chip.firstChild.textContent = t(text, { from, to, events: within, lines });
}
