/** Classic embeds. */
import { h, local } from "./dom.js";
import { inline, markdown } from "./markdown.js";
import { pictureButton } from "./media.js";
import { sentAt } from "./times.js";

/** @param {any} embed @param {import("./markdown.js").World} world */
export function embed(embed, world) {
  const colour = embed.color ? `#${embed.color.toString(16).padStart(6, "0")}` : "var(--line-strong)";
  const title = embed.title && inline(embed.title, world);
  const footer = embed.footer || embed.timestamp;
  return h("article", { class: "embed", style: { "--accent": colour } },
    h("div", { class: "embed-words" },
      embed.author ? h("div", { class: "embed-author" }, embed.author.name) : null,
      title ? h("div", { class: "embed-title" }, embed.url ? h("a", { href: embed.url, target: "_blank", rel: "noopener noreferrer" }, title) : title) : null,
      embed.description ? h("div", { class: "prose" }, markdown(embed.description, world)) : null,
      embed.fields?.length ? h("div", { class: "embed-fields" }, embed.fields.map((/** @type {any} */ field) =>
        h("div", { class: field.inline ? "embed-field inline" : "embed-field" }, h("b", {}, inline(field.name, world)), h("div", { class: "prose" }, markdown(field.value, world))))) : null,
      embed.image ? pictureButton({ ...embed.image, description: embed.image.description ?? embed.title }) : null,
      footer ? h("footer", {}, embed.footer?.text, embed.footer && embed.timestamp ? " • " : "", embed.timestamp ? sentAt(embed.timestamp) : null) : null),
    embed.thumbnail && local(embed.thumbnail.url) ? h("div", { class: "embed-thumb" }, pictureButton(embed.thumbnail, { fit: false })) : null);
}
