// The buttons that any page may have, an exported file too: theme, copying, dialogs.

const root = document.documentElement;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-theme-to], [data-copy], [data-open], [data-shut]");
  if (!button) return;
  if (button.dataset.themeTo !== undefined) {
    event.preventDefault(); // the form around it is for browsers without scripts
    nextTheme();
  }
  if (button.dataset.copy !== undefined) {
    await navigator.clipboard?.writeText(button.dataset.copy || button.previousElementSibling.textContent);
    button.dataset.copied = "yes";
    setTimeout(() => delete button.dataset.copied, 1500);
  }
  if (button.dataset.open) {
    event.preventDefault();
    document.getElementById(button.dataset.open).showModal();
  }
  if (button.dataset.shut !== undefined) button.closest("dialog").close();
});

// system → light → dark → system; kept in a cookie so that the server renders the page in it from the first byte.
function nextTheme() {
  const order = ["system", "light", "dark"];
  const next = order[(order.indexOf(root.dataset.theme || "system") + 1) % order.length];
  root.dataset.theme = next;
  try {
    document.cookie = `podlab-theme=${next}; path=/; max-age=31536000; samesite=lax`;
  } catch {
    // A frame without an origin keeps no cookies.
  }
  for (const label of document.querySelectorAll("[data-theme-name]")) label.textContent = label.dataset[next] ?? next;
  dispatchEvent(new Event("podlab:theme"));
}
