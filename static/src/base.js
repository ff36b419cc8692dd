// On every page: buttons, the small forms, and htmx.

import htmx from "htmx.org";
import { again } from "./again.js";
import "./page_buttons.js";
import "./help.js";
import "./refresh.js";
import "./replay.js";
import "./watch.js";

// A part of the page that htmx asks for comes even if the network changed meanwhile.
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.request.method === "GET") ctx.fetch = again;
});

// What a page's own script puts in gets htmx's attributes read too.
document.addEventListener("podlab:panel", (event) => htmx.process(event.target));

// On a phone the tabs scroll: the present one is to be seen.
const tabs = document.querySelector(".tabs");
const tab = tabs?.querySelector("[aria-current]");
if (tab) tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;

// A form with data-quiet="#place" is sent without leaving the page; the answer goes to that place.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const place = form.dataset.quiet && document.querySelector(form.dataset.quiet);
  if (!place) return;
  event.preventDefault();
  const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" } });
  if (answer.redirected) return location.assign(answer.url);
  const text = await answer.text();
  if (answer.ok) place.innerHTML = text;
  else {
    // A refusal is a whole page; its sentence is what matters here.
    const said = new DOMParser().parseFromString(text, "text/html").querySelector("main p")?.textContent ?? answer.statusText;
    const notice = Object.assign(document.createElement("p"), { className: "notice error", textContent: said });
    notice.setAttribute("role", "alert");
    place.replaceChildren(notice);
  }
  form.closest("dialog")?.close();
});

// The kubectl line below the form of a debug container says what the form says.
document.addEventListener("input", ({ target }) => {
  const form = target.closest("form");
  const line = form?.parentElement.querySelector("[data-debug-command]");
  if (!line) return;
  const { image, target: chosen } = form.elements;
  const options = `--image=${image.value.replace(/\s/g, "")}${chosen.value ? ` --target=${chosen.value}` : ""}`;
  line.textContent = line.textContent.replace(/--image=\S*( --target=\S+)?/, () => options);
});

// The kubectl line beside the delete form says what the form says.
document.addEventListener("input", (event) => {
  const form = event.target.closest("form");
  const line = form?.querySelector("[data-delete-command]");
  if (!line) return;
  if (event.target.name === "seconds") form.querySelector("[name=how][value=seconds]").checked = true;
  const how = form.elements.how.value;
  const option = how === "force" ? " --grace-period=0 --force" : how === "seconds" ? ` --grace-period=${form.elements.seconds.value}` : "";
  line.textContent = line.dataset.base.replace(/^(kubectl delete pod \S+)/, `$1${option}`);
});
