// The list of keys: `?` opens it on every page of a cluster; single keys are switched off in it, or among the settings.

import { enable, enabled, typing } from "./keys.js";

for (const toggle of globalThis.document?.querySelectorAll("[name=single-keys]") ?? []) {
  toggle.checked = enabled();
  toggle.addEventListener("change", () => enable(toggle.checked));
}

const help = globalThis.document?.getElementById("keys");
if (help) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    help.showModal();
  });
}
