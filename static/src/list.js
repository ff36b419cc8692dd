// The pod list, live: rows change in place, ages run, nothing jumps.

import { firstIndex } from "./book.js";
import { Connection } from "./socket.js";
import { humanDuration } from "./times.js";

const table = document.getElementById("pods");
if (table) start(table);

function start(table) {
  const { cluster, namespace } = table.dataset;
  const connection = new Connection(cluster);
  const body = table.tBodies[0];
  const template = document.getElementById("pod-row");
  const count = document.querySelector("[data-count]");
  const lines = new Map([...body.rows].map((line) => [line.dataset.name, line])); // by the pod's name
  const seen = new Set(); // those that the window shows: only their ages run
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        seen.add(target);
        ages(target);
      } else seen.delete(target);
    }
  });
  for (const line of lines.values()) watcher.observe(line);

  connection.open("list", () => ({ type: "open-list", namespace }), {
    rows: ({ rows, removed, reset }) => {
      if (reset) {
        const names = new Set(rows.map((row) => row.name));
        for (const [name, line] of lines) if (!names.has(name)) drop(line);
      }
      const gone = new Set(removed);
      if (gone.size) for (const line of lines.values()) if (gone.has(line.dataset.uid)) drop(line);
      for (const row of rows) upsert(row);
      settle();
    },
  });

  function drop(line) {
    lines.delete(line.dataset.name);
    seen.delete(line);
    watcher.unobserve(line);
    line.remove();
  }

  function upsert(row) {
    let line = lines.get(row.name);
    if (!line) {
      line = template.content.firstElementChild.cloneNode(true);
      line.dataset.name = row.name;
      const at = firstIndex(body.rows.length, (i) => body.rows[i].dataset.name > row.name);
      body.insertBefore(line, body.rows[at] ?? null);
      lines.set(row.name, line);
      watcher.observe(line);
    }
    line.dataset.uid = row.uid;
    line.dataset.created = row.created;
    line.dataset.restartsAt = row.restarts_at ?? "";
    const [name, ready, status, restarts, , node, ip] = row.cells;
    const link = line.querySelector("a");
    if (link.textContent !== name) link.textContent = name;
    link.href = `${table.dataset.base}${encodeURIComponent(name)}?uid=${encodeURIComponent(row.uid)}`;
    write(line, "ready", ready);
    write(line, "status", status);
    write(line, "restarts", restarts.split(" ")[0]);
    write(line, "node", node);
    write(line, "ip", ip);
    line.querySelector(".badge").dataset.tone = row.tone;
    if (seen.has(line)) ages(line);
  }

  function write(line, name, text) {
    const cell = line.querySelector(`[data-cell=${name}]`);
    if (cell.textContent !== text) cell.textContent = text;
  }

  function ages(line) {
    const now = connection.clock.now();
    if (now === null || !line.dataset.created) return;
    write(line, "age", humanDuration(now - Date.parse(line.dataset.created)));
    const at = line.dataset.restartsAt;
    write(line, "ago", at ? `(${humanDuration(now - Date.parse(at))} ago)` : "");
  }

  function settle() {
    table.hidden = body.rows.length === 0;
    document.getElementById("no-pods").hidden = body.rows.length > 0;
    if (count) count.textContent = body.rows.length;
  }

  setInterval(() => seen.forEach(ages), 1000);
  connection.start();
}
