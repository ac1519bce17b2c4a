/** Menus that open at a place: a message's, a person's, the emoji. Arrow keys, Escape, and a click elsewhere close them. */
import { h } from "./dom.js";

/** @type {(() => void) | null} */
let closeOpen = null;

/** Show `panel` beside `anchor`, focus in it, and give back the focus when it closes. Returns what closes it.
 * @param {HTMLElement} panel @param {HTMLElement | {x: number, y: number}} anchor */
export function openPanel(panel, anchor) {
  closeOpen?.();
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const host = before?.closest("dialog") ?? document.body;
  host.append(panel);
  const box = anchor instanceof HTMLElement ? anchor.getBoundingClientRect() : new DOMRect(anchor.x, anchor.y, 0, 0);
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = box.bottom + height + 12 < innerHeight;
  panel.style.setProperty("left", `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`);
  panel.style.setProperty("top", `${Math.max(8, below ? box.bottom + 4 : box.top - height - 4)}px`);
  const away = (/** @type {Event} */ event) => {
    if (!panel.contains(/** @type {Node} */ (event.target))) close(false);
  };
  function close(restore = true) {
    if (closeOpen !== close) return;
    closeOpen = null;
    document.removeEventListener("pointerdown", away, true);
    panel.remove();
    if (restore) before?.focus();
  }
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  document.addEventListener("pointerdown", away, true);
  closeOpen = close;
  return close;
}

/** Arrow keys among `items`, `columns` in a row. @param {HTMLElement} panel @param {HTMLElement[]} items @param {number} [columns] */
export function roam(panel, items, columns = 1) {
  panel.addEventListener("keydown", (event) => {
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: columns, ArrowUp: -columns, ArrowRight: columns > 1 ? 1 : 0, ArrowLeft: columns > 1 ? -1 : 0 };
    const goal = event.key === "Home" ? 0 : event.key === "End" ? items.length - 1 : steps[event.key] ? (at + steps[event.key] + items.length) % items.length : -1;
    if (goal < 0) return;
    event.preventDefault();
    items[goal].focus();
  });
  items[0]?.focus();
}

/** @typedef {{label: string, icon?: Node, danger?: boolean, checked?: boolean, pick: () => void} | {heading: string}} Item */

/** @param {Item[]} rows @param {HTMLElement | {x: number, y: number}} anchor @param {string} label */
export function openMenu(rows, anchor, label) {
  /** @type {HTMLElement[]} */
  const items = [];
  let close = () => {};
  const panel = h("div", { class: "menu", role: "menu", "aria-label": label }, rows.map((row) => {
    if ("heading" in row) return h("div", { class: "menu-heading", role: "presentation" }, row.heading);
    const choice = row.checked !== undefined;
    const item = h("button", { type: "button", role: choice ? "menuitemradio" : "menuitem", "aria-checked": choice ? String(row.checked) : null, class: row.danger ? "menu-item danger" : "menu-item", tabindex: -1,
      onclick: () => { close(); row.pick(); } }, row.icon ?? null, h("span", {}, row.label), row.checked ? h("span", { class: "menu-check" }, "✓") : null);
    items.push(item);
    return item;
  }));
  close = openPanel(panel, anchor);
  roam(panel, items);
}
