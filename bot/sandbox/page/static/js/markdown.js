/** Discord's markdown as elements. Every leaf is a text node. */
import { h } from "./dom.js";
import { stamp } from "./times.js";

const DEEPEST = 8;
/** @typedef {{user: (id: string) => any, channel: (id: string) => any, open: (id: string) => void, jump: (channel: string, message: string) => void}} World */
/** @typedef {(match: RegExpExecArray, inner: (text: string) => Node[], world: World) => Node} Draw */

const MESSAGE = /^https:\/\/(?:\w+\.)?discord\.com\/channels\/(?:@me|\d+)\/(\d+)\/(\d+)$/;

/** A link; one to a message of this server stays on the page, as it does in Discord. @param {World} world @param {string} url @param {...any} words */
function link(world, url, ...words) {
  const [, channel, message] = MESSAGE.exec(url) ?? [];
  if (!world.channel(channel)) return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...words);
  const shown = words[0] === url ? "a message" : words;
  return h("button", { class: "as-link", type: "button", onclick: () => world.jump(channel, message) }, shown);
}

/** @param {string[]} words */
const mention = (...words) => h("span", { class: "mention" }, ...words);

/** @param {Node[]} words */
function spoiler(words) {
  /** @param {Event} event */
  const reveal = (event) => {
    const me = /** @type {HTMLElement} */ (event.currentTarget);
    if (event instanceof KeyboardEvent && !["Enter", " "].includes(event.key)) return;
    me.dataset.shown = "";
    me.removeAttribute("role");
    me.removeAttribute("aria-label");
  };
  return h("span", { class: "spoiler", role: "button", tabindex: 0, "aria-label": "Spoiler, press to show", onclick: reveal, onkeydown: reveal }, words);
}

/** @type {[RegExp, Draw][]} Tried in this order at each place. */
const INLINE = [
  [/\\([^\w\s])/y, (m) => document.createTextNode(m[1])],
  [/(`+)([^`](?:[\s\S]*?[^`])??)\1(?!`)/y, (m) => h("code", {}, m[2].trim() || m[2])],
  [/<t:(-?\d{1,13})(?::([tTdDfFR]))?>/y, (m) => stamp(m[1], m[2])],
  [/<@!?(\d+)>/y, (m, _, world) => mention(`@${world.user(m[1])?.global_name ?? "unknown"}`)],
  [/<@&\d+>/y, () => mention("@role")],
  [/<#(\d+)>/y, (m, _, world) => channelMention(m[1], world)],
  [/<\/([^:>]{1,100}):\d+>/y, (m) => mention(`/${m[1]}`)],
  [/<a?:(\w+):\d+>/y, (m) => document.createTextNode(`:${m[1]}:`)],
  [/<(https?:\/\/[^\s<>]+)>/y, (m, _, world) => link(world, m[1], m[1])],
  [/\[([^\]\n]+)\]\(<?(https?:\/\/[^\s<>)]+)>?\)/y, (m, inner, world) => link(world, m[2], ...inner(m[1]))],
  [/https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]]/y, (m, _, world) => link(world, m[0], m[0])],
  [/\|\|([\s\S]+?)\|\|/y, (m, inner) => spoiler(inner(m[1]))],
  [/\*\*\*([\s\S]+?)\*\*\*/y, (m, inner) => h("strong", {}, h("em", {}, inner(m[1])))],
  [/\*\*([\s\S]+?)\*\*(?!\*)/y, (m, inner) => h("strong", {}, inner(m[1]))],
  [/__([\s\S]+?)__(?!_)/y, (m, inner) => h("u", {}, inner(m[1]))],
  [/\*(?![\s*])([^*\n]+?)(?<!\s)\*(?!\*)/y, (m, inner) => h("em", {}, inner(m[1]))],
  [/(?<![\w_])_(?![\s_])([^_\n]+?)_(?![\w_])/y, (m, inner) => h("em", {}, inner(m[1]))],
  [/~~([\s\S]+?)~~/y, (m, inner) => h("s", {}, inner(m[1]))],
  [/@(?:everyone|here)\b/y, (m) => mention(m[0])],
];

