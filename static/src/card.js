// The evidence card: what one mark means and what it rests on.

import { t } from "./words.js";
import { clockText, left } from "./times.js";

const TONES = { success: "running", failure: "failed", error: "unknown", warning: "waiting", completed: "done", failed: "failed", running: "running", waiting: "waiting", True: "running", False: "waiting", Warning: "failed", Normal: "done" };

export function toneOf(mark) {
  if (mark.kind === "deletion") return "terminating";
  if (mark.kind === "phase") return { Pending: "waiting", Running: "running", Succeeded: "done", Failed: "failed" }[mark.reason] ?? "unknown";
  return TONES[mark.outcome] ?? "unknown";
}

export function titleOf(mark) {
  if (mark.kind === "condition") return `${mark.text} = ${mark.state}`;
  if (mark.kind === "probe") return `${mark.probe} ${t(mark.outcome)}`;
  if (mark.kind === "span" && mark.attempt !== null && mark.state !== "waiting") return `${mark.container} #${mark.attempt} · ${mark.reason}`;
  return mark.reason || mark.text;
}

export class Card {
  constructor(root, { yaml, timeText, onClose }) {
    Object.assign(this, { root, yaml, timeText });
    root.querySelector("[data-do=close]")?.addEventListener("click", onClose);
    root.querySelector("[data-do=copy]")?.addEventListener("click", () => this.copy());
  }

  part(name) {
    return this.root.querySelector(`[data-card=${name}]`);
  }

  write(name, text) {
    const element = this.part(name);
    if (element.textContent !== text) element.textContent = text;
    const block = element.closest("[data-block]");
    if (block) block.hidden = !text;
  }

  show(mark, now) {
    this.mark = mark;
    this.root.classList.toggle("is-empty", !mark);
    this.part("empty").hidden = Boolean(mark);
    this.part("body").hidden = !mark;
    if (!mark) return;
    this.root.dataset.tone = toneOf(mark);
    this.write("title", titleOf(mark));
    const since = this.timeText(mark.t0);
    this.write("time", since);
    this.part("time").title = `${clockText(mark.t0, { decimals: 3 })} UTC`;
    this.write("sentence", mark.sentence);
    this.write("why", mark.why && mark.why !== mark.sentence ? mark.why : "");
    const event = mark.evidence.event;
    this.write("event", event ? `${event.type} ${event.reason}${event.count > 1 ? ` ×${event.count}` : ""}: ${event.message}` : "");
    this.write("command", mark.evidence.command);
    this.writeYaml(mark.evidence.path);
    this.tick(now);
  }

  // The seconds that are left of a countdown.
  tick(now) {
    const mark = this.mark;
    const counting = mark && mark.tUntil !== null && mark.t1 === null && now !== null;
    const element = this.part("left");
    element.hidden = !counting;
    if (counting) element.textContent = `${left(mark.tUntil - now)} ${t("left")}`;
  }

  writeYaml(path) {
    const lines = path ? linesOf(this.yaml, path) : [];
    const block = this.part("yaml");
    block.closest("[data-block]").hidden = lines.length === 0;
    block.replaceChildren(
      ...lines.map(({ number, text }) => {
        const line = document.createElement("a");
        line.href = `?tab=yaml#L${number}`;
        line.className = "yaml-line";
        line.dataset.number = number;
        line.textContent = text;
        return line;
      }),
    );
  }

  copy() {
    navigator.clipboard?.writeText(this.part("command").textContent);
  }
}

// At most `most` lines of the YAML at `path`: the field itself and what stands in it. Pure.
export function linesOf(yaml, path, most = 8) {
  const found = [];
  for (const [index, line] of yaml.entries()) {
    const inside = line.path === path || line.path.startsWith(path + ".") || line.path.startsWith(path + "[");
    if (inside) found.push({ number: index + 1, text: line.text });
    else if (found.length) break;
    if (found.length === most) break;
  }
  const margin = Math.min(...found.map((line) => line.text.search(/\S|$/)));
  return found.map((line) => ({ ...line, text: line.text.slice(margin) }));
}
