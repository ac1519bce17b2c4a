/** The card that a newcomer finds: what to try. It goes with the first command or when it is put away, and does not come back. */
import { byId, h } from "./dom.js";
import { icon } from "./icons.js";

const KEY = "easel-hint-seen";

/** Show it, once. Returns what puts it away. @param {(text: string) => void} write puts text into the message box @returns {() => void} */
export function showHint(write) {
  if (localStorage.getItem(KEY)) return () => {};
  const key = (/** @type {string} */ name) => h("kbd", {}, name);
  const away = () => {
    localStorage.setItem(KEY, "yes");
    card.remove();
  };
  const card = h("aside", { class: "hint", "aria-label": "What to try" },
    h("button", { class: "round tiny hint-close", type: "button", "aria-label": "Put this card away", onclick: away }, icon("close")),
    h("h3", {}, "Welcome. Easel paints here."),
    h("ol", {},
      h("li", {}, "Type ", h("b", {}, "/imagine"), ", press ", key("Tab"), ", say what you want and press ", key("Enter"), "."),
      h("li", {}, "Press the buttons under your pictures, or react with ✉️ to get them in your direct messages."),
      h("li", {}, "Everything is on your own computer. Under the channels you can switch to Ben or Cleo and be somebody else.")),
    h("button", { class: "button primary", type: "button", onclick: () => { away(); write("/imagine"); } }, "Try /imagine"));
  byId("composer").before(card);
  return away;
}
