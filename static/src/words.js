// Translated words: the page carries a catalogue from the server, English is the key.

const element = globalThis.document?.getElementById("words");
const catalogue = element ? JSON.parse(element.textContent) : {};

export function t(text, fields = {}) {
  return (catalogue[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => (name in fields ? String(fields[name]) : whole));
}
