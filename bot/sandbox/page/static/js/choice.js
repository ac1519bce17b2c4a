/** Menus to choose from, in messages and in forms: a button that opens a list, one or several values. */
import { fill, freshId, h } from "./dom.js";
import { icon } from "./icons.js";

/** @typedef {{label: string, value: string, description?: string, emoji?: any, default?: boolean}} Option */

const ENTITIES = { 5: "user", 6: "role", 7: "mentionable", 8: "channel" };

/** What a select offers: its own options, or people, roles and channels. @param {any} component @param {any} store @returns {Option[]} */
export function offered(component, store) {
  if (component.options) return component.options;
  const kind = /** @type {Record<number, string>} */ (ENTITIES)[component.type];
  const preset = new Set((component.default_values ?? []).map((/** @type {any} */ v) => v.id));
  const users = store.everybody.map((/** @type {any} */ u) => ({ label: `@${u.global_name}`, value: u.id }));
  const roles = (store.guild?.roles ?? []).map((/** @type {any} */ r) => ({ label: r.name, value: r.id }));
  const channels = store.channels.map((/** @type {any} */ c) => ({ label: `#${c.name}`, value: c.id }));
  const all = /** @type {Record<string, Option[]>} */ ({ user: users, role: roles, mentionable: [...users, ...roles], channel: channels })[kind];
  return all.map((option) => ({ ...option, default: preset.has(option.value) }));
}

/**
 * @param {{component: any, options: Option[], label: string, change: (values: string[]) => void, disabled?: boolean}} how
 * @returns {HTMLElement}
 */
export function choice({ component, options, label, change, disabled }) {
  const least = component.min_values ?? 1;
  const most = component.max_values ?? 1;
  const several = most > 1;
  let chosen = options.filter((option) => option.default).map((option) => option.value);
  let before = "";
  let active = 0;
  const listId = freshId("list");
  const list = h("ul", { class: "choice-list", role: "listbox", id: listId, "aria-label": label, "aria-multiselectable": several ? "true" : null, hidden: true });
  const button = h("button", { class: "choice-button", type: "button", role: "combobox", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-controls": listId, "aria-label": label,
    disabled: disabled || component.disabled, data: { cid: component.custom_id } });
  const box = h("div", { class: "choice" }, button, list);
  const isOpen = () => !list.hidden;

  function drawButton() {
    const names = options.filter((option) => chosen.includes(option.value)).map((option) => `${option.emoji?.name ? `${option.emoji.name} ` : ""}${option.label}`);
    fill(button, h("span", { class: names.length ? "" : "placeholder" }, names.join(", ") || component.placeholder || "Make a selection"), icon("chevron"));
  }
  function drawList() {
    fill(list, options.map((option, index) => h("li", { role: "option", id: `${listId}-${index}`, class: index === active ? "active" : "", "aria-selected": String(chosen.includes(option.value)), data: { value: option.value },
      onclick: () => toggle(index) },
      option.emoji?.name ? h("span", { class: "choice-emoji" }, option.emoji.name) : null,
      h("span", { class: "choice-words" }, h("span", {}, option.label), option.description ? h("small", {}, option.description) : null),
      chosen.includes(option.value) ? icon("check") : null)));
    button.setAttribute("aria-activedescendant", `${listId}-${active}`);
    list.children[active]?.scrollIntoView({ block: "nearest" });
  }
  function open() {
    if (button.disabled) return;
    before = chosen.join("\n");
    active = Math.max(0, options.findIndex((option) => chosen.includes(option.value)));
    list.hidden = false;
    button.setAttribute("aria-expanded", "true");
    drawList();
    list.scrollIntoView({ block: "nearest" });
  }
  function close() {
    if (!isOpen()) return;
    list.hidden = true;
    button.setAttribute("aria-expanded", "false");
    button.removeAttribute("aria-activedescendant");
    if (several && chosen.join("\n") !== before && chosen.length >= least) change(chosen);
  }
  function toggle(/** @type {number} */ index) {
    const { value } = options[index];
    if (!several) {
      chosen = [value];
      drawButton();
      close();
      change(chosen);
      return;
    }
    if (chosen.includes(value)) chosen = chosen.filter((other) => other !== value);
    else if (chosen.length < most) chosen = [...chosen, value];
    active = index;
    drawButton();
    drawList();
  }
  button.addEventListener("click", () => (isOpen() ? close() : open()));
  button.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 });
    if (!isOpen() && !steps[event.key]) return;
    if (!isOpen()) open();
    else if (steps[event.key]) { active = (active + steps[event.key] + options.length) % options.length; drawList(); }
    else if (event.key === "Enter" || event.key === " ") toggle(active);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  box.addEventListener("focusout", (/** @type {FocusEvent} */ event) => { if (!box.contains(/** @type {Node} */ (event.relatedTarget))) close(); });
  list.addEventListener("pointerdown", (/** @type {Event} */ event) => event.preventDefault());
  drawButton();
  return box;
}
