/** A small emoji picker: what Easel listens to comes first. The glyphs are the system's. */
import { h } from "./dom.js";
import { openPanel, roam } from "./menu.js";

/** What Easel does for a reaction. @type {[string, string][]} */
export const EASELS = [["✉️", "Send me the pictures"], ["⭐", "Favourite"], ["🔁", "Again"], ["⬆️", "Upscale"], ["🔀", "Vary"], ["❌", "Delete or cancel"]];
/** @type {[string, string][]} */
const OTHERS = [["👍", "Thumbs up"], ["❤️", "Heart"], ["😂", "Laughing"], ["😍", "In love"], ["🎉", "Party"], ["🔥", "Fire"], ["👀", "Eyes"], ["🤔", "Thinking"], ["😮", "Surprised"], ["😢", "Sad"], ["🙏", "Thanks"], ["🎨", "Palette"]];
const COLUMNS = 6;

/** @param {HTMLElement | {x: number, y: number}} anchor @param {(emoji: string) => void} pick */
export function openEmoji(anchor, pick) {
  /** @type {HTMLElement[]} */
  const items = [];
  let close = () => {};
  const grid = (/** @type {[string, string][]} */ rows) => h("div", { class: "emoji-grid" }, rows.map(([sign, name]) => {
    const item = h("button", { type: "button", class: "emoji-item", title: name, "aria-label": `${sign} ${name}`, tabindex: -1, onclick: () => { close(); pick(sign); } }, sign);
    items.push(item);
    return item;
  }));
  const panel = h("div", { class: "menu emoji-panel", role: "dialog", "aria-label": "Choose an emoji" },
    h("div", { class: "menu-heading" }, "Easel listens to these"), grid(EASELS), h("div", { class: "menu-heading" }, "Others"), grid(OTHERS));
  close = openPanel(panel, anchor);
  roam(panel, items, COLUMNS);
}
