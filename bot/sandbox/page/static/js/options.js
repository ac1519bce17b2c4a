/** Filling in a command: one pill an option, suggestions while one types, checks before it is sent. */
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

/** @typedef {{type: number, name: string, description: string, required?: boolean, choices?: any[], autocomplete?: boolean, min_value?: number, max_value?: number, min_length?: number, max_length?: number}} Option */
/** @typedef {{option: Option, element: HTMLElement, field: any, value: any, words: string, file: File | null}} Pill */

const INTEGER = 4, BOOLEAN = 5, USER = 6, CHANNEL = 7, ROLE = 8, MENTIONABLE = 9, NUMBER = 10, ATTACHMENT = 11;
const YES_NO = [{ name: "True", value: true }, { name: "False", value: false }];

export class OptionForm {
  /** @param {{command: any, path: string, options: Option[], store: any, popup: import("./popup.js").Popup, suggest: (option: string, text: string, filled: any) => Promise<any[]>, send: (values: Record<string, any>, files: Record<string, File>) => void, leave: () => void}} how */
  constructor(how) {
    this.how = how;
    /** @type {Pill[]} */
    this.pills = [];
    this.asked = 0;
    this.row = h("div", { class: "pills" });
    this.more = h("input", { class: "more", "aria-label": "Add an option", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", autocomplete: "off", spellcheck: "false" });
    this.problem = h("div", { class: "problem", role: "alert", hidden: true });
    this.element = h("div", { class: "command-form", role: "group", "aria-label": `Options of /${how.path}` }, h("span", { class: "command-title" }, `/${how.path}`), this.row, this.more);
    for (const option of how.options) if (option.required) this.add(option);
    this.more.addEventListener("focus", () => this.offer());
    this.more.addEventListener("input", () => this.offer());
    this.more.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.moreKey(event));
    this.more.addEventListener("blur", () => how.popup.hide());
    this.label();
  }

  /** Where to begin. */
  focus() {
    (this.pills[0]?.field ?? this.more).focus();
  }

  get rest() {
    return this.how.options.filter((option) => !this.pills.some((pill) => pill.option === option));
  }

  label() {
    this.more.hidden = this.rest.length === 0 && this.pills.length > 0;
    this.more.placeholder = this.rest.length ? `+${this.rest.length} more` : "press Enter";
  }

  /** @param {Option} option @returns {Pill} */
  add(option) {
    /** @type {Pill} */
    const pill = { option, element: h("label", { class: "pill" }), field: null, value: undefined, words: "", file: null };
    const what = `${option.name}: ${option.description}${option.required ? " (required)" : ""}`;
    if (option.type === ATTACHMENT) pill.field = h("input", { type: "file", "aria-label": what });
    else pill.field = h("input", { type: "text", inputmode: option.type === INTEGER ? "numeric" : option.type === NUMBER ? "decimal" : null, role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-label": what, autocomplete: "off", placeholder: "", size: 4, spellcheck: "false" });
    pill.field.dataset.option = option.name;
    pill.element.append(h("span", { class: "pill-name" }, option.name), pill.field);
    if (option.type === ATTACHMENT) this.dropping(pill);
    pill.field.addEventListener("input", () => this.typed(pill));
    pill.field.addEventListener("focus", () => this.help(pill));
    pill.field.addEventListener("blur", () => this.how.popup.hide());
    pill.field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.pillKey(pill, event));
    this.pills.push(pill);
    this.row.append(pill.element);
    this.label();
    return pill;
  }

  /** @param {Pill} pill */
  dropping(pill) {
    const name = h("span", { class: "pill-file" }, icon("image"), "Choose or drop a file");
    pill.element.classList.add("pill-attachment");
    pill.element.append(name);
    const take = (/** @type {File | undefined} */ file) => {
      pill.file = file ?? null;
      fill(name, icon("image"), file?.name ?? "Choose or drop a file");
    };
    pill.field.addEventListener("change", () => { take(pill.field.files[0]); pill.field.focus(); });
    pill.element.addEventListener("dragover", (event) => event.preventDefault());
    pill.element.addEventListener("drop", (event) => {
      event.preventDefault();
      event.stopPropagation();
      take(event.dataTransfer?.files[0]);
    });
  }

  /** A file that was dropped anywhere: into the first empty place for one. @param {File} file @returns {boolean} */
  drop(file) {
    const open = this.pills.find((pill) => pill.option.type === ATTACHMENT && !pill.file);
    const option = this.rest.find((one) => one.type === ATTACHMENT);
    const pill = open ?? (option ? this.add(option) : null);
    if (!pill) return false;
    pill.file = file;
    fill(/** @type {Element} */ (pill.element.querySelector(".pill-file")), icon("image"), file.name);
    return true;
  }

  /** @param {Pill} pill */
  typed(pill) {
    const text = pill.field.value;
    pill.value = undefined;
    pill.field.size = Math.max(4, Math.min(60, text.length + 1));
    pill.field.removeAttribute("aria-invalid");
    this.problem.hidden = true;
    this.help(pill);
  }

  /** Take a suggestion. @param {Pill} pill @param {{name: string, value?: any}} row */
  take(pill, row) {
    pill.field.value = row.name;
    pill.words = row.name;
    pill.value = row.value;
    pill.field.size = Math.max(4, Math.min(60, row.name.length + 1));
    pill.field.removeAttribute("aria-invalid");
    this.next(pill);
  }

  /** @param {Pill} pill */
  next(pill) {
    const open = this.pills.find((other) => other !== pill && other.option.required && !other.field.value && !other.file);
    (open?.field ?? (this.more.hidden ? pill.field : this.more)).focus();
  }

  /** What can be chosen without asking the bot; null when it is free text. @param {Option} option @returns {any[] | null} */
  fixed(option) {
    const { store } = this.how;
    const users = () => store.everybody.map((/** @type {any} */ u) => ({ name: `@${u.global_name}`, value: u.id, description: u.username }));
    const roles = () => (store.guild?.roles ?? []).map((/** @type {any} */ r) => ({ name: r.name, value: r.id }));
    if (option.choices?.length) return option.choices;
    const tables = /** @type {Record<number, () => any[]>} */ ({ [BOOLEAN]: () => YES_NO, [USER]: users, [ROLE]: roles, [MENTIONABLE]: () => [...users(), ...roles()], [CHANNEL]: () => store.channels.map((/** @type {any} */ c) => ({ name: `#${c.name}`, value: c.id })) });
    return tables[option.type]?.() ?? null;
  }

  /** Suggestions for what is typed so far. @param {Pill} pill */
  async help(pill) {
    const { option, field } = pill;
    const { popup } = this.how;
    const show = (/** @type {any[]} */ rows, /** @type {string} */ empty) => popup.show({ field, title: `${option.name} — ${option.description}`, rows, empty, pick: (row) => this.take(pill, row) });
    const text = pill.value === undefined ? field.value : "";
    const fixed = this.fixed(option);
    if (fixed) {
      show(fixed.filter((row) => String(row.name).toLowerCase().includes(text.toLowerCase().trim())), "Nothing here is called that.");
      return;
    }
    if (!option.autocomplete) {
      show([], this.hint(option));
      return;
    }
    const before = popup.isOpen && popup.field === field ? popup.rows : [];  // what no longer fits must not be taken by a quick Tab
    show(before.filter((row) => row.name.toLowerCase().includes(text.toLowerCase().trim())), "Asking Easel…");
    const number = ++this.asked;
    try {
      const rows = await this.how.suggest(option.name, text, this.values(pill));
      if (number !== this.asked || document.activeElement !== field) return;
      show(rows, "No suggestions; what you typed is used.");
    } catch {
      if (number === this.asked) show([], "Loading options failed.");
    }
  }

  /** @param {Option} option */
  hint(option) {
    const { min_value: least, max_value: most } = option;
    if (option.type === ATTACHMENT) return "Press Space to choose a file, or drop one.";
    if (option.type === INTEGER || option.type === NUMBER) {
      const kind = option.type === INTEGER ? "A whole number" : "A number";
      return least !== undefined && most !== undefined ? `${kind} from ${least} to ${most}` : `${kind}`;
    }
    return "Type, then press Enter to send or Tab to go on.";
  }

  /** The options that are not filled in yet. */
  offer() {
    const text = this.more.value.toLowerCase().trim();
    const rows = this.rest.filter((option) => option.name.includes(text)).map((option) => ({ name: option.name, description: option.description, value: option }));
    this.how.popup.show({ field: this.more, title: "Options", rows, active: text ? 0 : -1, pick: (row) => {
      this.more.value = "";
      this.add(row.value).field.focus();
    } });
  }

  /** @param {KeyboardEvent} event */
  moreKey(event) {
    const { popup } = this.how;
    const leaving = event.key === "Tab" && popup.active < 0;
    if (!leaving && popup.key(event)) return;
    if (event.key === "Enter") this.submit(event);
    else if (event.key === "Escape") this.how.leave();
    else if (event.key === "Backspace" && !this.more.value) {
      event.preventDefault();
      const last = this.pills.at(-1);
      if (last) last.field.focus();
      else this.how.leave();
    }
  }

  /** @param {Pill} pill @param {KeyboardEvent} event */
  pillKey(pill, event) {
    const { popup } = this.how;
    const row = popup.isOpen ? popup.rows[popup.active] : undefined;
    if (event.key === "Enter" && !event.isComposing && pill.option.autocomplete && row?.name === pill.field.value) {
      // the line that says what was typed is no choice to make: it is sent, as where nothing is suggested
      Object.assign(pill, { words: row.name, value: row.value });
      popup.hide();
      this.submit(event);
      return;
    }
    if (popup.key(event)) return;
    if (event.key === "Enter") this.submit(event);
    else if (event.key === "Escape") this.how.leave();
    else if (event.key === "Backspace" && !pill.field.value && !pill.file) this.back(pill, event);
  }

  /** Backspace in an empty pill: away with it, or with the whole command. @param {Pill} pill @param {KeyboardEvent} event */
  back(pill, event) {
    event.preventDefault();
    const at = this.pills.indexOf(pill);
    if (pill.option.required && at === 0) this.how.leave();
    else if (pill.option.required) this.pills[at - 1].field.focus();
    else {
      this.pills.splice(at, 1);
      pill.element.remove();
      this.label();
      (this.pills[at - 1]?.field ?? this.more).focus();
    }
  }

  /** One value as the bot gets it. @param {Pill} pill */
  valueOf(pill) {
    const text = pill.field.value;
    if (pill.option.type === ATTACHMENT || text === "") return undefined;
    if (pill.value !== undefined) return pill.value;
    const fixed = this.fixed(pill.option);
    if (fixed) return fixed.find((row) => String(row.name).toLowerCase() === text.toLowerCase().trim())?.value;
    if (pill.option.type === INTEGER || pill.option.type === NUMBER) return Number(text.replace(",", "."));
    return text;
  }

  /** @param {Pill} [without] @returns {Record<string, any>} */
  values(without) {
    const rows = this.pills.filter((pill) => pill !== without).map((pill) => [pill.option.name, this.valueOf(pill)]);
    return Object.fromEntries(rows.filter(([, value]) => value !== undefined && !Number.isNaN(value)));
  }

  /** What is wrong with a pill, as a sentence; empty when nothing is. @param {Pill} pill */
  fault(pill) {
    const { option } = pill;
    const value = this.valueOf(pill);
    const text = pill.field.value;
    if (option.type === ATTACHMENT) return option.required && !pill.file ? `${option.name}: choose a file.` : "";
    if (!text.trim()) return option.required ? `${option.name} is required.` : "";
    if (this.fixed(option)) return value === undefined ? `${option.name}: choose one from the list.` : "";
    if (typeof value === "number") {
      if (Number.isNaN(value) || (option.type === INTEGER && !Number.isInteger(value))) return `${option.name} must be ${option.type === INTEGER ? "a whole number" : "a number"}.`;
      if (value < (option.min_value ?? -Infinity) || value > (option.max_value ?? Infinity)) return `${option.name} must be from ${option.min_value ?? "…"} to ${option.max_value ?? "…"}.`;
    } else if (text.length > (option.max_length ?? 6000) || text.length < (option.min_length ?? 0)) return `${option.name} must have ${option.min_length ?? 0} to ${option.max_length ?? 6000} characters; it has ${text.length}.`;
    return "";
  }

  /** @param {Event} [event] */
  submit(event) {
    event?.preventDefault();
    this.how.popup.hide();
    for (const pill of this.pills) {
      const fault = this.fault(pill);
      if (!fault) continue;
      fill(this.problem, fault);
      this.problem.hidden = false;
      pill.field.setAttribute("aria-invalid", "true");
      pill.field.focus();
      return;
    }
    const files = Object.fromEntries(this.pills.filter((pill) => pill.file).map((pill) => [pill.option.name, /** @type {File} */ (pill.file)]));
    this.how.send(this.values(), files);
  }
}
