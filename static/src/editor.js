// Form, YAML and command in step: whoever is edited asks the server, which answers with all three and what is wrong.

import { setDiagnostics } from "@codemirror/lint";
import { again } from "./again.js";
import { edited, heard, markPaths, replaceForm, showProblems } from "./bench_form.js";
import { CommandLine } from "./command_line.js";
import { Draft } from "./draft.js";
import { calm, follow, fromServer, yamlEditor } from "./editor_view.js";
import { documentStart } from "./yaml_path.js";
import { t } from "./words.js";

const TYPING = 350; // ms without a key before the server is asked

const page = document.getElementById("authoring");
if (page) start(page);

function start(page) {
  const area = page.elements.manifest;
  const formPlace = document.getElementById("form");
  const status = document.getElementById("check-status");
  const problemList = document.getElementById("problems");
  const kept = document.getElementById("kept");
  const creating = page.dataset.mode === "create";
  const draft = new Draft(page.dataset.draft, page.dataset.keeps === "yes" ? localStorage : null);
  const sample = area.value;
  const left = beforehand();
  const own = page.dataset.answered === "yes" || page.dataset.pattern !== ""; // the person's text, or one just chosen
  const text = left && !own ? left.text : sample;
  if (left?.base && text === left.text && page.elements.base) page.elements.base.value = left.base;
  const state = { given: sample, document: Number(page.elements.document.value), asked: 0, timer: 0 };

  const view = yamlEditor({
    parent: document.getElementById("yaml"),
    doc: text,
    label: t("Manifest in YAML"),
    submit: () => page.requestSubmit(page.querySelector("button.primary")),
    changed: typed,
    schema: schemaAt,
  });
  area.value = text;
  area.hidden = true;
  const line = creating ? new CommandLine(page.elements.line, () => later("line")) : null;
  document.documentElement.classList.add("has-editor");
  if (left && left.text !== sample && page.dataset.answered !== "yes") note(text === left.text);
  ask("yaml");

  // What was left here, unless it was sent and accepted.
  function beforehand() {
    const sent = sessionStorage.getItem("podlab.sent") === page.dataset.draft;
    sessionStorage.removeItem("podlab.sent");
    if (sent && page.dataset.answered !== "yes") draft.forget();
    return draft.read();
  }

  // Either it is shown and can be given up, or something else is shown and it can be brought back.
  function note(shown) {
    const place = page.querySelector(shown ? ".draft-note" : ".draft-kept");
    place.hidden = false;
    place.querySelector("button").addEventListener("click", () => {
      place.hidden = true;
      if (shown) draft.forget();
      replaceText(shown ? sample : left.text);
    });
  }

  // -- what people do

  function typed(update) {
    if (!update.docChanged) return;
    area.value = update.state.doc.toString();
    keep();
    if (update.transactions.some((one) => one.effects.some((effect) => effect.is(fromServer)))) return;
    later("yaml");
  }

  formPlace.addEventListener("input", (event) => {
    if (event.target.name) later("form");
  });
  formPlace.addEventListener("change", (event) => {
    if (event.target.tagName === "SELECT") ask("form", { whole: true });
    else if (event.target.closest(".form-lines, .form-pairs")) later("form", { whole: true }); // for a new empty row
  });
  page.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=do]");
    if (!button || /^(create|apply|theirs:.*)$/.test(button.value)) return;
    event.preventDefault();
    ask("form", { whole: true, action: button.value });
  });
  page.addEventListener("submit", () => {
    // What the form and the line say is in the text already, or goes with it.
    area.value = view.state.doc.toString();
    page.elements.given.value = state.given;
    page.elements.document.value = state.document;
    draft.write(area.value, page.elements.base?.value);
    sessionStorage.setItem("podlab.sent", page.dataset.draft);
  });
  formPlace.addEventListener("focusin", (event) => explain(event.target));

  function explain(input) {
    const strip = document.getElementById("doc");
    const words = input.title ?? "";
    strip.hidden = !words;
    strip.textContent = words;
  }

  function replaceText(next) {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
  }

  function keep() {
    if (draft.write(area.value, page.elements.base?.value)) {
      const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour12: false });
      kept.textContent = t("kept in this browser, {time}", { time });
    }
  }

  // -- the server

  function later(from, how = {}) {
    clearTimeout(state.timer);
    state.timer = setTimeout(() => ask(from, how), TYPING);
  }

  // `from` is what was edited: it is left alone when the answer comes, the other two follow.
  async function ask(from, { whole = false, action = "preview" } = {}) {
    clearTimeout(state.timer);
    const number = ++state.asked;
    const sent = edited(formPlace);
    const body = new URLSearchParams({ manifest: view.state.doc.toString(), given: state.given, document: state.document, do: action });
    for (const [name, value] of sent) body.set(name, value);
    if (from === "line") body.set("line", line.text);
    if (page.elements.base) body.set("base", page.elements.base.value);
    let answer;
    try {
      const response = await again(page.dataset.compose, {
        method: "POST",
        headers: { "X-CSRFToken": page.elements.csrfmiddlewaretoken.value, Accept: "application/json" },
        body,
      });
      if (!response.ok) throw new Error(response.statusText);
      answer = await response.json();
    } catch {
      if (number === state.asked) write("lost", []);
      return;
    }
    if (number !== state.asked) return; // something newer was asked
    if (body.get("manifest") !== view.state.doc.toString()) return later("yaml"); // typed meanwhile
    const more = edited(formPlace).filter(([name, value]) => value !== (body.get(name) ?? undefined));
    heard(formPlace, sent);
    take(from, answer, more.length ? { whole: false } : { whole });
    if (more.length) later("form", { whole });
  }

  function take(from, answer, { whole }) {
    state.given = answer.text;
    state.document = answer.document;
    follow(view, answer.text);
    if (from === "yaml") calm(view);
    if (line) takeLine(from, answer);
    page.querySelector(".bench-command .command code").textContent = answer.command;
    const readable = answer.form !== null;
    formPlace.classList.toggle("stale", !readable);
    if (readable) {
      if (whole || (from !== "form" && !formPlace.contains(document.activeElement))) replaceForm(formPlace, answer.form);
      else showProblems(formPlace, answer.problems, answer.document);
      for (const [name, html] of Object.entries(answer.courses)) draw(name, html);
      if (answer.changed.length) markPaths(formPlace, answer.changed);
    }
    documents(answer);
    const diff = document.getElementById("diff");
    if (diff && answer.diff !== null) diff.innerHTML = answer.diff;
    write("done", answer.problems, answer.objects);
  }

  function takeLine(from, answer) {
    const place = document.getElementById("line");
    place.hidden = !answer.line;
    page.querySelector(".or").hidden = !answer.line;
    const problem = document.getElementById("line-problem");
    problem.textContent = answer.line_problem;
    problem.hidden = !answer.line_problem;
    if (answer.line_problem) return;
    if (from !== "line") line.follow(answer.line);
    else line.calm();
  }

  function draw(name, html) {
    const place = formPlace.querySelector(`[data-course="${CSS.escape(name)}"] [data-course-picture]`);
    if (place && place.innerHTML !== html) place.innerHTML = html;
  }

  function documents(answer) {
    const buttons = answer.documents.length < 2 ? [] : answer.documents.map((title, n) => {
      const button = Object.assign(document.createElement("button"), { className: "plain", name: "do", value: `document:${n}`, textContent: title });
      if (n === answer.document) button.setAttribute("aria-current", "true");
      return button;
    });
    document.getElementById("documents").replaceChildren(...buttons);
  }

  // -- what is wrong

  function write(kind, problems, objects = []) {
    const empty = !view.state.doc.toString().trim();
    page.dataset.problems = problems.length;
    status.dataset.tone = problems.some((one) => one.severity === "error") ? "failed" : kind === "done" && !empty ? "running" : "waiting";
    status.textContent = empty ? t("Nothing to create yet.") : verdict(kind, problems.length, objects);
    problemList.replaceChildren(...problems.map(item));
    view.dispatch(setDiagnostics(view.state, problems.map(diagnostic))); // they move with the text until the next answer
  }

  function verdict(kind, count, objects) {
    if (kind === "lost") return t("The server does not answer; the text is kept here.");
    if (count) return count === 1 ? t("One problem") : t("{count} problems", { count });
    return creating ? t("Ready to create: {objects}", { objects: objects.join(", ") }) : t("Ready to apply.");
  }

  function lineOf(problem) {
    return view.state.doc.line(Math.min(Math.max(problem.line, 1), view.state.doc.lines));
  }

  function diagnostic(problem) {
    const at = lineOf(problem);
    const from = Math.min(at.from + Math.max(problem.column - 1, 0), at.to);
    return { from, to: Math.max(at.to, from), severity: problem.severity, message: problem.message };
  }

  function item(problem) {
    const entry = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: t("line {line}", { line: problem.line }) });
    button.dataset.line = problem.line;
    button.addEventListener("click", () => {
      view.dispatch({ selection: { anchor: lineOf(problem).from }, scrollIntoView: true });
      view.focus();
    });
    entry.append(button, " ", problem.message);
    entry.dataset.severity = problem.severity;
    return entry;
  }

  // -- the schema, a kind at a time

  const kinds = new Map();

  async function schemaAt(lines, row) {
    const rest = lines.slice(documentStart(lines, row));
    const end = rest.findIndex((one) => /^---(\s|$)/.test(one));
    const mine = end < 0 ? rest : rest.slice(0, end);
    const said = (key) => mine.map((one) => new RegExp(`^${key}:\\s*["']?([\\w./-]+)`).exec(one)?.[1]).find(Boolean);
    const name = new URLSearchParams({ apiVersion: said("apiVersion") ?? "v1", kind: said("kind") ?? "Pod" }).toString();
    if (!kinds.has(name)) {
      const asked = again(`${page.dataset.schema}?${name}`).then((response) => (response.ok ? response.json() : null));
      kinds.set(name, asked.catch(() => (kinds.delete(name), null)));
    }
    return kinds.get(name);
  }
}
