// The form beside the editor: what was changed in it, and how a new one takes its place without losing one's place.

const CHANGED = "changed";

// The names and values of inputs that differ from what the server sent.
export function edited(form) {
  const found = [];
  for (const input of form.querySelectorAll("input[name], textarea[name], select[name]")) {
    if (input.name.startsWith("s.") || input.value !== given(input)) found.push([input.name, input.value]);
  }
  return found;
}

function given(input) {
  if (input.tagName !== "SELECT") return input.defaultValue;
  return ([...input.options].find((option) => option.defaultSelected) ?? input.options[0])?.value;
}

// The server has heard these values: from now on only later ones count as changed.
export function heard(form, sent) {
  for (const [name, value] of sent) {
    const input = form.querySelector(`[name="${CSS.escape(name)}"]`);
    if (!input) continue;
    if (input.tagName === "SELECT") for (const option of input.options) option.defaultSelected = option.value === value;
    else input.defaultValue = value;
  }
}

// Put the new form in. Sections stay open or shut as they were, the focus stays where it was.
export function replaceForm(place, html) {
  const open = new Map([...place.querySelectorAll("details[data-keep]")].map((one) => [one.dataset.keep, one.open]));
  const focus = place.contains(document.activeElement) ? document.activeElement.name : "";
  place.innerHTML = html;
  for (const one of place.querySelectorAll("details[data-keep]")) {
    if (open.get(one.dataset.keep)) one.open = true;
    else if (open.has(one.dataset.keep) && !one.querySelector(".field-problem")) one.open = false;
  }
  if (focus) place.querySelector(`[name="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
}

// Highlight the inputs of these paths, and of what is above them only if the form has nothing nearer.
export function markPaths(place, paths) {
  for (const one of place.querySelectorAll(`.${CHANGED}`)) one.classList.remove(CHANGED);
  for (const path of paths) {
    for (let at = path; at; at = above(at)) {
      const found = place.querySelector(`[data-path="${CSS.escape(at)}"]`);
      if (!found) continue;
      found.classList.add(CHANGED);
      for (let box = found.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
      break;
    }
  }
}

export function above(path) {
  return path.slice(0, Math.max(path.lastIndexOf("."), path.lastIndexOf("["), 0));
}

// The problems at their inputs, without touching the inputs.
export function showProblems(place, problems, document) {
  for (const old of place.querySelectorAll(".field-problem")) old.remove();
  for (const old of place.querySelectorAll("[aria-invalid]")) {
    old.removeAttribute("aria-invalid");
    old.removeAttribute("aria-describedby");
  }
  for (const problem of problems.filter((one) => one.path && one.document === document)) {
    for (let at = problem.path; at; at = above(at)) {
      const found = place.querySelector(`[data-path="${CSS.escape(at)}"]`);
      if (!found) continue;
      said(found, at, problem.message);
      break;
    }
  }
}

function said(found, path, message) {
  let box = found.querySelector(":scope > .field-problem");
  if (!box) {
    box = document.createElement("div");
    box.className = "field-problem";
    box.id = `p.${path}`;
    found.append(box);
  }
  box.append(Object.assign(document.createElement("p"), { textContent: message }));
  const input = found.querySelector(":scope > input, :scope > select, :scope > textarea");
  input?.setAttribute("aria-invalid", "true");
  input?.setAttribute("aria-describedby", box.id);
}
