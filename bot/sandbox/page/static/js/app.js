/** Puts the page together: the connection feeds the store, the store's news redraw the parts, hands go back as deeds. */
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { byId } from "./dom.js";
import { openEmoji } from "./emoji.js";
import { drawHeader, drawMembers, openDrawer, watchTyping } from "./frame.js";
import { showHint } from "./hint.js";
import { Log } from "./log.js";
import { messageMenu } from "./message_menu.js";
import { openModal } from "./modal.js";
import { Pending } from "./pending.js";
import { drawSidebar } from "./sidebar.js";
import { Store } from "./store.js";
import { keepStampsTrue } from "./times.js";
import { saying, toast } from "./toast.js";

const PERSON = "easel-person";
const store = new Store();
const connection = new Connection({ view: (hello) => store.take(hello), event: (event) => store.happen(event), state: online });
/** What went wrong with the parts of a message, by its id. @type {Map<string, string>} */
const errors = new Map();
const pending = new Pending(store);
/** A conversation that was just begun: the answer may come before the news of it. */
let awaited = "";

const world = { user: (/** @type {string} */ id) => store.user(id), channel: (/** @type {string} */ id) => store.channel(id), open, jump };

/** @param {boolean} isOnline */
function online(isOnline) {
  byId("app").dataset.state = isOnline ? "ready" : "offline";
  const bar = byId("offline");
  bar.hidden = isOnline;
  bar.textContent = isOnline ? "" : "Easel has stopped; start it again. This page comes back by itself.";
}

/** @param {string} id */
function open(id) {
  openDrawer("");
  awaited = store.channel(id) ? "" : id;
  if (awaited) return;
  store.choose(id);
  if (matchMedia("(pointer: fine)").matches) composer.field.focus();
}

/** @param {string} channel @param {string} message */
function jump(channel, message) {
  open(channel);
  if (store.message(message)) log.jump(message);
  else toast("That message is not here any more.");
}

async function openDm() {
  const id = await saying(connection.call("open_dm"));
  if (id) open(id);
}

/** Do an interaction; open the form it may bring. Returns what went wrong, if anything did. @param {Promise<any>} doing @returns {Promise<string | undefined>} */
async function interact(doing) {
  try {
    const done = await doing;
    if (done.state === "failed") return done.error || "This interaction failed";
    if (done.state === "modal") form(done.id, done.modal);
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}

/** @param {string} interaction @param {any} modal */
function form(interaction, modal) {
  const channel = store.channelId;
  openModal(modal, { store, world, submit: async (values) => {
    try {
      for (const [name, value] of Object.entries(values)) {
        if (Array.isArray(value) && value[0] instanceof File) values[name] = await Promise.all(value.map((file) => connection.upload(file, channel)));
      }
    } catch (error) {
      return /** @type {Error} */ (error).message;
    }
    return interact(connection.call("submit", { interaction, values }));
  } });
}

/** @param {string} path @param {Record<string, any>} values @param {Record<string, File>} files */
async function run(path, values, files) {
  const channel = store.channelId;
  putHintAway();
  const waiting = pending.begin(path, channel);
  let error;
  try {
    for (const [name, file] of Object.entries(files)) values[name] = await connection.upload(file, channel);
    error = await interact(connection.call("slash", { command: path, channel, options: values }));
  } catch (problem) {
    error = /** @type {Error} */ (problem).message;
  }
  pending.end(waiting, error);
}

/** @param {string} text @param {File[]} files @param {string | null} replyTo */
async function say(text, files, replyTo) {
  const channel = store.channelId;
  try {
    const ids = await Promise.all(files.map((file) => connection.upload(file, channel)));
    await connection.call("say", { channel, text, files: ids, reply_to: replyTo });
    return true;
  } catch (error) {
    toast(/** @type {Error} */ (error).message);
    return false;
  }
}

/** @param {any} message @param {any} component @param {string[]} [values] */
async function press(message, component, values) {
  const asked = values ? connection.call("select", { message: message.id, custom_id: component.custom_id, values }) : connection.call("click", { message: message.id, custom_id: component.custom_id });
  const error = await interact(asked);
  const had = errors.delete(message.id);
  if (error) errors.set(message.id, error === "The application did not respond" ? "This interaction failed" : error);
  const now = store.message(message.id);
  if (now && (error || had)) log.put(now);
}

/** @type {import("./message.js").Hands} */
const hands = {
  store, world, press,
  react: (message, emoji, mine) => saying(connection.call(mine ? "unreact" : "react", { message: message.id, emoji })),
  addReaction: (message, anchor) => openEmoji(anchor, (emoji) => saying(connection.call("react", { message: message.id, emoji }))),
  menu: (message, anchor) => messageMenu(message, anchor, { store, connection, interact, hands }),
  reply: (message) => composer.answer(message),
  dismiss: (message) => (message.local ? pending.forget(message) : saying(connection.call("dismiss", { message: message.id }))),
  jump: (id) => log.jump(id),
  error: (message) => errors.get(message.id) ?? message.error,
};
const log = new Log(hands, async (before) => (await saying(connection.call("history", { channel: store.channelId, before }))) ?? []);
const composer = new Composer({ store, connection, run, say });

const sidebar = () => drawSidebar({ store, open, dm: openDm, become, acceptDms: async (accepted) => {
  await saying(connection.call("accept_dms", { accepted }));
  store.accepts = accepted;
} });
const members = () => drawMembers(store, async (user, command) => {
  const error = await interact(connection.call("user_menu", { user: user.id, command, channel: store.channelId }));
  if (error) toast(error);
}, openDm);

/** @param {string} id */
function become(id) {
  sessionStorage.setItem(PERSON, id);
  errors.clear();
  connection.open(id);
}

async function learnCommands() {
  const channel = store.channelId;
  const found = await connection.call("commands", { channel }).catch(() => []);
  if (channel !== store.channelId) return;
  store.commands = found;
  byId("app").dataset.commands = String(found.length);
  members();
}

const read = () => { if (document.visibilityState === "visible" && store.view) connection.call("read", { channel: store.channelId }).catch(() => {}); };

function channel() {
  drawHeader(store);
  sidebar();
  members();
  log.drawAll();
  composer.reset();
  learnCommands();
  read();
}

store.on("view", () => {
  const draft = composer.form ? null : composer.field.value;
  channel();
  if (draft) composer.field.value = draft;
});
store.on("channel", channel);
store.on("commands", learnCommands);
store.on("message", (message) => {
  log.put(message);
  if (message.channel_id === store.channelId) read();
});
store.on("gone", (event) => log.remove(event));
store.on("unread", sidebar);
store.on("places", () => {
  sidebar();
  if (awaited && store.channel(awaited)) open(awaited);
});
store.on("bot", () => { drawHeader(store); sidebar(); members(); });
watchTyping(store);
keepStampsTrue();

document.addEventListener("visibilitychange", read);
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  composer.take([...(event.dataTransfer?.files ?? [])]);
});
document.addEventListener("keydown", (event) => {
  const free = document.activeElement === document.body || document.activeElement === byId("log");
  if (free && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== " ") composer.field.focus();
  if (event.key === "Escape" && byId("app").dataset.drawer) openDrawer("");
});
byId("scrim").addEventListener("click", () => openDrawer(""));
document.querySelector(".skip")?.addEventListener("click", (event) => { event.preventDefault(); composer.field.focus(); });

if (location.search) history.replaceState(null, "", "/");
const putHintAway = showHint((text) => { composer.field.value = text; composer.field.focus(); composer.typed(); });
connection.open(sessionStorage.getItem(PERSON) ?? "");
