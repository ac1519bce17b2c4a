/** The message box: plain messages with files and replies, and the way to commands. */
import { byId, fill, h } from "./dom.js";
import { openEmoji } from "./emoji.js";
import { icon } from "./icons.js";
import { OptionForm } from "./options.js";
import { nameOf } from "./people.js";
import { Popup } from "./popup.js";

const SUBCOMMAND = 1, GROUP = 2;
const MOST_ROWS = 12;
const TYPING_MS = 8000;

/** A command's ways in: itself, or each of its subcommands. @param {any} command @returns {{path: string, description: string, options: any[], command: any}[]} */
export function paths(command) {
  const walk = (/** @type {any} */ level, /** @type {string[]} */ words) => {
    const inner = (level.options ?? []).filter((/** @type {any} */ o) => o.type === SUBCOMMAND || o.type === GROUP);
    if (!inner.length) return [{ path: words.join(" "), description: level.description, options: level.options ?? [], command }];
    return inner.flatMap((/** @type {any} */ next) => walk(next, [...words, next.name]));
  };
  return walk(command, [command.name]);
}

export class Composer {
  /** @param {{store: any, connection: import("./connection.js").Connection, run: (path: string, values: any, files: Record<string, File>) => void, say: (text: string, files: File[], replyTo: string | null) => Promise<boolean>}} how */
  constructor(how) {
    this.how = how;
    this.popup = new Popup();
    /** @type {OptionForm | null} */
    this.form = null;
    /** @type {any} */
    this.reply = null;
    /** @type {File[]} */
    this.files = [];
    this.typedAt = 0;
    this.field = h("textarea", { id: "message-box", rows: 1, role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-label": "Message", autocomplete: "off", maxlength: 2000 });
    this.above = h("div", { class: "above" });
    this.slot = h("div", { class: "slot" });
    this.picker = h("input", { type: "file", multiple: true, hidden: true, tabindex: -1, "aria-hidden": "true" });
    this.attach = h("button", { class: "round small", type: "button", "aria-label": "Attach files", title: "Attach files", onclick: () => this.picker.click() }, icon("plus"));
    this.smile = h("button", { class: "round small", type: "button", "aria-label": "Insert an emoji", title: "Emoji", onclick: () => openEmoji(this.smile, (sign) => this.insert(sign)) }, icon("smile"));
    this.send = h("button", { class: "round small send", type: "button", "aria-label": "Send", title: "Send", onclick: () => this.go() }, icon("send"));
    this.element = h("div", { class: "box" }, this.attach, this.slot, this.smile, this.send, this.picker);
    byId("composer").append(this.popup.element, this.above, this.element);
    this.field.addEventListener("input", () => this.typed());
    this.field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event));
    this.field.addEventListener("blur", () => this.popup.hide());
    this.field.addEventListener("paste", (/** @type {ClipboardEvent} */ event) => this.take([...(event.clipboardData?.files ?? [])]));
    this.picker.addEventListener("change", () => { this.take([...this.picker.files]); this.picker.value = ""; });
    this.plain();
  }

  /** Back to writing messages. */
  plain() {
    this.form = null;
    this.popup.hide();
    fill(this.slot, this.field);
    this.element.classList.remove("commanding");
    this.drawAbove();
  }

  /** Another channel or person. */
  reset() {
    this.reply = null;
    this.files = [];
    this.field.value = "";
    this.plain();
    const { store } = this.how;
    const channel = store.current;
    const name = channel?.type === 1 ? `@${nameOf(channel.recipients[0])}` : `#${channel?.name}`;
    const room = matchMedia("(min-width: 901px)").matches;
    this.field.placeholder = room ? `Message ${name}, or / for commands` : `Message ${name} or type /`;
    this.grow();
  }

  grow() {
    this.field.style.setProperty("height", "auto");
    this.field.style.setProperty("height", `${Math.min(180, this.field.scrollHeight)}px`);
  }

