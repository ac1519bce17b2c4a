/** How somebody looks: a coloured disc with the first letter, Easel's with its mark. */
import { h } from "./dom.js";
import { mark } from "./icons.js";

const HUES = [262, 158, 24, 205, 336, 92, 48];

/** @param {any} user @returns {number} */
export const hueOf = (user) => HUES[[...user.username].reduce((sum, sign) => sum + sign.charCodeAt(0), 0) % HUES.length];

/** @param {any} user @param {{online?: boolean | null}} [how] */
export function avatar(user, { online = null } = {}) {
  const face = h("span", { class: user.bot ? "avatar avatar-bot" : "avatar", "aria-hidden": "true", style: { "--hue": hueOf(user) } });
  face.append(user.bot ? mark() : user.global_name[0].toUpperCase());
  if (online !== null) face.append(h("span", { class: online ? "presence on" : "presence" }));
  return face;
}

/** @param {any} user */
export const nameOf = (user) => user.global_name || user.username;

/** The tag beside the bot's name. */
export const appTag = () => h("span", { class: "app-tag" }, "APP");