/** @param {string} id @param {World} world */
function channelMention(id, world) {
  const channel = world.channel(id);
  if (!channel) return mention("#unknown");
  return h("button", { class: "mention", type: "button", onclick: () => world.open(id) }, `#${channel.name}`);
}

/** @param {string} text @param {World} world @param {number} [depth] @returns {Node[]} */
export function inline(text, world, depth = 0) {
  /** @type {Node[]} */
  const nodes = [];
  let plain = "";
  /** @param {string} part */
  const inner = (part) => (depth < DEEPEST ? inline(part, world, depth + 1) : [document.createTextNode(part)]);
  for (let at = 0; at < text.length; ) {
    const hit = /[\\`<[h|*_~@]/.test(text[at]) ? firstRule(text, at) : null;
    if (!hit) {
      plain += text[at];
      at += 1;
      continue;
    }
    if (plain) nodes.push(document.createTextNode(plain));
    plain = "";
    nodes.push(hit.draw(hit.match, inner, world));
    at += hit.match[0].length;
  }
  if (plain) nodes.push(document.createTextNode(plain));
  return nodes;
}

/** @param {string} text @param {number} at */
function firstRule(text, at) {
  for (const [pattern, draw] of INLINE) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) return { match, draw };
  }
  return null;
}

/** @typedef {{lines: string[], at: number, world: World}} Reader */
/** @type {[RegExp, (reader: Reader, match: RegExpMatchArray) => Node][]} A line that begins so begins a block. */
const BLOCKS = [
  [/^(#{1,3}) +(.+)/, ({ world }, m) => h(`h${m[1].length + 2}`, { class: `md-h${m[1].length}` }, inline(m[2], world))],
  [/^-# +(.+)/, ({ world }, m) => h("small", { class: "subtext" }, inline(m[1], world))],
  [/^>>> ?(.*)/, (reader, m) => quote([m[1], ...reader.lines.splice(reader.at + 1)], reader.world)],
  [/^> ?(.*)/, (reader) => quote(gather(reader, /^> ?/), reader.world)],
  [/^ *[-*] +/, (reader) => list("ul", reader, /^ *[-*] +/)],
  [/^ *\d+\. +/, (reader) => list("ol", reader, /^ *\d+\. +/)],
];

/** The lines from here that begin so, without their beginnings. @param {Reader} reader @param {RegExp} begin */
function gather(reader, begin) {
  const taken = [];
  while (reader.at < reader.lines.length && begin.test(reader.lines[reader.at])) taken.push(reader.lines[reader.at++].replace(begin, ""));
  reader.at -= 1;
  return taken;
}

/** @param {string[]} lines @param {World} world */
const quote = (lines, world) => h("blockquote", {}, lines.map((line) => h("div", {}, line ? inline(line, world) : "\u200b")));

/** @param {string} tag @param {Reader} reader @param {RegExp} begin */
const list = (tag, reader, begin) => h(tag, {}, gather(reader, begin).map((item) => h("li", {}, inline(item, reader.world))));

/** A whole text, blocks and all. @param {string} text @param {World} world @returns {Node[]} */
export function markdown(text, world) {
  return text.split(/(```(?:[\s\S]*?)```)/).flatMap((part, index) => {
    if (index % 2) return [h("pre", {}, h("code", {}, part.slice(3, -3).replace(/^[\w+-]*\n/, "").replace(/\n$/, "")))];
    return blocks(index ? part.replace(/^\n/, "") : part, world);
  });
}

/** @param {string} text @param {World} world @returns {Node[]} */
function blocks(text, world) {
  const reader = { lines: text.split("\n"), at: 0, world };
  /** @type {Node[]} */
  const nodes = [];
  /** @type {string[]} */
  let paragraph = [];
  const flush = () => {
    if (paragraph.some((line) => line)) nodes.push(h("p", {}, inline(paragraph.join("\n"), world)));
    paragraph = [];
  };
  for (; reader.at < reader.lines.length; reader.at += 1) {
    const line = reader.lines[reader.at];
    const block = BLOCKS.map(([begin, draw]) => ({ match: line.match(begin), draw })).find(({ match }) => match);
    if (!block?.match) paragraph.push(line);
    else {
      flush();
      nodes.push(block.draw(reader, block.match));
    }
  }
  flush();
  return nodes;
}
