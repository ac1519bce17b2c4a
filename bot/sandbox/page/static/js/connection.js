/** The websocket: what the person does goes out and is answered, what happens in the world comes in. */

/** @typedef {(message: any) => void} Listener */

const FIRST_WAIT = 400;
const LONGEST_WAIT = 3000;

export class Connection {
  /** @param {{view: Listener, event: Listener, state: (online: boolean) => void}} to */
  constructor(to) {
    this.to = to;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.person = "";
    this.number = 0;
    this.wait = FIRST_WAIT;
    this.timer = 0;
    /** @type {Map<number, {resolve: Listener, reject: Listener}>} */
    this.asked = new Map();
  }

  /** Look through the eyes of this person (an id; empty: the server's owner). @param {string} person */
  open(person) {
    this.person = person;
    clearTimeout(this.timer);
    const old = this.socket;
    this.socket = null;
    old?.close();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/socket?as=${encodeURIComponent(person)}`);
    this.socket = socket;
    socket.onmessage = ({ data }) => this.socket === socket && this.receive(JSON.parse(data));
    socket.onclose = () => this.socket === socket && this.lost();
  }

  /** @param {any} message */
  receive(message) {
    if (message.view) {
      this.wait = FIRST_WAIT;
      this.to.state(true);
      this.to.view(message);
    } else if (message.event) this.to.event(message.event);
    else {
      const waiting = this.asked.get(message.answer);
      this.asked.delete(message.answer);
      if (message.error) waiting?.reject(new Error(message.error));
      else waiting?.resolve(message.value);
    }
  }

  lost() {
    this.to.state(false);
    for (const { reject } of this.asked.values()) reject(new Error("Easel has stopped."));
    this.asked.clear();
    this.timer = setTimeout(() => this.open(this.person), this.wait);
    this.wait = Math.min(LONGEST_WAIT, this.wait * 1.5);
  }

  /** Do something as this person. @param {string} deed @param {Record<string, any>} [args] @returns {Promise<any>} */
  call(deed, args = {}) {
    const socket = this.socket;
    if (!socket || socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error("Easel has stopped."));
    const number = ++this.number;
    return new Promise((resolve, reject) => {
      this.asked.set(number, { resolve, reject });
      socket.send(JSON.stringify({ ...args, number, deed }));
    });
  }

  /** Hand in a file; its id stands for it afterwards. @param {File} file @param {string} channel @returns {Promise<string>} */
  async upload(file, channel) {
    const query = new URLSearchParams({ as: this.person, name: file.name, channel });
    const answer = await fetch(`/upload?${query}`, { method: "POST", body: file });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()).id;
  }
}
