// The list of keys: `?` opens it on every page, and single keys are switched off there.

import { enable, enabled, typing } from "./keys.js";

const help = globalThis.document?.getElementById("keys");
if (help) {
  const toggle = help.querySelector("[name=single-keys]");
  toggle.checked = enabled();
  toggle.addEventListener("change", () => enable(toggle.checked));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    help.showModal();
  });
}
