/** A sentence at the edge of the screen, for what has no place of its own. */
import { byId, h } from "./dom.js";

const SHOWN_MS = 7000;

/** @param {string} sentence */
export function toast(sentence) {
  const box = h("div", { class: "toast" }, sentence);
  byId("toasts").append(box);
  setTimeout(() => box.remove(), SHOWN_MS);
}

/** Wait for a deed; say what went wrong. @param {Promise<any>} deed */
export const saying = (deed) => deed.catch((/** @type {Error} */ error) => { toast(error.message); });
