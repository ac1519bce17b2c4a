/** Building the page's elements. Text always becomes text nodes: nothing that somebody wrote is ever read as markup. */

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @param {string} tag
 * @param {Record<string, any>} [props] attributes; `on…` are listeners, `class`, `data` and `style` are understood
 * @param {...(Child | Child[])} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "style") for (const [key, v] of Object.entries(value)) element.style.setProperty(key, String(v));
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/** @param {Element} element @param {any[]} children */
export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** @param {Element} element @param {...any} children */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

let counter = 0;
/** A fresh id for aria attributes. @param {string} prefix */
export const freshId = (prefix) => `${prefix}-${++counter}`;

/** A link to media of this server, whatever name the page was opened under; null for media from elsewhere.
 * @param {string} url */
export function local(url) {
  try {
    const parsed = new URL(url, location.href);
    if (!["127.0.0.1", "localhost"].includes(parsed.hostname) || parsed.port !== location.port) return null;
    return parsed.pathname + parsed.search;
  } catch {
    return null;
  }
}

/** @param {number} bytes */
export function fileSize(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}
