/** What stands around the conversation: its head, the members, who is typing, and the drawers of a small screen. */
import { byId, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { appTag, avatar, hueOf, nameOf } from "./people.js";

const TYPING_MS = 9000;

/** @param {"" | "sidebar" | "members"} which */
export function openDrawer(which) {
  const app = byId("app");
  app.dataset.drawer = which;
  byId("scrim").hidden = !which;
  if (which) byId(which).querySelector("button")?.focus();
}

/** @param {any} store */
export function drawHeader(store) {
  const channel = store.current;
  if (!channel) return;
  const direct = channel.type === 1;
  const name = direct ? nameOf(channel.recipients[0]) : channel.name;
  const toggle = () => {
    if (matchMedia("(max-width: 900px)").matches) openDrawer("members");
    else byId("app").classList.toggle("without-members");
  };
  fill(byId("header"),
    h("button", { class: "round small only-narrow", type: "button", "aria-label": "Channels", onclick: () => openDrawer("sidebar") }, icon("menu")),
    direct ? avatar(channel.recipients[0], { online: store.view.bot.online }) : icon("hash"), h("h2", {}, name), channel.topic ? h("span", { class: "topic" }, channel.topic) : null, h("span", { class: "grow" }),
    store.view.bot.online ? null : h("span", { class: "waiting", role: "status" }, "Easel is starting…"),
    direct ? null : h("button", { class: "round small", type: "button", "aria-label": "Members", title: "Members", onclick: toggle }, icon("people")));
  document.title = `${direct ? "@" : "#"}${name} · ${store.view.guilds[0]?.name ?? "Easel"}`;
}

/** @param {any} store @param {(user: any, command: string) => void} useCommand @param {() => void} dm */
export function drawMembers(store, useCommand, dm) {
  const { guild } = store;
  byId("app").classList.toggle("direct", !guild);
  if (!guild) return;
  const row = (/** @type {any} */ user) => h("li", {}, h("button", { class: "member", type: "button", "aria-haspopup": "menu", onclick: (/** @type {any} */ event) => menu(user, event.currentTarget) },
    avatar(user, { online: user.bot ? store.view.bot.online : true }), h("span", { class: "name", style: { "--hue": hueOf(user) } }, nameOf(user)), user.bot ? appTag() : null));
  const menu = (/** @type {any} */ user, /** @type {HTMLElement} */ anchor) => {
    const apps = store.commands.filter((/** @type {any} */ c) => c.type === 2).map((/** @type {any} */ c) => ({ label: c.name, icon: icon("brush"), pick: () => useCommand(user, c.name) }));
    openMenu([...(user.bot ? [{ label: "Message", icon: icon("reply"), pick: dm }] : []), ...(apps.length ? [{ heading: "Apps" }, ...apps] : []),
      { label: "Copy user ID", icon: icon("copy"), pick: () => void navigator.clipboard?.writeText(user.id) }], anchor, nameOf(user));
  };
  const users = guild.members.map((/** @type {any} */ member) => member.user);
  const groups = [["Apps", users.filter((/** @type {any} */ u) => u.bot)], ["People", users.filter((/** @type {any} */ u) => !u.bot)]];
  fill(byId("members"), groups.map(([title, list]) => [h("h2", { class: "group-title" }, `${title} — ${list.length}`), h("ul", { class: "places" }, list.map(row))]));
}

/** Says who is typing, for as long as they do. @param {any} store */
export function watchTyping(store) {
  /** @type {Map<string, number>} */
  const timers = new Map();
  const draw = () => {
    const names = [...timers.keys()].map((id) => nameOf(store.user(id)));
    fill(byId("typing"), names.length ? [h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), h("b", {}, names.join(", ")), names.length > 1 ? " are typing…" : " is typing…"] : null);
  };
  const stop = (/** @type {string} */ id) => {
    clearTimeout(timers.get(id));
    if (timers.delete(id)) draw();
  };
  store.on("typing", (/** @type {any} */ event) => {
    if (event.channel_id !== store.channelId || event.user_id === store.me.id) return;
    clearTimeout(timers.get(event.user_id));
    timers.set(event.user_id, setTimeout(() => stop(event.user_id), TYPING_MS));
    draw();
  });
  store.on("message", (/** @type {any} */ message) => stop(message.author.id));
  store.on("channel", () => [...timers.keys()].forEach(stop));
}
