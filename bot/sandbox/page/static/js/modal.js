/** The bot's forms: every kind of field, checked before it is sent. */
import { choice, offered } from "./choice.js";
import { fill, freshId, h } from "./dom.js";
import { icon } from "./icons.js";
import { markdown } from "./markdown.js";
import { appTag } from "./people.js";

const ROW = 1, TEXT_INPUT = 4, LABEL = 18;
const PARAGRAPH = 2;

/** @typedef {{id: string, read: () => any, fault: () => string, show?: (fault: string) => void}} Field */
/** @typedef {{input: HTMLElement, read: () => any, fault: () => string}} Control */
/** @typedef {{store: any, world: any, label: string}} Place */

/** @param {any} c @param {Place} place @returns {Control} */
function text(c, { label }) {
  const input = h(c.style === PARAGRAPH ? "textarea" : "input", { class: "field", rows: c.style === PARAGRAPH ? 4 : null, maxlength: c.max_length ?? 4000, placeholder: c.placeholder ?? "", value: c.value ?? "", "aria-label": label, autocomplete: "off" });
  const least = c.min_length ?? 0;
  return { input, read: () => input.value, fault: () => {
    if (c.required !== false && !input.value) return "This is required.";
    return input.value && input.value.length < least ? `Write at least ${least} characters.` : "";
  } };
}

/** @param {any} c @param {Place} place @returns {Control} */
function menu(c, { store, label }) {
  const options = offered(c, store);
  let values = options.filter((option) => option.default).map((option) => option.value);
  const needed = c.required !== false;
  const input = choice({ component: c, options, label, change: (chosen) => { values = chosen; } });
  return { input, read: () => values, fault: () => (needed && values.length < (c.min_values ?? 1) ? "Choose something." : "") };
}

/** @param {any} c @param {Place} place @returns {Control} */
function files(c, { label }) {
  const most = c.max_values ?? 1;
  const least = c.required === false ? 0 : c.min_values ?? 1;
  const words = h("span", {}, most > 1 ? `Choose or drop up to ${most} files` : "Choose or drop a file");
  const picker = h("input", { type: "file", multiple: most > 1, "aria-label": label });
  const input = h("label", { class: "drop" }, icon("image"), words, picker);
  /** @type {File[]} */
  let chosen = [];
  const take = (/** @type {File[]} */ list) => {
    chosen = list.slice(0, most);
    if (chosen.length) fill(words, chosen.map((file) => file.name).join(", "));
  };
  picker.addEventListener("change", () => take([...picker.files]));
  input.addEventListener("dragover", (/** @type {DragEvent} */ event) => event.preventDefault());
  input.addEventListener("drop", (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    event.stopPropagation();
    take([...(event.dataTransfer?.files ?? [])]);
  });
  return { input, read: () => chosen, fault: () => (chosen.length < least ? `Choose at least ${least} ${least === 1 ? "file" : "files"}.` : "") };
}

/** Radio buttons, or boxes to tick. @param {any} c @param {Place} place @param {"radio" | "checkbox"} kind @returns {Control} */
function group(c, { label }, kind) {
  const name = freshId("group");
  const boxes = c.options.map((/** @type {any} */ option) => h("input", { type: kind, name, value: option.value, checked: option.default || null }));
  const input = h("div", { class: "group", role: kind === "radio" ? "radiogroup" : "group", "aria-label": label }, c.options.map((/** @type {any} */ option, /** @type {number} */ index) =>
    h("label", { class: "tick" }, boxes[index], h("span", {}, option.label, option.description ? h("small", {}, option.description) : null))));
  const ticked = () => boxes.filter((/** @type {any} */ box) => box.checked).map((/** @type {any} */ box) => box.value);
  const least = c.required === false ? 0 : kind === "radio" ? 1 : c.min_values ?? 1;
  const most = kind === "radio" ? 1 : c.max_values ?? c.options.length;
  return { input, read: () => (kind === "radio" ? ticked()[0] ?? null : ticked()), fault: () => {
    if (ticked().length < least) return least === 1 ? "Choose one." : `Choose at least ${least}.`;
    return ticked().length > most ? `Choose at most ${most}.` : "";
  } };
}

