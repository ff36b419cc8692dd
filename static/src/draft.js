// Unsaved text is kept in this browser, and the page says so.

export class Draft {
  // `storage` may refuse (private windows, full disk): then nothing is kept, and nothing breaks.
  constructor(key, storage) {
    this.key = `podlab.draft:${key}`;
    this.storage = storage;
  }

  // {text, base} or null. `base` is the revision that the text was begun with, "" for a new object.
  read() {
    try {
      const kept = JSON.parse(this.storage?.getItem(this.key) ?? "null");
      return typeof kept?.text === "string" ? { text: kept.text, base: String(kept.base ?? "") } : null;
    } catch {
      return null;
    }
  }

  // Whether it is kept now.
  write(text, base = "") {
    try {
      this.storage?.setItem(this.key, JSON.stringify({ text, base }));
      return Boolean(this.storage);
    } catch {
      return false;
    }
  }

  forget() {
    try {
      this.storage?.removeItem(this.key);
    } catch {
      // nothing was kept
    }
  }
}
