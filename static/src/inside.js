// Loads the terminal, which is heavy, only where one is on the page.

export function lookForTerminal() {
  const root = document.getElementById("terminal");
  if (!root || root.dataset.loading) return;
  root.dataset.loading = "yes";
  const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: root.dataset.style });
  document.head.append(style);
  import(root.dataset.script).then(({ begin }) => begin(root));
}