  /** @param {string} text */
  insert(text) {
    this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, "end");
    this.field.focus();
    this.typed();
  }

  typed() {
    this.grow();
    const text = this.field.value;
    if (text.startsWith("/") && !text.includes("\n")) this.offer(text.slice(1).toLowerCase());
    else {
      this.popup.hide();
      if (text && Date.now() - this.typedAt > TYPING_MS) {
        this.typedAt = Date.now();
        this.how.connection.call("typing", { channel: this.how.store.channelId }).catch(() => {});
      }
    }
  }

  /** Commands that begin so, then those that contain it. @param {string} text */
  offer(text) {
    const all = this.how.store.commands.filter((/** @type {any} */ c) => c.type === 1).flatMap(paths);
    const wanted = text.trim();
    const rank = (/** @type {any} */ way) => (way.path.startsWith(wanted) ? 0 : way.path.includes(wanted) ? 1 : 2);
    const rows = all.filter((way) => rank(way) < 2).sort((a, b) => rank(a) - rank(b) || a.path.localeCompare(b.path)).slice(0, MOST_ROWS * 4);
    this.popup.show({ field: this.field, title: wanted ? `Commands matching /${wanted}` : "Easel's commands", empty: "There is no such command here.",
      rows: rows.map((way) => ({ name: `/${way.path}`, description: way.description, side: "Easel", icon: h("span", { class: "command-icon" }, icon("slash")), value: way })), pick: (row) => this.begin(row.value) });
  }

  /** Fill in a command. @param {{path: string, options: any[], command: any}} way */
  begin(way) {
    const { connection, store } = this.how;
    const channel = store.channelId;
    this.field.value = "";
    this.form = new OptionForm({ command: way.command, path: way.path, options: way.options, store, popup: this.popup,
      suggest: (option, text, options) => connection.call("autocomplete", { command: way.path, channel, option, text, options }),
      send: (values, files) => { this.plain(); this.field.focus(); this.how.run(way.path, values, files); },
      leave: () => { this.plain(); this.grow(); this.field.focus(); } });
    fill(this.slot, this.form.element);
    this.element.classList.add("commanding");
    this.drawAbove();
    this.form.focus();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (this.popup.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.go();
    } else if (event.key === "Escape" && (this.reply || this.files.length)) {
      this.reply = null;
      this.files = [];
      this.drawAbove();
    } else if (event.key === "ArrowUp" && !this.field.value) {
      event.preventDefault();
      byId("log").focus();
    }
  }

  async go() {
    if (this.form) {
      this.form.submit();
      return;
    }
    const text = this.field.value;
    if (!text.trim() && !this.files.length) return;
    const { files, reply } = this;
    this.reset();
    this.field.focus();
    if (!(await this.how.say(text, files, reply?.id ?? null)) && !this.field.value) this.field.value = text;
  }

  /** Files to send with the message, or into a command's option. @param {File[]} files */
  take(files) {
    if (!files.length) return;
    if (this.form) this.form.drop(files[0]);
    else this.files = [...this.files, ...files].slice(0, 10);
    this.drawAbove();
  }

  /** @param {any} message */
  answer(message) {
    this.plain();
    this.reply = message;
    this.drawAbove();
    this.field.focus();
  }

  drawAbove() {
    const drop = (/** @type {() => void} */ act, /** @type {string} */ label) => h("button", { class: "round tiny", type: "button", "aria-label": label, onclick: () => { act(); this.drawAbove(); this.field.focus(); } }, icon("close"));
    fill(this.above, this.form?.problem ?? null,
      this.reply && !this.form ? h("div", { class: "replying" }, h("span", {}, "Replying to ", h("b", {}, nameOf(this.reply.author))), drop(() => { this.reply = null; }, "Do not reply")) : null,
      this.files.length && !this.form ? h("div", { class: "attached" }, this.files.map((file, index) => h("span", { class: "attached-file" }, icon("file"), file.name, drop(() => { this.files = this.files.filter((_, other) => other !== index); }, `Remove ${file.name}`)))) : null);
  }
}
