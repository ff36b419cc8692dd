// The list of keys: `?` opens it on every page; single keys are switched off in it, or among the settings.

import { enable, enabled, typing } from "./keys.js";

const toggles = [...(globalThis.document?.querySelectorAll("[name=single-keys]") ?? [])]; // the settings have one more
for (const toggle of toggles) {
  toggle.checked = enabled();
  toggle.addEventListener("change", () => {
    enable(toggle.checked);
    for (const other of toggles) other.checked = toggle.checked;
  });
}

const help = globalThis.document?.getElementById("keys");
if (help) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    help.showModal();
  });
}
