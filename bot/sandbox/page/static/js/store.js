/** What this person sees, kept up to date from the event stream. Owns the data; knows nothing of elements. */

export const EPHEMERAL = 1 << 6;
export const LOADING = 1 << 7;

/** Announces `view`, `channel`, `message`, `gone`, `unread`, `typing`, `bot`, `commands`, `places`. */
export class Store extends EventTarget {
  constructor() {
    super();
    /** @type {any} */
    this.view = null;
    this.accepts = true;
    this.channelId = "";
    /** @type {any[]} */
    this.commands = [];
  }

  /** @param {string} kind @param {any} [detail] */
  tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  /** @param {string} kind @param {(detail: any) => void} listener */
  on(kind, listener) {
    this.addEventListener(kind, (event) => listener(/** @type {CustomEvent} */ (event).detail));
  }

  get me() {
    return this.view.me;
  }

  get channels() {
    return this.view.guilds.flatMap((/** @type {any} */ guild) => guild.channels);
  }

  /** @param {string} id */
  channel(id) {
    return [...this.channels, ...this.view.dms].find((channel) => channel.id === id);
  }

  get current() {
    return this.channel(this.channelId);
  }

  get guild() {
    return this.view.guilds.find((/** @type {any} */ guild) => guild.id === this.current?.guild_id);
  }

  /** People and bots one could mean. */
  get everybody() {
    return [...this.view.people, this.view.bot];
  }

  /** @param {string} id */
  user(id) {
    return this.everybody.find((user) => user.id === id);
  }

  /** @param {string} [id] @returns {any[]} */
  messages(id = this.channelId) {
    return (this.view.messages[id] ??= []);
  }

  /** @param {string} id */
  message(id) {
    for (const list of Object.values(this.view.messages)) {
      const found = /** @type {any[]} */ (list).find((message) => message.id === id);
      if (found) return found;
    }
    return null;
  }

  /** @param {any} hello */
  take(hello) {
    this.view = hello.view;
    this.accepts = hello.accepts;
    if (!this.channel(this.channelId)) this.channelId = this.channels[0]?.id ?? "";
    this.tell("view");
  }

  /** @param {string} id */
  choose(id) {
    if (id === this.channelId) return;
    this.channelId = id;
    this.tell("channel");
  }

  /** Put a message in its place, in order of ids. @param {any} message */
  put(message) {
    const list = this.messages(message.channel_id);
    const at = list.findIndex((other) => other.id === message.id);
    if (at >= 0) {
      list[at] = message;
      this.answers(list, message.id, message);
    } else {
      let index = list.length;
      while (index > 0 && BigInt(list[index - 1].id) > BigInt(message.id)) index -= 1;
      list.splice(index, 0, message);
    }
    this.tell("message", message);
  }

  /** @param {any} event */
  happen(event) {
    const handlers = {
      message_create: () => this.put(event.message),
      message_update: () => this.put(event.message),
      message_delete: () => this.remove(event),
      reactions: () => this.react(event),
      typing: () => this.tell("typing", event),
      commands: () => this.tell("commands"),
      bot: () => {
        this.view.bot.online = event.online;
        this.tell("bot");
      },
      unread: () => {
        this.view.unread[event.channel_id] = event;
        this.tell("unread", event);
      },
      channel_create: () => this.place(event.channel),
      channel_update: () => this.place(event.channel),
      channel_delete: () => this.unplace(event.channel),
    };
    /** @type {Record<string, () => void>} */ (handlers)[event.type]?.();
  }

  /** Replies show what they answer as it is now. @param {any[]} list @param {string} id @param {any} original null when it is gone */
  answers(list, id, original) {
    for (const reply of list) {
      if (reply.referenced_message?.id !== id) continue;
      reply.referenced_message = original;
      this.tell("message", reply);
    }
  }

  /** @param {any} event */
  remove(event) {
    const list = this.messages(event.channel_id);
    const at = list.findIndex((message) => message.id === event.message_id);
    if (at >= 0) list.splice(at, 1);
    this.tell("gone", event);
    this.answers(list, event.message_id, null);
  }

  /** @param {any} event */
  react(event) {
    const message = this.messages(event.channel_id).find((other) => other.id === event.message_id);
    if (!message) return;
    message.reactions = event.reactions;
    this.tell("message", message);
  }

  /** @param {any} channel */
  place(channel) {
    const list = channel.type === 1 ? this.view.dms : this.view.guilds.find((/** @type {any} */ g) => g.id === channel.guild_id)?.channels;
    if (!list) return;
    const at = list.findIndex((/** @type {any} */ other) => other.id === channel.id);
    if (at >= 0) list[at] = channel;
    else list.push(channel);
    this.tell("places");
  }

  /** @param {any} channel */
  unplace(channel) {
    for (const guild of this.view.guilds) guild.channels = guild.channels.filter((/** @type {any} */ c) => c.id !== channel.id);
    if (this.channelId === channel.id) this.choose(this.channels[0]?.id ?? "");
    this.tell("places");
  }
}
