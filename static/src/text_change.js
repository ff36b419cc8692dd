// Two texts: the one change between them, and which lines of the new one differ. No DOM.

// {from, to, insert} that makes `next` of `old`, or null when they are the same.
export function changeOf(old, next) {
  if (old === next) return null;
  const most = Math.min(old.length, next.length);
  let from = 0;
  while (from < most && old[from] === next[from]) from += 1;
  let end = 0;
  while (end < most - from && old[old.length - 1 - end] === next[next.length - 1 - end]) end += 1;
  return { from, to: old.length - end, insert: next.slice(from, next.length - end) };
}

// Numbers (from 1) of the lines of `next` that are not in `old`, by the longest common lines. Where only something went,
// the line at its place.
export function changedLines(old, next) {
  if (old === next) return [];
  const a = old.split("\n");
  const b = next.split("\n");
  let head = 0;
  while (head < Math.min(a.length, b.length) && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const left = a.slice(head, a.length - tail);
  const right = b.slice(head, b.length - tail);
  if (left.length * right.length > 250_000) return right.map((_, n) => head + n + 1);
  const kept = common(left, right);
  const lines = right.map((_, n) => n).filter((n) => !kept.has(n)).map((n) => head + n + 1);
  return lines.length ? lines : [Math.min(head + 1, b.length)];
}

// The pieces of a command line: [text, whether it is new]. Words, and the parts of JSON in them.
export function changedPieces(old, next) {
  const pieces = (text) => text.match(/[\s,{}[\]]+|[^\s,{}[\]]+/g) ?? [];
  const now = pieces(next);
  const words = (all) => all.map((one) => one.replace(/\s+/g, " ")).join("\n");
  const fresh = new Set(changedLines(words(pieces(old)), words(now)));
  const went = pieces(old).length > now.length && fresh.size === 1; // the place where something went is no new piece
  return now.map((text, n) => [text, fresh.has(n + 1) && /\w/.test(text) && !(went && pieces(old).includes(text))]);
}

// Indexes of `b` in a longest common subsequence.
function common(a, b) {
  const best = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) best[i][j] = a[i] === b[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
  const kept = new Set();
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) {
      kept.add(j);
      i += 1;
      j += 1;
    } else if (best[i + 1][j] >= best[i][j + 1]) i += 1;
    else j += 1;
  }
  return kept;
}
