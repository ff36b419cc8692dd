// A page about the past, walked through the changes: by its buttons, its scrub bar, keys, or a clock that runs. The server
// draws each moment; the parts of the page change in place, and timelines hear `podlab:moment` with {rev, at, playing}.

import { again } from "./again.js";
import { enabled, typing } from "./keys.js";
import { morph } from "./refresh.js";
import { clockText } from "./times.js";
import { t } from "./words.js";

const TICK = 100; // ms; calm motion has a longer one
const CALM_TICK = 1000;
const LINES = 1000; // ms after which the tab of lines is asked for again
const LONGEST_WAIT = 2000; // ms in which nothing happens; what is longer is skipped
const AROUND_TIMELINE = [".past", ".crumbs ol", ".kinds", ".pod-head", ".tabs", "#panel", ".why", "#space .row"];
const WHOLE = [".past", ".crumbs ol", "main"];

// The moment after `passed` ms of play; `next` is that of the next change, null at the end. Pure.
export function onward({ at, next }, passed, speed) {
  if (next === null) return at;
  return Math.max(at + passed * speed, next - LONGEST_WAIT * speed);
}

const iso = (time) => new Date(Math.round(time)).toISOString();
const banner = () => document.querySelector(".past");
const calm = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");

let moment = null; // {rev, at, next, first} in ms and revisions
let playing = false;
let last = 0;
let timer = 0;
let drawn = 0; // when the server was asked last
let busy = false;
let waiting = null; // what was asked for meanwhile

function read() {
  const { rev, at, next, first } = banner().dataset;
  return { rev: Number(rev), at: Date.parse(at), next: next ? Date.parse(next) : null, first: Number(first) };
}

const speed = () => Number(banner().querySelector("[data-speed]").value);

// --- moments -----------------------------------------------------------------------------------------------------------

// Show the moment of `query`, {rev} or {at}; `push`: as an entry of the history.
async function go(query, { push = false } = {}) {
  if (busy) {
    waiting = [query, { push }];
    return;
  }
  busy = true;
  drawn = performance.now();
  try {
    const answer = await again(address(query));
    if (answer.redirected) return location.reload(); // logged out
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok || !fresh.querySelector(".past")) return absent();
    show(fresh, query.at ? Date.parse(query.at) : null, push);
  } catch {
    pause(); // the page stays at the moment that it shows
  } finally {
    busy = false;
    last = performance.now();
    const [next, how] = waiting ?? [];
    waiting = null;
    if (next) go(next, how);
  }
}

// What the page is about was not there at that moment.
function absent() {
  if (playing) pause();
  say(t("It was not there at this moment."), { loud: true });
}

function address({ rev, at }) {
  const url = new URL(location.href);
  url.searchParams.delete("rev");
  url.searchParams.delete("at");
  if (/^\d+$/.test(url.searchParams.get("to") ?? "")) url.searchParams.delete("to"); // a difference between two revisions
  url.searchParams.set(rev === undefined ? "at" : "rev", rev ?? at);
  return url;
}

function show(fresh, at, push) {
  const parts = document.getElementById("timeline") ? AROUND_TIMELINE : WHOLE;
  for (const part of parts) {
    const [old, next] = [document.querySelector(part), fresh.querySelector(part)];
    if (old && next) morph(old, next);
  }
  moment = read();
  if (at !== null) moment.at = Math.max(moment.at, at);
  banner().querySelector("#scrub").value = moment.rev;
  banner().querySelector("output").textContent = moment.rev;
  document.body.dataset.rev = moment.rev;
  history[push ? "pushState" : "replaceState"](history.state, "", address({ rev: moment.rev }));
  paint();
  tell();
}

function tell() {
  banner().querySelector("[data-moment]").textContent = clockText(moment.at, { decimals: playing && !calm?.matches ? 1 : 0 });
  document.dispatchEvent(new CustomEvent("podlab:moment", { detail: { rev: moment.rev, at: moment.at, playing } }));
}

function step(direction) {
  const link = banner().querySelector(direction < 0 ? "[rel=prev]" : "[rel=next]");
  if (link) go({ rev: new URL(link.href).searchParams.get("rev") }, { push: true });
}

// --- play --------------------------------------------------------------------------------------------------------------

function play() {
  playing = true;
  last = performance.now();
  document.dispatchEvent(new CustomEvent("podlab:play"));
  if (moment.next === null) go(beginning());
  timer = setInterval(tick, calm?.matches ? CALM_TICK : TICK);
  paint();
  say(t("Playing"));
}

// From the end it begins again: with the object of the page or the first pod of its timeline, else with the first change.
function beginning() {
  const place = document.querySelector("#pod, #space, #object");
  const created = place?.dataset.created;
  if (!created) return { rev: moment.first };
  // Objects say in which second they were created; before that they are not there, while a pod is shown as it began.
  return { at: iso(Date.parse(created) + (place.id === "object" ? 999 : 0)) };
}

function pause() {
  playing = false;
  clearInterval(timer);
  paint();
  tell();
  say(t("Paused"));
}

const toggle = () => (playing ? pause() : play());

function tick() {
  const now = performance.now();
  const passed = now - last;
  last = now;
  if (busy || document.hidden) return;
  if (moment.next === null) return pause();
  moment.at = onward(moment, passed, speed());
  // Lines are written without a change of any object.
  const lines = document.getElementById("log-tab") && now - drawn > LINES;
  if (moment.at >= moment.next || lines) go({ at: iso(moment.at) });
  else tell();
}

function faster(direction) {
  const choice = banner().querySelector("[data-speed]");
  choice.selectedIndex = Math.min(Math.max(choice.selectedIndex + direction, 0), choice.options.length - 1);
  say(choice.selectedOptions[0].textContent);
}

function paint() {
  const button = banner().querySelector("[data-play]");
  button.textContent = playing ? `❚❚ ${t("Pause")}` : `▶ ${t("Play")}`;
  button.setAttribute("aria-pressed", String(playing));
}

function say(text, { loud = false } = {}) {
  const place = banner().querySelector("[data-said]");
  place.textContent = text;
  place.classList.toggle("visually-hidden", !loud);
}

// --- what the person does ------------------------------------------------------------------------------------------------

const KEYS = { p: toggle, "[": () => step(-1), "]": () => step(1), "-": () => faster(-1), "+": () => faster(1), "=": () => faster(1) };

function begin() {
  moment = read();
  document.addEventListener("podlab:toggle", toggle);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-play]")) return toggle();
    const link = event.target.closest(".past [rel=prev], .past [rel=next]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    step(link.rel === "prev" ? -1 : 1);
  });
  document.addEventListener("input", ({ target }) => {
    if (target.id !== "scrub") return;
    banner().querySelector("output").textContent = target.value;
    go({ rev: target.value });
  });
  document.addEventListener("change", ({ target }) => target.id === "scrub" && go({ rev: target.value }, { push: true }));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !enabled()) return;
    if (typing(event.target) && event.target.id !== "scrub") return;
    const command = KEYS[event.key.toLowerCase()];
    if (!command) return;
    event.preventDefault();
    command();
  });
  addEventListener("popstate", () => {
    const rev = new URLSearchParams(location.search).get("rev");
    if (!rev) location.reload(); // the present is another page
    else if (Number(rev) !== moment.rev) go({ rev });
  });
}

if (globalThis.document && banner()) begin();
