// The clock of a simulated cluster, running.

import { connect } from "./socket.js";
import { clockText } from "./times.js";

const face = document.getElementById("lab-clock");
if (face) {
  const connection = connect(face.dataset.cluster).start();
  const write = () => {
    const now = connection.clock.now();
    if (now === null) return;
    face.querySelector("[data-clock=time]").textContent = clockText(now, { decimals: connection.clock.paused ? 3 : 1 });
    face.querySelector("[data-clock=date]").textContent = new Date(now).toISOString().slice(0, 10);
    face.dataset.paused = String(connection.clock.paused);
  };
  setInterval(write, 100);
  connection.onClock(() => {
    write();
    document.querySelector("[data-clock=speed]").textContent = `×${connection.clock.speed}`;
  });
}
