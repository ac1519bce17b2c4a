/** The list above the message box: commands, choices, suggestions. The text field keeps the focus. */
import { fill, freshId, h } from "./dom.js";

/** @typedef {{name: string, description?: string, side?: string, icon?: Node, value?: any}} Row */

export class Popup {
  constructor() {
    this.id = freshId("popup");
    this.title = h("div", { class: "popup-title" });
    this.list = h("ul", { class: "popup-list", role: "listbox", id: this.id, "aria-label": "Suggestions" });
    this.element = h("div", { class: "popup", hidden: true }, this.title, this.list);
    this.element.addEventListener("pointerdown", (/** @type {Event} */ event) => event.preventDefault());
    /** @type {Row[]} */
    this.rows = [];
    this.active = 0;
    /** @type {(row: Row) => void} */
    this.pick = () => {};
    /** @type {HTMLElement | null} */
    this.field = null;
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** @param {{field: HTMLElement, title: string, rows: Row[], pick: (row: Row) => void, empty?: string, active?: number}} what */
  show({ field, title, rows, pick, empty, active = 0 }) {
    if (!rows.length && !empty) {
      this.hide();
      return;
    }
    Object.assign(this, { rows, pick, field, active });
    fill(this.title, title);
    this.element.hidden = false;
    field.setAttribute("aria-controls", this.id);
    field.setAttribute("aria-expanded", "true");
    this.draw(empty);
  }

  /** @param {string} [empty] */
  draw(empty) {
    fill(this.list, this.rows.length ? this.rows.map((row, index) => h("li", { role: "option", id: `${this.id}-${index}`, "aria-selected": String(index === this.active), class: index === this.active ? "active" : "", onclick: () => this.choose(index) },
      row.icon ?? null, h("span", { class: "popup-words" }, h("span", { class: "popup-name" }, row.name), row.description ? h("small", {}, row.description) : null), row.side ? h("span", { class: "popup-side" }, row.side) : null)) : h("li", { class: "popup-empty", role: "presentation" }, empty));
    if (this.rows.length && this.active >= 0) this.field?.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    else this.field?.removeAttribute("aria-activedescendant");
    this.list.children[this.active]?.scrollIntoView({ block: "nearest" });
  }

  hide() {
    this.element.hidden = true;
    this.field?.setAttribute("aria-expanded", "false");
    this.field?.removeAttribute("aria-activedescendant");
  }

  /** @param {number} index */
  choose(index) {
    const row = this.rows[index];
    this.hide();
    if (row) this.pick(row);
  }

  /** Whether the key was for the list. @param {KeyboardEvent} event */
  key(event) {
    if (!this.isOpen || event.isComposing) return false;
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 });
    if (steps[event.key] && this.rows.length) {
      this.active = (this.active + steps[event.key] + this.rows.length) % this.rows.length;
      this.draw();
    } else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey && this.rows.length && this.active >= 0) this.choose(this.active);
    else if (event.key === "Escape") this.hide();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
}
