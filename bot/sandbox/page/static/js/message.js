/** One message as an element. */
import { draw } from "./components.js";
import { h } from "./dom.js";
import { embed } from "./embeds.js";
import { icon } from "./icons.js";
import { inline, markdown } from "./markdown.js";
import { attachments } from "./media.js";
import { appTag, avatar, hueOf, nameOf } from "./people.js";
import { EPHEMERAL, LOADING } from "./store.js";
import { sentAt } from "./times.js";

/** @typedef {{
 *   store: any, world: import("./markdown.js").World, press: (message: any, component: any, values?: string[]) => Promise<void>,
 *   react: (message: any, emoji: string, mine: boolean) => void, addReaction: (message: any, anchor: HTMLElement) => void,
 *   menu: (message: any, anchor: HTMLElement | {x: number, y: number}) => void, reply: (message: any) => void,
 *   dismiss: (message: any) => void, jump: (id: string) => void, error: (message: any) => string | undefined }} Hands */

/** Names of slash commands have no capitals, by Discord's rule; ours in the menus of messages begin with one. @param {string} name */
const commandName = (name) => (name === name.toLowerCase() ? `/${name}` : name);

/** The line above an answer: who used which command, or what is replied to. @param {any} message @param {Hands} hands */
function cause(message, hands) {
  const used = message.interaction;
  if (used) return h("div", { class: "cause" }, h("span", { class: "spine" }), avatar(used.user), h("b", { style: { "--hue": hueOf(used.user) }, class: "name" }, nameOf(used.user)), " used ", h("span", { class: "command-name" }, commandName(used.name)));
  if (!message.message_reference) return null;
  const original = message.referenced_message;
  if (!original) return h("div", { class: "cause" }, h("span", { class: "spine" }), h("em", {}, "The original message was deleted"));
  const words = original.content ? inline(original.content.slice(0, 120), hands.world) : h("em", {}, "Press to see what this answers");
  return h("div", { class: "cause" }, h("span", { class: "spine" }), avatar(original.author), h("b", { style: { "--hue": hueOf(original.author) }, class: "name" }, nameOf(original.author)),
    h("button", { class: "cause-jump", type: "button", onclick: () => hands.jump(original.id) }, words));
}

/** @param {any} message @param {Hands} hands */
function reactions(message, hands) {
  const rows = message.reactions ?? [];
  if (!rows.length) return null;
  return h("div", { class: "reactions", "aria-label": "Reactions" },
    rows.map((/** @type {any} */ row) => h("button", { class: "reaction", type: "button", "aria-pressed": String(row.me), "aria-label": `${row.emoji.name}, ${row.count} ${row.count === 1 ? "reaction" : "reactions"}`,
      data: { emoji: row.emoji.name }, onclick: () => hands.react(message, row.emoji.id ? `${row.emoji.name}:${row.emoji.id}` : row.emoji.name, row.me) }, h("span", { class: "reaction-sign" }, row.emoji.name), h("span", { class: "reaction-count" }, String(row.count)))),
    h("button", { class: "reaction add", type: "button", "aria-label": "Add a reaction", onclick: (/** @type {any} */ event) => hands.addReaction(message, event.currentTarget) }, icon("smile")));
}

/** What one can do with it; shown on hover and focus. @param {any} message @param {Hands} hands */
function tools(message, hands) {
  const tool = (/** @type {string} */ name, /** @type {string} */ label, /** @type {(anchor: HTMLElement) => void} */ act, /** @type {any} */ extra = {}) =>
    h("button", { class: "tool", type: "button", "aria-label": label, title: label, onclick: (/** @type {any} */ event) => act(event.currentTarget), ...extra }, icon(name));
  const personal = message.flags & EPHEMERAL;
  return h("div", { class: "tools", role: "toolbar", "aria-label": "Message actions" },
    personal ? null : tool("smile", "Add a reaction", (anchor) => hands.addReaction(message, anchor)),
    personal ? null : tool("reply", "Reply", () => hands.reply(message)),
    tool("dots", "More and apps", (anchor) => hands.menu(message, anchor), { "aria-haspopup": "menu" }));
}

/** @param {any} message @param {Hands} hands */
function body(message, hands) {
  if (message.flags & LOADING) {
    return h("div", { class: "thinking", role: "status" }, h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), `${nameOf(message.author)} is thinking…`);
  }
  const stage = { store: hands.store, world: hands.world, press: (/** @type {any} */ component, /** @type {string[] | undefined} */ values) => hands.press(message, component, values) };
  const edited = message.edited_timestamp ? h("small", { class: "edited", title: new Date(message.edited_timestamp).toLocaleString() }, "(edited)") : null;
  return [
    message.content ? h("div", { class: "prose content" }, markdown(message.content, hands.world), edited) : null,
    ...attachments(message),
    ...message.embeds.map((/** @type {any} */ one) => embed(one, hands.world)),
    message.components.length ? h("div", { class: "components" }, draw(message.components, stage)) : null,
  ];
}

/** @param {any} message @param {{grouped: boolean, hands: Hands}} how */
export function messageElement(message, { grouped, hands }) {
  const { author } = message;
  const mentioned = message.mentions.some((/** @type {any} */ user) => user.id === hands.store.me.id) || message.mention_everyone;
  const personal = message.flags & EPHEMERAL;
  const error = hands.error(message);
  const classes = ["message", grouped && "grouped", mentioned && "mentioned", personal && "personal", message.flags & LOADING && "loading"].filter(Boolean).join(" ");
  const element = h("article", { class: classes, id: `m${message.id}`, tabindex: -1, "aria-label": `${nameOf(author)}, ${new Date(message.timestamp).toLocaleTimeString()}`, data: { id: message.id } },
    grouped ? null : cause(message, hands),
    h("div", { class: "message-row" },
      grouped ? h("span", { class: "gutter" }, h("time", { datetime: message.timestamp }, new Date(message.timestamp).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }))) : avatar(author),
      h("div", { class: "message-main" },
        grouped ? null : h("header", { class: "byline" }, h("span", { class: "name", style: { "--hue": hueOf(author) } }, nameOf(author)), author.bot ? appTag() : null, sentAt(message.timestamp)),
        body(message, hands),
        reactions(message, hands),
        error ? h("div", { class: "failed", role: "alert" }, icon("warning"), error) : null,
        personal ? h("div", { class: "only-you" }, icon("eye"), "Only you can see this • ", h("button", { class: "as-link", type: "button", onclick: () => hands.dismiss(message) }, "Dismiss message")) : null)),
    message.local ? null : tools(message, hands));
  element.addEventListener("contextmenu", (/** @type {MouseEvent} */ event) => {
    if (message.local || /** @type {Element} */ (event.target).closest("a, input")) return;
    event.preventDefault();
    const anchor = event.clientX || event.clientY ? { x: event.clientX, y: event.clientY } : element;
    hands.menu(message, anchor);
  });
  return element;
}
