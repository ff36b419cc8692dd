// The kubectl line as a text area over a mirror of its text, which gives it its height and shows what changed.

import { changedPieces } from "./text_change.js";

export class CommandLine {
  // `edited` is called when somebody types.
  constructor(area, edited) {
    this.area = area;
    this.mirror = Object.assign(document.createElement("div"), { className: "line-mirror" });
    this.mirror.setAttribute("aria-hidden", "true");
    area.before(this.mirror);
    area.parentElement.classList.add("mirrored");
    area.addEventListener("input", () => {
      this.show([[area.value, false]]);
      edited();
    });
    this.show([[area.value, false]]);
  }

  get text() {
    return this.area.value;
  }

  // The server's line; what is new in it is marked.
  follow(text) {
    if (text === this.area.value) return;
    const pieces = changedPieces(this.area.value, text);
    this.area.value = text;
    this.show(pieces);
    const mark = this.mirror.querySelector("mark");
    if (mark) this.area.parentElement.scrollTop = Math.max(mark.offsetTop - 60, 0);
  }

  calm() {
    this.show([[this.area.value, false]]);
  }

  show(pieces) {
    this.mirror.replaceChildren(
      ...pieces.map(([text, fresh]) => (fresh ? Object.assign(document.createElement("mark"), { textContent: text }) : text)),
      "\n",
    );
  }
}
