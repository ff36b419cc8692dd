// A terminal in a container: xterm.js on one side, Kubernetes' channel protocol over a websocket on the other.

import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { again } from "./again.js";
import { address, read, RESIZE, STDERR, STDIN, STDOUT, ERROR, write } from "./channels.js";
import { t } from "./words.js";

const PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

export function begin(root) {
  if (root.dataset.begun) return;
  root.dataset.begun = "yes";
  const part = (name) => root.querySelector(`[data-terminal=${name}]`);
  const screen = root.querySelector(".terminal-screen");
  let socket = null;
  let terminal = null;
  let watcher = null;

  part("open").addEventListener("click", open);
  part("close").addEventListener("click", () => socket?.close());
  // Containers come and go. The one that the address names, a debug container that is just being made, is chosen as soon
  // as it is there.
  let wanted = new URLSearchParams(location.search).get("container");
  let asked = setTimeout(refresh, 400);
  document.body.addEventListener("podlab:pod", () => {
    clearTimeout(asked);
    asked = setTimeout(refresh, 400);
  });

  async function refresh() {
    if (!root.isConnected) return;
    const url = new URL(location.href);
    url.searchParams.set("tab", "terminal");
    const answer = await again(url, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-terminal=container]");
    const select = part("container");
    if (!fresh || select.innerHTML === fresh.innerHTML) return;
    const chosen = select.value;
    select.replaceChildren(...fresh.options);
    const has = (name) => [...select.options].some((option) => option.value === name);
    if (has(chosen)) select.value = chosen;
    if (wanted && has(wanted) && socket?.readyState !== WebSocket.OPEN) {
      select.value = wanted;
      wanted = "";
    }
    settle();
  }

  function settle() {
    const none = part("container").options.length === 0;
    part("open").disabled = none;
    root.querySelector("[data-terminal=none]").hidden = !none;
    tell();
  }

  // The kubectl line below names the container that is chosen.
  function tell() {
    const line = root.parentElement.querySelector("[data-exec-command]");
    if (part("container").value) line.textContent = line.textContent.replace(/ -c \S+/, ` -c ${part("container").value}`);
  }
  if ([...part("container").options].some((option) => option.value === wanted)) part("container").value = wanted;
  settle();

  // Another tab of the page takes the place of this one: nobody would see what goes on.
  document.addEventListener("podlab:panel", () => !root.isConnected && socket?.close());
  part("container").addEventListener("change", () => {
    socket?.close();
    tell();
  });

  function open() {
    socket?.close();
    terminal?.dispose();
    screen.hidden = false;
    const style = getComputedStyle(root);
    terminal = new Terminal({
      fontFamily: style.getPropertyValue("--mono"),
      fontSize: 14,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      screenReaderMode: true,
      theme: { background: "#10141c", foreground: "#e7ecf5" },
    });
    const fit = new FitAddon();
    terminal.loadAddon(fit);
    terminal.open(screen);
    fit.fit();
    const option = part("container").selectedOptions[0];
    connect(option.value, option.dataset.operation, fit);
    terminal.focus();
  }

  function connect(container, operation, fit) {
    const own = new WebSocket(address(location, root.dataset, container, operation), PROTOCOLS);
    const shown = terminal;
    socket = own;
    own.binaryType = "arraybuffer";
    let ended = "";
    const size = () => own.readyState === WebSocket.OPEN && own.send(write(RESIZE, JSON.stringify({ Width: shown.cols, Height: shown.rows })));
    say(t("connecting…"));
    own.onopen = () => {
      say(t("connected to {container}", { container }));
      part("close").hidden = false;
      size();
    };
    own.onmessage = ({ data }) => {
      const [channel, bytes] = read(data);
      if (channel === STDOUT || channel === STDERR) shown.write(bytes);
      else if (channel === ERROR) ended = new TextDecoder().decode(bytes);
    };
    own.onclose = (event) => {
      part("close").hidden = true;
      say(verdict(ended, event));
      watcher?.disconnect();
    };
    shown.onData((text) => own.readyState === WebSocket.OPEN && own.send(write(STDIN, text)));
    shown.onResize(size);
    watcher?.disconnect();
    watcher = new ResizeObserver(() => fit.fit());
    watcher.observe(screen);
  }

  function say(text) {
    part("state").textContent = text;
  }
}

// What the end of a stream means, in a sentence.
function verdict(text, event) {
  if (!text) return event.wasClean && event.code === 1000 ? t("closed") : t("The connection could not be made or was lost.");
  const status = JSON.parse(text);
  if (status.status === "Success") return t("ended");
  const code = status.details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
  return code ? t("ended with exit code {code}", { code }) : status.message;
}
