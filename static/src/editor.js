// The YAML editor: CodeMirror in place of the textarea, the server's problems at their lines, text that is never lost.

import { indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { forceLinting, lintGutter, linter } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";
import { t } from "./words.js";

// By the page's own tokens, so that the editor follows the theme.
const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--done-text)" },
  { tag: [tags.string, tags.content], color: "var(--ink)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.keyword], color: "var(--terminating-text)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.separator, tags.punctuation, tags.meta, tags.labelName], color: "var(--waiting-text)" },
]);

const form = document.getElementById("authoring");
if (form) start(form);

function start(form) {
  const area = form.querySelector("textarea");
  const status = document.getElementById("check-status");
  const problems = document.getElementById("problems");
  const store = `podlab.draft:${form.dataset.cluster}/${form.dataset.namespace}`;
  const given = area.value;
  const kept = localStorage.getItem(store);
  const fromServer = form.dataset.answered === "yes"; // the server sent the person's own text back with problems
  const text = kept !== null && !fromServer && form.dataset.pattern === "" ? kept : given;

  const view = new EditorView({
    parent: form.querySelector(".editor"),
    state: EditorState.create({
      doc: text,
      extensions: [
        basicSetup,
        yaml(),
        syntaxHighlighting(colours),
        keymap.of([indentWithTab, { key: "Mod-s", run: () => (form.requestSubmit(), true) }]),
        lintGutter(),
        linter(check, { delay: 500 }),
        EditorView.contentAttributes.of({ "aria-label": t("Manifest in YAML"), "aria-describedby": "check-status" }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          area.value = update.state.doc.toString();
          localStorage.setItem(store, area.value);
        }),
      ],
    }),
  });
  area.value = text;
  area.hidden = true;
  form.classList.add("has-editor");
  if (kept !== null && text === kept && kept !== given) form.querySelector(".draft-note").hidden = false;

  form.addEventListener("submit", () => {
    area.value = view.state.doc.toString();
    localStorage.setItem(store, area.value);
  });
  form.querySelector("[data-do=forget]")?.addEventListener("click", () => {
    replace(given);
    localStorage.removeItem(store);
    form.querySelector(".draft-note").hidden = true;
  });
  for (const link of document.querySelectorAll("[data-pattern-yaml]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      replace(document.getElementById(link.dataset.patternYaml).textContent.trim() + "\n");
      history.replaceState(null, "", link.href);
      for (const other of document.querySelectorAll("[data-pattern-yaml]")) other.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      view.focus();
    });
  }
  forceLinting(view);

  function replace(doc) {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: doc } });
  }

  // The server decodes, defaults, admits and validates as if it were applied, and writes nothing.
  async function check(view) {
    const doc = view.state.doc;
    if (!doc.toString().trim()) return write([], "empty");
    let answer;
    try {
      const response = await fetch(form.dataset.check, {
        method: "POST",
        headers: { "X-CSRFToken": form.querySelector("[name=csrfmiddlewaretoken]").value, "Content-Type": "application/yaml" },
        body: doc.toString(),
      });
      answer = await response.json();
    } catch {
      return write([], "lost");
    }
    if (view.state.doc !== doc) return [];
    return write(answer.problems, "done", answer.objects);
  }

  function write(found, state, objects = []) {
    form.dataset.problems = found.length;
    status.dataset.tone = found.some((one) => one.severity === "error") ? "failed" : state === "done" ? "running" : "waiting";
    status.textContent = {
      empty: t("Nothing to create yet."),
      lost: t("The server does not answer; the text is kept here."),
      done: found.length
        ? t("{count} problems", { count: found.length })
        : t("Ready to create: {objects}", { objects: objects.join(", ") }),
    }[state];
    problems.replaceChildren(...found.map(item));
    return found.map((problem) => {
      const line = view.state.doc.line(Math.min(Math.max(problem.line, 1), view.state.doc.lines));
      const from = Math.min(line.from + Math.max(problem.column - 1, 0), line.to);
      return { from, to: Math.max(line.to, from), severity: problem.severity, message: problem.message };
    });
  }

  function item(problem) {
    const entry = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.line = problem.line;
    button.textContent = t("line {line}", { line: problem.line });
    button.addEventListener("click", () => {
      const line = view.state.doc.line(Math.min(Math.max(problem.line, 1), view.state.doc.lines));
      view.dispatch({ selection: { anchor: line.from }, scrollIntoView: true });
      view.focus();
    });
    entry.append(button, " ", problem.message);
    entry.dataset.severity = problem.severity;
    return entry;
  }
}
