/** A picture, large, over everything; arrow keys go to its neighbours. */
import { fill, h, local } from "./dom.js";
import { icon } from "./icons.js";

/** @param {import("./media.js").Picture[]} pictures @param {number} start */
export function lightbox(pictures, start) {
  let at = Math.max(0, start);
  const dialog = h("dialog", { class: "lightbox", "aria-label": "Picture" });
  const close = () => dialog.close();
  const step = (/** @type {number} */ by) => {
    at = (at + by + pictures.length) % pictures.length;
    draw();
  };
  const arrow = (/** @type {string} */ name, /** @type {string} */ label, /** @type {number} */ by) =>
    h("button", { class: `round lightbox-${name}`, type: "button", "aria-label": label, onclick: () => step(by) }, icon(name));
  function draw() {
    const picture = pictures[at];
    const source = local(picture.url) ?? "";
    const name = picture.filename ?? source.split("?")[0].split("/").pop() ?? "picture";
    fill(dialog,
      h("figure", {},
        h("img", { src: source, alt: picture.description || "", class: (picture.width ?? 999) < 400 ? "small" : "" }),
        h("figcaption", {}, picture.description ? h("span", {}, picture.description) : null,
          h("a", { href: source, download: name }, icon("download"), "Save"))),
      pictures.length > 1 ? [arrow("left", "Previous picture", -1), arrow("right", "Next picture", 1)] : null,
      h("button", { class: "round lightbox-close", type: "button", "aria-label": "Close", onclick: close }, icon("close")));
  }
  dialog.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
  });
  dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    if (event.target === dialog || /** @type {Element} */ (event.target).tagName === "FIGURE") close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  draw();
  document.body.append(dialog);
  dialog.showModal();
}
