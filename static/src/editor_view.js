// CodeMirror as podlab uses it: colours of the page, completion and hovering from the schema, lines that flash.

import { autocompletion } from "@codemirror/autocomplete";
import { indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintGutter } from "@codemirror/lint";
import { EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, hoverTooltip, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";
import { changeOf, changedLines } from "./text_change.js";
import { fieldAt, inner, pathAt } from "./yaml_path.js";
import { fieldOf, keysFor, valuesFor } from "./field_types.js";

// By the page's own tokens, so that the editor follows the theme.
const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--done-text)" },
  { tag: [tags.string, tags.content], color: "var(--ink)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.keyword], color: "var(--terminating-text)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.separator, tags.punctuation, tags.meta, tags.labelName], color: "var(--waiting-text)" },
]);

const flash = StateEffect.define();
const flashed = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(flash)) continue;
      const lines = effect.value.filter((line) => line <= transaction.state.doc.lines);
      const line = Decoration.line({ class: "cm-flashed" });
      next = Decoration.set(lines.map((number) => line.range(transaction.state.doc.line(number).from)));
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export const fromServer = StateEffect.define(); // marks changes that nobody typed

// Put the server's text in, keep the cursor and what can be undone, and flash what changed.
export function follow(view, text) {
  const old = view.state.doc.toString();
  const change = changeOf(old, text);
  if (!change) return;
  const lines = changedLines(old, text);
  view.dispatch({ changes: change, effects: [fromServer.of(true), flash.of(lines)] });
  reveal(view, lines[0]);
}

// Scroll the text, and nothing but the text, to a line that is out of sight.
function reveal(view, line) {
  if (!line) return;
  const { top, bottom } = view.lineBlockAt(view.state.doc.line(Math.min(line, view.state.doc.lines)).from);
  const { scrollTop, clientHeight } = view.scrollDOM;
  if (top < scrollTop || bottom > scrollTop + clientHeight) view.scrollDOM.scrollTop = Math.max(top - clientHeight / 3, 0);
}

export function calm(view) {
  view.dispatch({ effects: flash.of([]) });
}

export function yamlEditor({ parent, doc, label, submit, changed, schema }) {
  return new EditorView({
    parent,
    state: EditorState.create({
      doc,
      extensions: [
        basicSetup,
        yaml(),
        syntaxHighlighting(colours),
        Prec.high(keymap.of([{ key: "Enter", run: deeper }])),
        keymap.of([indentWithTab, { key: "Mod-s", run: () => (submit(), true) }]),
        lintGutter(),
        flashed,
        autocompletion({ override: [(context) => complete(context, schema)], activateOnTyping: true }),
        hoverTooltip((view, at) => hover(view, at, schema), { hoverTime: 250 }),
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": label, "aria-describedby": "check-status" }),
        EditorView.updateListener.of(changed),
      ],
    }),
  });
}

// A new line below a key that has no value yet begins where its fields stand.
function deeper(view) {
  const { from, empty } = view.state.selection.main;
  const line = view.state.doc.lineAt(from);
  const margin = empty && from === line.to ? inner(line.text) : null;
  if (margin === null) return false;
  const insert = `\n${" ".repeat(margin)}`;
  view.dispatch({ changes: { from, insert }, selection: { anchor: from + insert.length }, scrollIntoView: true, userEvent: "input" });
  return true;
}

async function complete(context, schema) {
  const line = context.state.doc.lineAt(context.pos);
  const lines = context.state.doc.toString().split("\n");
  const place = pathAt(lines, line.number - 1, context.pos - line.from);
  const known = place && (await schema(lines, line.number - 1));
  if (!known) return null;
  const word = context.matchBefore(/[\w./-]*/);
  if (!context.explicit && word.from === word.to) return null;
  if (place.part === "value") {
    const options = valuesFor(known, place.path, place.key);
    return options.length ? { from: word.from, options, validFor: /^[\w./-]*$/ } : null;
  }
  const options = keysFor(known, place.path).map(({ after, info, ...one }) => ({ ...one, info: info || undefined, apply: one.label + after }));
  return options.length ? { from: word.from, options, validFor: /^\w*$/ } : null;
}

async function hover(view, at, schema) {
  const line = view.state.doc.lineAt(at);
  const lines = view.state.doc.toString().split("\n");
  const found = fieldAt(lines, line.number - 1);
  if (!found || at < line.from + found.from || at > line.from + found.to) return null;
  const known = await schema(lines, line.number - 1);
  const field = known && fieldOf(known, found.path);
  if (!field) return null;
  return { pos: line.from + found.from, end: line.from + found.to, above: true, create: () => ({ dom: explained(found.path, field) }) };
}

function explained(path, field) {
  const box = Object.assign(document.createElement("div"), { className: "cm-explained" });
  const head = document.createElement("p");
  const name = Object.assign(document.createElement("strong"), { textContent: String(path[path.length - 1]) });
  const type = Object.assign(document.createElement("code"), { textContent: field.type + (field.required ? " *" : "") });
  head.append(name, " ", type);
  box.append(head);
  if (field.doc) box.append(Object.assign(document.createElement("p"), { textContent: field.doc }));
  if (field.values) box.append(Object.assign(document.createElement("p"), { className: "mono", textContent: field.values.join(" | ") }));
  return box;
}
