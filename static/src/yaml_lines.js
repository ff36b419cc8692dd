// The YAML of a pod as lines that know their field, as evidence points at them: from the page, or fetched when it is needed.

import { again } from "./again.js";

const fetched = new Map(); // address → promise of lines

// `href`: the page of the pod. Its YAML tab has every line with its path.
export function fetchYaml(href) {
  if (!fetched.has(href)) {
    fetched.set(
      href,
      again(`${href}&tab=yaml`, { headers: { "HX-Request": "true" } })
        .then((answer) => (answer.ok ? answer.text() : ""))
        .then((text) => parsed(text, href)),
    );
  }
  return fetched.get(href);
}

function parsed(text, href) {
  const lines = [...new DOMParser().parseFromString(text, "text/html").querySelectorAll(".yaml-line")];
  return lines.map((line) => ({ path: line.dataset.path, text: line.textContent, href: `${href}&tab=yaml#${line.id}` }));
}

// At most `most` lines of the YAML at `path`: the field itself and what stands in it. Pure.
export function linesOf(yaml, path, most = 8) {
  const found = [];
  for (const [index, line] of yaml.entries()) {
    if (inside(line.path, path)) found.push({ number: line.number ?? index + 1, text: line.text, ...(line.href === undefined ? {} : { href: line.href }) });
    else if (found.length) break;
    if (found.length === most) break;
  }
  const margin = Math.min(...found.map((line) => line.text.search(/\S|$/)));
  return found.map((line) => ({ ...line, text: line.text.slice(margin) }));
}

const inside = (path, field) => path === field || path.startsWith(field + ".") || path.startsWith(field + "[");

// In the YAML tab: the line of the address and all that belongs to its field are lit.
export function light(panel, hash) {
  for (const line of panel.querySelectorAll(".yaml-line.lit")) line.classList.remove("lit");
  const line = hash ? panel.querySelector(`[id="${CSS.escape(hash.slice(1))}"]`) : null;
  if (!line) return;
  for (const other of panel.querySelectorAll(".yaml-line")) if (inside(other.dataset.path, line.dataset.path)) other.classList.add("lit");
  line.scrollIntoView({ block: "center" });
}
