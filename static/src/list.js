// The pod list, live: rows change in place, ages run, nothing jumps.

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

  connection.open("list", () => ({ type: "open-list", namespace }), {
    rows: ({ rows, removed, reset }) => {
      if (reset) {
        const names = new Set(rows.map((row) => row.name));
        for (const row of [...body.rows]) if (!names.has(row.dataset.name)) row.remove();
      }
      for (const uid of removed) body.querySelector(`tr[data-uid="${CSS.escape(uid)}"]`)?.remove();
      for (const row of rows) upsert(row);
      settle();
    },
  });

  function upsert(row) {
    let line = body.querySelector(`tr[data-name="${CSS.escape(row.name)}"]`);
    if (!line) {
      line = template.content.firstElementChild.cloneNode(true);
      line.dataset.name = row.name;
      const next = [...body.rows].find((other) => other.dataset.name > row.name);
      body.insertBefore(line, next ?? null);
    }
    line.dataset.uid = row.uid;
    line.dataset.created = row.created;
    line.dataset.restartsAt = row.restarts_at ?? "";
    const [name, ready, status, restarts, , node, ip] = row.cells;
    const link = line.querySelector("a");
    link.textContent = name;
    link.href = `${table.dataset.base}${encodeURIComponent(name)}?uid=${encodeURIComponent(row.uid)}`;
    write(line, "ready", ready);
    write(line, "status", status);
    write(line, "restarts", restarts.split(" ")[0]);
    write(line, "node", node);
    write(line, "ip", ip);
    line.querySelector(".badge").dataset.tone = row.tone;
    ages(line);
  }

  function write(line, name, text) {
    const cell = line.querySelector(`[data-cell=${name}]`);
    if (cell.textContent !== text) cell.textContent = text;
  }

  function ages(line) {
    const now = connection.clock.now();
    if (now === null) return;
    write(line, "age", humanDuration(now - Date.parse(line.dataset.created)));
    const at = line.dataset.restartsAt;
    write(line, "ago", at ? `(${humanDuration(now - Date.parse(at))} ago)` : "");
  }

  function settle() {
    table.hidden = body.rows.length === 0;
    document.getElementById("no-pods").hidden = body.rows.length > 0;
    if (count) count.textContent = body.rows.length;
  }

  setInterval(() => [...body.rows].forEach(ages), 1000);
  connection.start();
}
