/** What can be done with a message: reactions, reply, the bot's message commands, copying, deleting. */
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { EPHEMERAL } from "./store.js";
import { saying, toast } from "./toast.js";

/** @param {any} message @param {HTMLElement | {x: number, y: number}} anchor @param {{store: any, connection: any, interact: (doing: Promise<any>) => Promise<string | undefined>, hands: import("./message.js").Hands}} how */
export function messageMenu(message, anchor, { store, connection, interact, hands }) {
  const personal = message.flags & EPHEMERAL;
  const owner = store.guild?.owner_id === store.me.id;
  const mine = message.author.id === store.me.id;
  const element = /** @type {HTMLElement} */ (document.getElementById(`m${message.id}`) ?? document.body);
  const use = async (/** @type {string} */ command) => {
    const error = await interact(connection.call("message_menu", { message: message.id, command }));
    if (error) toast(error);
  };
  const apps = store.commands.filter((/** @type {any} */ c) => c.type === 3).map((/** @type {any} */ c) => ({ label: c.name, icon: icon("brush"), pick: () => use(c.name) }));
  openMenu([
    ...(personal ? [] : [{ label: "Add a reaction", icon: icon("smile"), pick: () => hands.addReaction(message, element) }, { label: "Reply", icon: icon("reply"), pick: () => hands.reply(message) }]),
    ...(apps.length ? [{ heading: "Apps" }, ...apps, { heading: "Message" }] : []),
    { label: "Copy text", icon: icon("copy"), pick: () => void navigator.clipboard?.writeText(message.content) },
    { label: "Copy message ID", icon: icon("copy"), pick: () => void navigator.clipboard?.writeText(message.id) },
    ...(mine || (owner && !personal) ? [{ label: "Delete message", icon: icon("trash"), danger: true, pick: () => saying(connection.call("delete", { message: message.id })) }] : []),
  ], anchor, "Message");
}
