/** The list of messages of a channel: order, grouping, scrolling, and moving through it with the arrow keys. */
import { byId, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { messageElement } from "./message.js";
import { dayOf } from "./times.js";

const GROUP_MS = 7 * 60 * 1000;
const NEAR_END = 120;

export class Log {
  /** @param {import("./message.js").Hands} hands @param {(before: string) => Promise<any[]>} older */
  constructor(hands, older) {
    this.hands = hands;
    this.older = older;
    this.element = byId("log");
    this.list = h("div", { class: "log-list" });
    this.stuck = true;
    this.reading = false;
    this.element.append(this.list);
    new ResizeObserver(() => this.stick()).observe(this.list);
    new ResizeObserver(() => this.stick()).observe(this.element);
    this.element.addEventListener("scroll", () => this.scrolled());
    this.element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event));
  }

  /** Everything anew: another channel, another person. */
  drawAll() {
    const { store } = this.hands;
    const channel = store.current;
    fill(this.list, channel ? this.opening(channel) : null);
    this.stuck = true;
    store.messages().forEach((/** @type {any} */ _, /** @type {number} */ index) => this.list.append(...this.elements(index)));
    this.stick();
  }

  /** @param {any} channel */
  opening(channel) {
    const direct = channel.type === 1;
    const words = direct ? "Pictures you ask for with ✉️ come here. Type /gallery to page through what you made." : channel.topic ?? `This is the beginning of #${channel.name}.`;
    return h("div", { class: "opening" }, h("div", { class: "opening-icon" }, icon(direct ? "brush" : "hash")), h("h2", {}, direct ? channel.recipients[0]?.global_name : `Welcome to #${channel.name}`), h("p", {}, words));
  }

  /** A message, and the line of a new day above it. @param {number} index */
  elements(index) {
    const messages = this.hands.store.messages();
    const message = messages[index];
    const before = messages[index - 1];
    const newDay = !before || dayOf(before.timestamp) !== dayOf(message.timestamp);
    const day = newDay ? h("div", { class: "day", role: "separator", data: { day: message.id } }, h("span", {}, dayOf(message.timestamp))) : null;
    const grouped = !newDay && this.follows(before, message);
    return [day, messageElement(message, { grouped, hands: this.hands })].filter(Boolean);
  }

  /** Whether a message belongs under the name of the one before. @param {any} before @param {any} message */
  follows(before, message) {
    const close = new Date(message.timestamp).getTime() - new Date(before.timestamp).getTime() < GROUP_MS;
    const answers = message.interaction || message.message_reference;
    return close && !answers && before.author.id === message.author.id && (before.flags & 64) === (message.flags & 64);
  }

  /** A message is new or has changed. @param {any} message */
  put(message) {
    const { store } = this.hands;
    if (message.channel_id !== store.channelId) return;
    const index = store.messages().indexOf(message);
    this.drop(message.id, (old) => old.replaceWith(...this.kept(old, this.elements(index)))) || this.place(index);
    this.regroup(index + 1);
    this.stick();
  }

  /** @param {number} index */
  place(index) {
    const next = this.hands.store.messages()[index + 1];
    const anchor = next ? this.list.querySelector(`[data-day="${next.id}"]`) ?? byId(`m${next.id}`) : null;
    for (const element of this.elements(index)) this.list.insertBefore(element, anchor);
  }

  /** Keep what was loaded and focused when an element is drawn anew, so that nothing flickers or loses its place.
   * @param {HTMLElement} old @param {any[]} fresh */
  kept(old, fresh) {
    const element = fresh[fresh.length - 1];
    for (const image of element.querySelectorAll("img[data-path]")) {
      const same = old.querySelector(`img[data-path="${CSS.escape(image.dataset.path)}"]`);
      if (same) image.replaceWith(same);
    }
    const active = /** @type {HTMLElement | null} */ (document.activeElement);
    if (active && old.contains(active)) {
      const cid = active.dataset.cid;
      const goal = cid ? element.querySelector(`[data-cid="${CSS.escape(cid)}"]`) : element;
      queueMicrotask(() => (goal ?? element).focus({ preventScroll: true }));
    }
    return fresh;
  }

  /** Take the element of a message away (or do something else with it). @param {string} id @param {(old: HTMLElement) => void} [act] */
  drop(id, act = (old) => old.remove()) {
    const old = byId(`m${id}`);
    this.list.querySelector(`[data-day="${id}"]`)?.remove();
    if (!old) return false;
    act(old);
    return true;
  }

  /** @param {any} event */
  remove(event) {
    if (event.channel_id !== this.hands.store.channelId) return;
    const next = byId(`m${event.message_id}`)?.nextElementSibling;
    const held = byId(`m${event.message_id}`)?.contains(document.activeElement);
    this.drop(event.message_id);
    if (held) this.element.focus({ preventScroll: true });
    const index = this.hands.store.messages().findIndex((/** @type {any} */ m) => m.id === /** @type {HTMLElement} */ (next)?.dataset?.id);
    if (index >= 0) this.regroup(index);
  }

  /** Draw a message again when what stands above it decides how it looks. @param {number} index */
  regroup(index) {
    const message = this.hands.store.messages()[index];
    const old = message && byId(`m${message.id}`);
    if (!old) return;
    const before = this.hands.store.messages()[index - 1];
    const grouped = before && dayOf(before.timestamp) === dayOf(message.timestamp) && this.follows(before, message);
    if (old.classList.contains("grouped") !== Boolean(grouped)) this.drop(message.id, (e) => e.replaceWith(...this.kept(e, this.elements(index))));
  }

  stick() {
    if (this.stuck) this.element.scrollTop = this.element.scrollHeight;
  }

  async scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    this.stuck = scrollHeight - scrollTop - clientHeight < NEAR_END;
    const first = this.hands.store.messages()[0];
    if (scrollTop > 200 || this.reading || !first || this.hands.store.messages().length < 50) return;
    this.reading = true;
    const found = await this.older(first.id);
    if (found.length) {
      this.hands.store.messages().unshift(...found);
      const height = this.element.scrollHeight;
      this.drawAll();
      this.stuck = false;
      this.element.scrollTop = this.element.scrollHeight - height;
      this.reading = false;
    }
  }

  /** @param {string} id */
  jump(id) {
    const element = byId(`m${id}`);
    element?.scrollIntoView({ block: "center" });
    element?.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target !== this.element && !target.classList.contains("message")) return;
    const rows = [...this.list.querySelectorAll(".message")];
    const at = rows.indexOf(target);
    const goal = /** @type {Record<string, number>} */ ({ ArrowUp: at < 0 ? rows.length - 1 : at - 1, ArrowDown: at < 0 ? rows.length - 1 : at + 1, Home: 0, End: rows.length - 1 })[event.key];
    if (goal === undefined || !rows[goal]) return;
    event.preventDefault();
    rows[goal].focus();
    rows[goal].scrollIntoView({ block: "nearest" });
  }
}
