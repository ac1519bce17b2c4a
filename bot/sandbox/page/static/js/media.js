/** Pictures and files in messages. */
import { fileSize, h, local } from "./dom.js";
import { icon } from "./icons.js";
import { lightbox } from "./lightbox.js";

const WIDEST = 520;
const TALLEST = 380;

/** @typedef {{url: string, description?: string | null, width?: number | null, height?: number | null, filename?: string, spoiler?: boolean}} Picture */

/** A picture that opens large. Its place is kept free before it has come, so that nothing jumps.
 * @param {Picture} picture @param {{all?: Picture[], fit?: boolean}} [how] */
export function pictureButton(picture, { all = [picture], fit = true } = {}) {
  const source = local(picture.url);
  const alt = picture.description || "";
  if (!source) return h("a", { class: "outside", href: picture.url, target: "_blank", rel: "noopener noreferrer" }, "Picture from another site: ", picture.url);
  const image = h("img", { src: source, alt, loading: "eager", decoding: "sync", data: { path: source.split("?")[0] } });
  const button = h("button", { class: "picture", type: "button", "aria-label": `Open picture${alt ? `: ${alt}` : ""}` }, image);
  if (fit && picture.width && picture.height) {
    const wanted = picture.width < 200 && picture.height < 200 ? 2 : 1;
    const scale = Math.min(wanted, WIDEST / picture.width, TALLEST / picture.height);
    button.style.setProperty("width", `${Math.round(picture.width * scale)}px`);
    button.style.setProperty("aspect-ratio", `${picture.width} / ${picture.height}`);
  }
  if (picture.spoiler) button.dataset.spoiler = "";
  button.addEventListener("click", () => {
    if ("spoiler" in button.dataset) delete button.dataset.spoiler;
    else lightbox(all, all.indexOf(picture));
  });
  return button;
}

/** @param {any[]} items of a media gallery */
export function gallery(items) {
  const all = items.map((item) => ({ ...item.media, description: item.description, spoiler: item.spoiler }));
  const single = all.length === 1;
  return h("div", { class: "gallery", data: { count: all.length } }, all.map((picture) => pictureButton(picture, { all, fit: single })));
}

/** @param {{name: string, size: number | null, url: string}} file */
export function fileCard({ name, size, url }) {
  const source = local(url);
  return h("a", { class: "file-card", href: source ?? url, download: name, "aria-label": `Download ${name}` },
    h("span", { class: "file-icon" }, icon("file")),
    h("span", { class: "file-words" }, h("span", { class: "file-name" }, name), size === null ? null : h("small", {}, fileSize(size))),
    icon("download"));
}

/** The attachments of a message, but those that an embed shows. @param {any} message */
export function attachments(message) {
  const shown = new Set(message.embeds.flatMap((/** @type {any} */ e) => [e.image?.url, e.thumbnail?.url]).filter(Boolean).map((/** @type {string} */ u) => local(u)?.split("?")[0]));
  const files = message.attachments.filter((/** @type {any} */ file) => !shown.has(local(file.url)?.split("?")[0]));
  const isPicture = (/** @type {any} */ file) => file.width && file.content_type?.startsWith("image/");
  const pictures = files.filter(isPicture);
  const others = files.filter((/** @type {any} */ file) => !isPicture(file));
  return [
    pictures.length ? gallery(pictures.map((/** @type {any} */ file) => ({ media: file, description: file.description, spoiler: file.filename.startsWith("SPOILER_") }))) : null,
    ...others.map((/** @type {any} */ file) => fileCard({ name: file.filename, size: file.size, url: file.url })),
  ];
}
