// The names at the left of the lanes: only those in sight are in the page, and they stay the same elements while one scrolls.

import { t } from "./words.js";

export class Labels {
  constructor(root, { noteOf, linkOf = () => "" }) {
    Object.assign(this, { root, noteOf, linkOf });
    this.items = new Map(); // lane id → element
  }

  show(lanes, height, { headed }) {
    this.root.style.height = `${height}px`;
    const ids = new Set(lanes.map((lane) => lane.id));
    for (const [id, element] of this.items) {
      if (ids.has(id) || element.contains(document.activeElement)) continue;
      element.remove();
      this.items.delete(id);
    }
    for (const lane of lanes) this.write(lane);
    this.heading(headed ? lanes.find((lane) => lane.kind === "condition") : null);
  }

  write(lane) {
    let element = this.items.get(lane.id);
    if (!element) {
      element = this.make(lane);
      this.items.set(lane.id, element);
      this.root.append(element);
    }
    const name = `lane-label lane-${lane.kind}${lane.sub ? " sub" : ""}${lane.dim ? " dim" : ""}${lane.opened ? " opened" : ""}`;
    if (element.className !== name) element.className = name;
    const place = `${lane.y}px`;
    if (element.style.top !== place) element.style.top = place;
    element.style.height = `${lane.height}px`;
    const note = this.noteOf(lane);
    const noted = element.querySelector(".lane-note");
    if (noted.textContent !== note) noted.textContent = note;
    const title = [this.nameOf(lane), lane.parent, note].filter(Boolean).join(" · ");
    if (element.title !== title) element.title = title;
    const button = element.querySelector("button");
    button?.setAttribute("aria-expanded", String(lane.kind === "group" ? !lane.shut : Boolean(lane.opened)));
  }

  nameOf(lane) {
    const own = ["container", "condition", "endpoint", "group", "set"].includes(lane.kind) || lane.link;
    return own ? lane.label : t(lane.label);
  }

  make(lane) {
    const element = document.createElement("div");
    const opens = lane.kind === "group" ? `group:${lane.key}` : lane.link ? `pod:${lane.link}` : "";
    if (opens) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "opener";
      button.dataset.opens = opens;
      button.setAttribute("aria-label", t("Lanes of {name}", { name: lane.label }));
      element.append(button);
    }
    const link = this.linkOf(lane);
    const name = document.createElement(link ? "a" : "span");
    if (link) name.href = link;
    name.className = "lane-name";
    name.textContent = this.nameOf(lane);
    if (lane.kindOf) {
      const kind = document.createElement("small");
      kind.textContent = ` ${lane.kindOf}`;
      name.append(kind);
    }
    const note = document.createElement("span");
    note.className = "lane-note";
    element.append(name, note);
    return element;
  }

  heading(lane) {
    this.title ??= Object.assign(document.createElement("div"), { className: "lane-heading", textContent: t("Conditions") });
    if (!lane) return this.title.remove();
    this.title.style.top = `${lane.y}px`;
    if (!this.title.isConnected) this.root.append(this.title);
  }
}
