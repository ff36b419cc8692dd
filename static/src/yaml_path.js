// Where in a YAML text the cursor is, by indentation alone, so that it works while the text is unfinished. No DOM.

const KEY = /^(\s*)((?:- +)*)(?:("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#'"[\]{},][^#]*?)\s*:(?=\s|$)\s*)?(.*)$/;

// Of one line: the column where its content begins, the dashes before it, key and rest. null for blanks and comments.
function read(line) {
  if (!line.trim() || /^\s*#/.test(line)) return null;
  const [, pad, dashes, key, rest] = KEY.exec(line);
  return { column: pad.length + dashes.length, pad: pad.length, dashes, key: key?.replace(/^["']|["']$/g, ""), rest };
}

// The dashes of a line open sequences: their columns, outermost first.
function openings(one) {
  const columns = [];
  for (let at = 0; at < one.dashes.length; at++) if (one.dashes[at] === "-") columns.push(one.pad + at);
  return columns;
}

// The first line of the document that holds line `row` (0-based).
export function documentStart(lines, row) {
  for (let at = Math.min(row, lines.length - 1); at > 0; at--) if (/^---(\s|$)/.test(lines[at])) return at + 1;
  return /^---(\s|$)/.test(lines[0] ?? "") ? 1 : 0;
}

// The path of the mapping or value that line `row` belongs to at `column`: {path, key, part: "key" | "value", typed}.
// `path` leads to the mapping; `key` is the line's own key, "" while it is being typed. Inside a block text: null.
export function pathAt(lines, row, column) {
  const start = documentStart(lines, row);
  const stack = []; // {column, step}: open mappings' keys and sequences' indexes
  let block = -1; // the column of the key whose block text is open
  for (let at = start; at <= row; at++) {
    const line = at === row ? lines[at].slice(0, Math.max(column, 0)) : lines[at];
    const indent = line.search(/\S/);
    if (block >= 0 && (indent < 0 || indent > block)) {
      if (at === row && (indent > block || column > block)) return null;
      continue;
    }
    block = -1;
    const one = read(line);
    if (at === row) return located(stack, one, line, column, lines[row]);
    if (!one) continue;
    enter(stack, one);
    if (/^[|>][-+0-9]*\s*(#.*)?$/.test(one.rest)) block = one.key === undefined ? one.pad : one.column;
  }
  return null;
}

function enter(stack, one) {
  const columns = openings(one);
  const first = columns[0] ?? one.column;
  while (stack.length && last(stack).column >= first && !(columns.length && keepsSequence(last(stack), first))) stack.pop();
  for (const [n, at] of columns.entries()) {
    const top = last(stack);
    if (n === 0 && top?.index !== undefined && top.column === at) top.index += 1;
    else stack.push({ column: at, index: 0 });
  }
  if (one.key !== undefined) stack.push({ column: one.column, key: one.key });
}

// A dash may stand under its key's own column; then the key above stays open.
function keepsSequence(top, column) {
  return top.column === column && (top.index !== undefined || top.key !== undefined);
}

function last(stack) {
  return stack[stack.length - 1];
}

function located(stack, one, line, column, whole) {
  const blank = { column: line.length, pad: line.length, dashes: "", key: undefined, rest: "" };
  const here = one ?? blank;
  if (/^\s*#/.test(whole) && column > whole.indexOf("#")) return null;
  const rest = [...stack];
  const seat = { ...here, key: undefined };
  enter(rest, seat);
  const path = rest.map((step) => step.key ?? step.index);
  if (here.key !== undefined) return { path, key: here.key, part: "value", typed: here.rest };
  const typed = here.rest;
  return { path, key: "", part: "key", typed };
}

// The same for a word under the pointer: the path of the field whose key is on that line.
export function fieldAt(lines, row) {
  const one = read(lines[row] ?? "");
  if (!one || one.key === undefined) return null;
  const found = pathAt(lines, row, one.column);
  return found && { path: [...found.path, one.key], from: one.column, to: one.column + one.key.length };
}

// Where the lines below this one begin, if it is a key without a value or with a block of text; null if it is none. Pure.
export function inner(line) {
  const found = /^(\s*(?:- +)*)[^\s#'":][^#:]*:\s*(?:[|>][+-]?\s*)?(?:#.*)?$/.exec(line);
  return found ? found[1].length + 2 : null;
}
