/** Moments in words, and `<t:…>` stamps that stay true while one looks at them. */
import { h } from "./dom.js";

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};

/** @param {Date} moment */
export function fromNow(moment) {
  const seconds = (moment.getTime() - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return relative.format(Math.trunc(seconds / length), unit);
}

/** `<t:seconds:style>` @param {string} seconds @param {string} [style] */
export function stamp(seconds, style = "f") {
  const moment = new Date(Number(seconds) * 1000);
  if (Number.isNaN(moment.getTime())) return h("span", {}, "Invalid date");
  const full = new Intl.DateTimeFormat(undefined, STYLES.F).format(moment);
  const text = style === "R" ? fromNow(moment) : new Intl.DateTimeFormat(undefined, STYLES[style] ?? STYLES.f).format(moment);
  return h("time", { class: "stamp", datetime: moment.toISOString(), title: full, data: style === "R" ? { live: "" } : {} }, text);
}

/** The time beside a name. @param {string} iso */
export function sentAt(iso) {
  const moment = new Date(iso);
  const today = new Date();
  const yesterday = new Date(today.getTime() - 86400000);
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(moment);
  let text = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "short" }).format(moment);
  if (moment.toDateString() === today.toDateString()) text = clock;
  else if (moment.toDateString() === yesterday.toDateString()) text = `Yesterday at ${clock}`;
  return h("time", { datetime: iso, title: moment.toLocaleString() }, text);
}

/** @param {string} iso */
export const dayOf = (iso) => new Intl.DateTimeFormat(undefined, { dateStyle: "long" }).format(new Date(iso));

/** Keep relative stamps true. */
export function keepStampsTrue() {
  setInterval(() => {
    for (const element of document.querySelectorAll("time[data-live]")) {
      const text = fromNow(new Date(/** @type {HTMLTimeElement} */ (element).dateTime));
      if (element.textContent !== text) element.textContent = text;
    }
  }, 1000);
}
