/** Components of messages, classic rows and Components V2, as elements. One table row a type. */
import { choice, offered } from "./choice.js";
import { h } from "./dom.js";
import { markdown } from "./markdown.js";
import { fileCard, gallery, pictureButton } from "./media.js";

/** @typedef {{store: any, world: import("./markdown.js").World, press: (component: any, values?: string[]) => Promise<void>}} Stage */

const BUTTON_STYLES = /** @type {Record<number, string>} */ ({ 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "premium" });

/** @param {any} component @param {Stage} stage */
function button(component, stage) {
  const words = [component.emoji?.name ? h("span", { class: "button-emoji", "aria-hidden": component.label ? "true" : null }, component.emoji.id ? `:${component.emoji.name}:` : component.emoji.name) : null,
    component.label ? h("span", {}, component.label) : null];
  const style = BUTTON_STYLES[component.style] ?? "secondary";
  if (component.url) return h("a", { class: `button ${style}`, href: component.url, target: "_blank", rel: "noopener noreferrer" }, words, " ↗");
  const element = h("button", { class: `button ${style}`, type: "button", disabled: component.disabled, data: { cid: component.custom_id } }, words);
  element.addEventListener("click", async () => {
    if (element.getAttribute("aria-busy") === "true") return;
    element.setAttribute("aria-busy", "true");
    try {
      await stage.press(component);
    } finally {
      element.removeAttribute("aria-busy");
    }
  });
  return element;
}

/** @param {any} component @param {Stage} stage */
function select(component, stage) {
  const label = component.placeholder || "Make a selection";
  const box = choice({ component, options: offered(component, stage.store), label, change: async (values) => {
    box.setAttribute("aria-busy", "true");
    try {
      await stage.press(component, values);
    } finally {
      box.removeAttribute("aria-busy");
    }
  } });
  return box;
}

/** @param {any} component @param {Stage} stage */
function container(component, stage) {
  const accent = component.accent_color;
  const style = typeof accent === "number" ? { "--accent": `#${accent.toString(16).padStart(6, "0")}` } : {};
  const box = h("div", { class: typeof accent === "number" ? "container accented" : "container", style }, draw(component.components, stage));
  if (component.spoiler) {
    box.dataset.spoiler = "";
    box.addEventListener("click", () => delete box.dataset.spoiler, { once: true });
  }
  return box;
}

/** @type {Record<number, (component: any, stage: Stage) => Node>} */
const DRAW = {
  1: (c, stage) => h("div", { class: "action-row" }, draw(c.components, stage)),
  2: button,
  3: select,
  5: select,
  6: select,
  7: select,
  8: select,
  9: (c, stage) => h("div", { class: "section" }, h("div", { class: "section-words" }, draw(c.components, stage)), h("div", { class: "section-side" }, draw([c.accessory], stage))),
  10: (c, stage) => h("div", { class: "prose" }, markdown(c.content, stage.world)),
  11: (c) => h("div", { class: "thumbnail" }, pictureButton({ ...c.media, description: c.description, spoiler: c.spoiler }, { fit: false })),
  12: (c) => gallery(c.items),
  13: (c) => fileCard({ name: c.name ?? "file", size: c.size ?? null, url: c.file.url }),
  14: (c) => h("hr", { class: `separator${c.spacing === 2 ? " wide" : ""}${c.divider === false ? " bare" : ""}` }),
  17: container,
};

/** @param {any[]} components @param {Stage} stage @returns {Node[]} */
export function draw(components, stage) {
  return components.map((component) => DRAW[component.type]?.(component, stage) ?? h("p", { class: "unknown" }, `This page cannot draw a component of type ${component.type}.`));
}
