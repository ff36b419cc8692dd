// The evidence card: what one mark means and what it rests on.

import { t } from "./words.js";
import { clockText, left } from "./times.js";
import { linesOf } from "./yaml_lines.js";

const TONES = { success: "running", failure: "failed", error: "unknown", warning: "waiting", completed: "done", failed: "failed", running: "running", waiting: "waiting", True: "running", False: "waiting", Warning: "failed", Normal: "done" };

export function toneOf(mark) {
  if (mark.kind === "deletion") return "terminating";
  if (mark.kind === "phase") return { Pending: "waiting", Running: "running", Succeeded: "done", Failed: "failed" }[mark.reason] ?? "unknown";
  return TONES[mark.outcome] ?? "unknown";
}

export function titleOf(mark) {
  if (mark.kind === "condition") return `${mark.text} = ${mark.state}`;
  if (mark.kind === "pull") return t("Image pull");
  if (mark.kind === "endpoint") return `${mark.text} · ${t(mark.state === "True" ? "endpoint" : "endpoint removed")}`;
  if (mark.kind === "probe") return `${mark.probe} ${t(mark.outcome)}`;
  if (mark.kind === "span" && mark.attempt !== null && mark.state !== "waiting") return `${mark.container} #${mark.attempt} · ${mark.reason}`;
  return mark.reason || mark.text;
}

// The revision at which a mark began; 0 where only its time is known (`rev` is the last one that touched it). Pure.
export function beganAt({ id, kind, rev }) {
  const found = /(?:^|\/)(?:phase|condition|wait|deletion|endpoint):(?:.*:)?(\d+)$/.exec(id);
  return found ? Number(found[1]) : kind === "event" || kind === "probe" ? rev : 0;
}

// What a probe answered: outcome, latency, how far it has counted. Pure.
export function probeText(mark) {
  if (mark.kind !== "probe") return "";
  const latency = mark.latency_ms === null ? "" : ` · ${mark.latency_ms < 1000 ? `${mark.latency_ms.toFixed(mark.latency_ms < 10 ? 1 : 0)} ms` : `${(mark.latency_ms / 1000).toFixed(1)} s`}`;
  return `${t(mark.outcome)}${latency} · ${Math.min(mark.run, mark.threshold)}/${mark.threshold}`;
}

export class Card {
  // `yaml`: mark → the lines of its pod's YAML, or a promise of them.
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
    this.write("sentence", mark.sentence || "…");
    this.write("why", mark.why && mark.why !== mark.sentence ? mark.why : "");
    this.write("probe", probeText(mark));
    const evidence = mark.evidence ?? { path: "", event: null, command: "" };
    const { event } = evidence;
    this.write("event", event ? `${event.type} ${event.reason}${event.count > 1 ? ` ×${event.count}` : ""}: ${event.message}` : "");
    this.write("command", evidence.command);
    this.showYaml(mark, evidence.path);
    this.linkMoment(mark);
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

  // The page, and all pages behind it, as they were when this happened.
  linkMoment(mark) {
    const link = this.part("moment");
    if (!link) return; // an exported file has no other pages
    const url = new URL(location.href);
    for (const name of ["from", "to", "range", "mark", "rev", "at"]) url.searchParams.delete(name);
    const rev = beganAt(mark);
    if (rev) url.searchParams.set("rev", rev);
    else url.searchParams.set("at", new Date(mark.t0 + 1).toISOString()); // the server's times are finer
    link.href = url.search;
    link.closest("[data-block]").hidden = false;
  }

  async showYaml(mark, path) {
    if (!path) return this.writeYaml([]);
    const lines = linesOf(await this.yaml(mark), path);
    if (this.mark === mark) this.writeYaml(lines);
  }

  writeYaml(lines) {
    const block = this.part("yaml");
    block.closest("[data-block]").hidden = lines.length === 0;
    block.replaceChildren(
      ...lines.map(({ number, text, href }, index) => {
        const line = document.createElement(href === null ? "span" : "a"); // null: the page of the line is not there
        if (href !== null) line.href = href ?? `?tab=yaml#L${number}`;
        if (index === 0) line.classList.add("lit");
        line.classList.add("yaml-line");
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
