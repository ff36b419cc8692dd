// What the schema says about a path: fields of the mapping there, values of a field, the sentence on it. No DOM.

// The fields of the object at `path` below the kind's root; null where the schema has none.
export function fieldsAt(schema, path) {
  let name = schema.root;
  for (const step of path) {
    if (typeof step === "number") continue;
    const field = schema.types[name]?.[step];
    if (!field?.of) return null;
    name = field.of;
  }
  return schema.types[name] ?? null;
}

export function fieldOf(schema, path) {
  return fieldsAt(schema, path.slice(0, -1))?.[path[path.length - 1]] ?? null;
}

// Completions of a key: required ones first, with what is written after the colon to go on in the right way.
export function keysFor(schema, path, present = []) {
  const fields = fieldsAt(schema, path);
  if (!fields) return [];
  return Object.entries(fields)
    .filter(([name]) => !present.includes(name))
    .map(([name, field]) => ({
      label: name,
      detail: field.type,
      info: field.doc ?? "",
      after: field.type.startsWith("[]") || field.of || field.type.startsWith("map") ? ":" : ": ",
      boost: field.required ? 2 : name === "status" ? -9 : 0,
    }));
}

// Completions of a value.
export function valuesFor(schema, path, key) {
  return (fieldsAt(schema, path)?.[key]?.values ?? []).map((label) => ({ label }));
}
