/** Channels, conversations, who one is: the left side. */
import { byId, fill, h } from "./dom.js";
import { icon, mark } from "./icons.js";
import { openMenu } from "./menu.js";
import { avatar, nameOf } from "./people.js";

/** @typedef {{store: any, open: (id: string) => void, dm: () => void, become: (id: string) => void, acceptDms: (accepted: boolean) => void}} How */

/** @param {any} channel @param {How} how */
function place(channel, { store, open }) {
  const unread = store.view.unread[channel.id] ?? { unread: 0, mentions: 0 };
  const direct = channel.type === 1;
  const here = channel.id === store.channelId;
  const name = direct ? nameOf(channel.recipients[0]) : channel.name;
  const count = direct ? unread.unread : unread.mentions;
  const news = !here && unread.unread > 0;
  return h("li", {}, h("button", { class: `place${here ? " here" : ""}${news ? " news" : ""}`, type: "button", "aria-current": here ? "page" : null, data: { channel: direct ? "dm" : channel.name },
    "aria-label": `${direct ? "Conversation with " : ""}${name}${news ? `, ${unread.unread} unread` : ""}`, onclick: () => open(channel.id) },
  direct ? avatar(store.user(channel.recipients[0].id) ?? channel.recipients[0], { online: store.view.bot.online }) : icon(channel.nsfw ? "warning" : "hash"), h("span", { class: "place-name" }, name),
  count && !here ? h("span", { class: "badge" }, String(count)) : null));
}

/** @param {How} how */
export function drawSidebar(how) {
  const { store } = how;
  const direct = store.view.dms;
  fill(byId("sidebar"),
    store.view.guilds.map((/** @type {any} */ guild) => [
      h("div", { class: "server" }, h("span", { class: "server-mark" }, mark()), h("h1", {}, guild.name)),
      h("h2", { class: "group-title" }, "Channels"),
      h("ul", { class: "places" }, guild.channels.map((/** @type {any} */ channel) => place(channel, how)))]),
    h("h2", { class: "group-title" }, "Direct messages"),
    h("ul", { class: "places" }, direct.length ? direct.map((/** @type {any} */ channel) => place(channel, how))
      : h("li", {}, h("button", { class: "place", type: "button", data: { channel: "dm" }, onclick: how.dm }, avatar(store.view.bot, { online: store.view.bot.online }), h("span", { class: "place-name" }, nameOf(store.view.bot))))),
    h("div", { class: "self" }, h("button", { class: "self-button", type: "button", "aria-haspopup": "menu", id: "self", "aria-label": `You are ${nameOf(store.me)}. Be somebody else`, onclick: (/** @type {any} */ event) => chooseSelf(event.currentTarget, how) },
      avatar(store.me, { online: true }), h("span", { class: "self-words" }, h("b", {}, nameOf(store.me)), h("small", {}, "Switch person")), icon("chevron"))));
}

/** @param {HTMLElement} anchor @param {How} how */
function chooseSelf(anchor, { store, become, acceptDms }) {
  openMenu([{ heading: "Be" }, ...store.view.people.map((/** @type {any} */ user) => ({ label: nameOf(user), icon: avatar(user), checked: user.id === store.me.id, pick: () => become(user.id) })),
    { heading: "Privacy" }, { label: store.accepts ? "Refuse direct messages from Easel" : "Accept direct messages from Easel", icon: icon("eye"), pick: () => acceptDms(!store.accepts) }], anchor, "Who you are");
}
