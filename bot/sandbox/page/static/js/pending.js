/** A command on its way: shown at once, replaced by the bot's answer, or left with what went wrong. Only this page knows it. */
import { EPHEMERAL, LOADING } from "./store.js";

export class Pending {
  /** @param {any} store */
  constructor(store) {
    this.store = store;
    this.timers = new Map();
  }

  /** @param {string} path @param {string} channel */
  begin(path, channel) {
    const { store } = this;
    const last = store.messages(channel).at(-1);
    const id = String((last ? BigInt(last.id) : 0n) + 1n);
    const message = { id, channel_id: channel, author: store.view.bot, content: "", timestamp: new Date().toISOString(), flags: LOADING, mentions: [], attachments: [], embeds: [], components: [], reactions: [],
      interaction: { name: path, user: store.me }, local: true, error: "" };
    this.timers.set(message, setTimeout(() => store.put(message), 250));
    return message;
  }

  /** @param {any} message @param {string} [error] */
  end(message, error) {
    clearTimeout(this.timers.get(message));
    this.timers.delete(message);
    const { store } = this;
    if (!error) {
      this.forget(message);
      return;
    }
    message.flags = EPHEMERAL;
    message.error = error;
    const last = store.messages(message.channel_id).at(-1);
    if (!store.messages(message.channel_id).includes(message) && last) message.id = String(BigInt(last.id) + 1n);
    store.put(message);
  }

  /** @param {any} message */
  forget(message) {
    if (this.store.messages(message.channel_id).includes(message)) this.store.remove({ channel_id: message.channel_id, message_id: message.id });
  }
}