/** @param {any} c @param {Place} place @returns {Control} */
function tick(c, { label }) {
  const box = h("input", { type: "checkbox", "aria-label": label, checked: c.default || null });
  return { input: h("label", { class: "tick" }, box, h("span", {}, label)), read: () => box.checked, fault: () => "" };
}

/** @type {Record<number, (component: any, place: Place) => Control>} */
const CONTROLS = { 3: menu, 4: text, 5: menu, 6: menu, 7: menu, 8: menu, 19: files, 21: (c, place) => group(c, place, "radio"), 22: (c, place) => group(c, place, "checkbox"), 23: tick };

/** A field with its label, help and what is wrong with it. @param {any} component @param {any} around @param {any} how */
function fieldElement(component, around, how) {
  const label = around.label ?? component.label ?? component.custom_id;
  const control = CONTROLS[component.type](component, { store: how.store, world: how.world, label });
  const problem = h("div", { class: "problem", role: "alert", hidden: true });
  control.input.dataset.field = component.custom_id;
  const needed = component.required !== false && component.type !== 23;
  const element = h("div", { class: "form-field" }, h("div", { class: "form-label" }, label, needed ? h("span", { class: "star", title: "required" }, " *") : null),
    around.description ? h("small", { class: "form-help" }, around.description) : null, control.input, problem);
  const show = (/** @type {string} */ fault) => {
    fill(problem, fault);
    problem.hidden = !fault;
    element.classList.toggle("invalid", Boolean(fault));
  };
  return { element, field: { id: component.custom_id, read: control.read, fault: control.fault, show } };
}

/** Open a form. `submit` sends it and says what went wrong, or nothing.
 * @param {any} modal @param {{store: any, world: any, submit: (values: Record<string, any>) => Promise<string | undefined>}} how */
export function openModal(modal, how) {
  /** @type {Field[]} */
  const fields = [];
  const titleId = freshId("title");
  const parts = modal.components.flatMap((/** @type {any} */ outer) => {
    if (outer.type !== ROW && outer.type !== LABEL) return [h("div", { class: "prose" }, markdown(outer.content ?? "", how.world))];
    return (outer.type === LABEL ? [outer.component] : outer.components).map((/** @type {any} */ inner) => {
      const { element, field } = fieldElement(inner, outer.type === LABEL ? outer : inner.type === TEXT_INPUT ? { label: inner.label } : {}, how);
      fields.push(field);
      return element;
    });
  });
  const problem = h("div", { class: "problem", role: "alert", hidden: true });
  const send = h("button", { class: "button primary", type: "submit" }, "Submit");
  const dialog = h("dialog", { class: "modal", "aria-labelledby": titleId });
  const form = h("form", { method: "dialog", novalidate: true }, h("header", {}, h("h2", { id: titleId }, modal.title), h("span", { class: "modal-from" }, "Easel ", appTag()),
    h("button", { class: "round small", type: "button", "aria-label": "Close the form", onclick: () => dialog.close() }, icon("close"))),
  h("div", { class: "modal-body" }, parts, problem), h("footer", {}, h("button", { class: "button secondary", type: "button", onclick: () => dialog.close() }, "Cancel"), send));
  form.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    const faults = fields.map((field) => field.fault());
    fields.forEach((field, index) => field.show?.(faults[index]));
    if (faults.some(Boolean)) {
      form.querySelector(".invalid input, .invalid textarea, .invalid button")?.focus();
      return;
    }
    send.setAttribute("aria-busy", "true");
    const error = await how.submit(Object.fromEntries(fields.map((field) => [field.id, field.read()])));
    send.removeAttribute("aria-busy");
    fill(problem, error ?? "");
    problem.hidden = !error;
    if (!error) dialog.close();
  });
  dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && event.ctrlKey) form.requestSubmit();
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(form);
  document.body.append(dialog);
  dialog.showModal();
  form.querySelector(".modal-body input, .modal-body textarea, .modal-body button")?.focus();
}
