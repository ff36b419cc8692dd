// The timeline as a list in time order: for screen readers, keyboards and tests. One item a mark, trimmed to the view.

import { news } from "./folds.js";

const MOST = 600;

export class Twin {
  constructor(list, { onSelect, timeText }) {
    this.list = list;
    this.timeText = timeText;
    this.items = new Map();
    this.shown = false;
    list.addEventListener("click", (event) => {
      const item = event.target.closest("li[data-id]");
      if (item) onSelect(item.dataset.id);
    });
  }

  show(yes) {
    this.shown = yes;
    this.list.classList.toggle("visually-hidden", !yes);
    for (const item of this.items.values()) item.firstChild.tabIndex = yes ? 0 : -1;
  }

  // Makes the list say exactly `marks`, or the most telling of them, and returns those; items that stay are the same elements, so focus and reading place survive.
  update(marks, selected) {
    const wanted = trimmed(marks);
    const ids = new Set(wanted.map((mark) => mark.id));
    for (const [id, item] of this.items) {
      if (ids.has(id)) continue;
      item.remove();
      this.items.delete(id);
    }
    let before = this.list.firstChild;
    for (const mark of wanted) {
      const item = this.items.get(mark.id) ?? this.make(mark.id);
      this.write(item, mark, mark.id === selected);
      if (item === before) before = before.nextSibling;
      else this.list.insertBefore(item, before);
    }
    return wanted;
  }

  make(id) {
    const item = document.createElement("li");
    item.dataset.id = id;
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = this.shown ? 0 : -1;
    item.append(button);
    this.items.set(id, item);
    return item;
  }

  write(item, mark, selected) {
    const data = attributes(mark);
    for (const [name, value] of Object.entries(data)) {
      const present = item.getAttribute(name);
      if (value === "" || value === null || value === undefined) {
        if (present !== null) item.removeAttribute(name);
      } else if (present !== String(value)) item.setAttribute(name, value);
    }
    const text = `${this.timeText(mark)} ${mark.sentence || [mark.pod?.name, mark.container, mark.reason || mark.text].filter(Boolean).join(" ")}`;
    if (item.firstChild.textContent !== text) item.firstChild.textContent = text;
    if (selected) item.firstChild.setAttribute("aria-current", "true");
    else item.firstChild.removeAttribute("aria-current");
  }
}

// At most `most` marks in their order; probes that say the same as ever and log lines go first, the oldest of them. Pure.
export function trimmed(marks, most = MOST) {
  if (marks.length <= most) return marks;
  const told = marks.filter(news);
  if (told.length >= most) return told.slice(-most);
  const others = new Set(marks.filter((mark) => !news(mark)).slice(told.length - most));
  return marks.filter((mark) => news(mark) || others.has(mark));
}

// What tests and assistive tools may rely on. Pure.
export function attributes(mark) {
  return {
    "data-mark": mark.kind,
    "data-state": mark.state,
    "data-lane": mark.lane,
    "data-pod": mark.pod?.name,
    "data-container": mark.container,
    "data-attempt": mark.attempt,
    "data-probe": mark.probe,
    "data-reason": mark.reason,
    "data-outcome": mark.outcome,
    "data-caused": mark.caused,
    "data-exit-code": mark.exit_code,
    "data-at": mark.start,
    "data-end": mark.end,
    "data-until": mark.until,
    "data-rev": mark.rev,
  };
}
