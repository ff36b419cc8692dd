// A list, live: rows change in place, ages run, nothing jumps. Of pods, which have a row of their own, and of every other kind.

import { Lines } from "./lines.js";
import { connect } from "./socket.js";
import { humanDuration } from "./times.js";

const STILL_MS = 150; // after the window moved last

const table = document.querySelector("table[data-list]");
if (table) start(table);

function start(table) {
  const { resource, labels, base } = table.dataset;
  const { cluster, namespace } = document.body.dataset;
  const connection = connect(cluster);
  const panel = table.parentElement;
  const template = panel.querySelector("template[data-row]");
  const kind = resource === "pods" ? pods(table.dataset) : objects();
  const lines = new Lines(table, () => moving === null);
  let since = Number(table.dataset.revision) || null; // what the rows show; null: nobody knows
  let moving = null; // set while somebody scrolls: ages rest then

  const request = () => ({ type: "open-list", namespace, resource, ...(labels ? { labels } : {}), ...(since ? { since } : {}) });
  connection.open("list", request, { rows: hear, objects: hear, ended: () => (since = null) });

  function hear({ rows, removed, reset, revision }) {
    if (reset) {
      const names = new Set(rows.map((row) => row.name));
      for (const line of [...lines]) if (!names.has(line.dataset.name)) lines.drop(line);
      document.querySelector("[data-cut]")?.remove(); // all of them are here now
    }
    const gone = new Set(removed);
    if (gone.size) for (const line of [...lines]) if (gone.has(line.dataset.uid)) lines.drop(line);
    for (const row of rows) upsert(row);
    if (resource === "pods") since = revision;
    settle();
  }

  function upsert(row) {
    let line = lines.get(row.name);
    if (!kind.fits(row)) return line && lines.drop(line);
    if (!line) {
      line = template.content.firstElementChild.cloneNode(true);
      line.dataset.name = line.dataset.key = row.name;
      lines.add(row.name, line);
    }
    line.dataset.uid = row.uid;
    kind.write(line, row, `${base}${encodeURIComponent(row.name)}`);
    const now = connection.clock.now();
    if (now !== null) kind.ages(line, now);
  }

  function settle() {
    table.hidden = lines.size === 0;
    panel.querySelector("[data-none]").hidden = lines.size > 0;
    const count = document.querySelector("[data-count]");
    if (count) count.textContent = lines.size;
  }

  function ages() {
    const now = connection.clock.now();
    if (now !== null && moving === null) for (const line of lines.seen()) kind.ages(line, now);
  }

  addEventListener("scroll", () => {
    clearTimeout(moving);
    moving = setTimeout(() => {
      moving = null;
      ages();
    }, STILL_MS);
  }, { passive: true });
  setInterval(ages, 1000);
  connection.start();
}

function write(cell, text) {
  if (cell.textContent !== text) cell.textContent = text;
}

function pods({ q = "", status = "" }) {
  const part = (line, name) => line.querySelector(`[data-cell=${name}]`);
  return {
    // As the page's own filter, which the server applied to the first rows.
    fits: ({ name, cells }) => name.toLowerCase().includes(q.toLowerCase()) && cells[2].toLowerCase().includes(status.toLowerCase()),
    write(line, row, href) {
      line.dataset.created = row.created;
      line.dataset.restartsAt = row.restarts_at ?? "";
      const [name, ready, state, restarts, , node, ip] = row.cells;
      const link = line.querySelector("a");
      write(link, name);
      link.href = `${href}?uid=${encodeURIComponent(row.uid)}`;
      write(part(line, "ready"), ready);
      write(part(line, "status"), state);
      write(part(line, "restarts"), restarts.split(" ")[0]);
      write(part(line, "node"), node);
      write(part(line, "ip"), ip);
      line.querySelector(".badge").dataset.tone = row.tone;
    },
    ages(line, now) {
      if (!line.dataset.created) return;
      write(part(line, "age"), humanDuration(now - Date.parse(line.dataset.created)));
      const at = line.dataset.restartsAt;
      write(part(line, "ago"), at ? `(${humanDuration(now - Date.parse(at))} ago)` : "");
    },
  };
}

function objects() {
  return {
    fits: () => true,
    write(line, row, href) {
      const link = line.querySelector("a");
      link.href = href;
      line.dataset.second = row.cells[1] ?? ""; // how it is, of a node and an event
      row.cells.forEach((text, index) => {
        const cell = line.cells[index];
        const since = row.since[index];
        if (since) cell.dataset.since = since;
        else delete cell.dataset.since;
        write(cell.contains(link) ? link : cell, text);
      });
      const named = link.querySelector(".visually-hidden");
      if (named) write(named, ` ${row.name}`);
    },
    ages(line, now) {
      for (const cell of line.querySelectorAll("[data-since]")) write(cell, humanDuration(now - Date.parse(cell.dataset.since)));
    },
  };
}
