/** The page's own icons: paths on a 24-unit field, drawn with the colour of the text. */

const SVG = "http://www.w3.org/2000/svg";

/** @type {Record<string, string>} */
const PATHS = {
  hash: "M10 4 8 20M16 4l-2 16M5 9h15M4 15h15",
  warning: "M12 4 3 19h18L12 4Zm0 6v4m0 3v.1",
  menu: "M4 7h16M4 12h16M4 17h16",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Zm-6 9c0-3.3 2.7-6 6-6s6 2.7 6 6M16 4.5a3.5 3.5 0 0 1 0 6.3M18 14.6c1.8.9 3 2.9 3 5.4",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM8.5 14.5c.8 1.2 2 2 3.5 2s2.7-.8 3.5-2M9 9.5v.1M15 9.5v.1",
  reply: "M10 8 5 13l5 5M5 13h9c3 0 5 2 5 5v1",
  dots: "M5 12v.1M12 12v.1M19 12v.1",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  chevron: "m6 9 6 6 6-6",
  left: "m15 5-7 7 7 7",
  right: "m9 5 7 7-7 7",
  send: "M4 12 20 4l-6 16-3-7-7-1Z",
  file: "M7 3h7l4 4v14H7V3Zm7 0v5h4",
  image: "M4 5h16v14H4V5Zm0 11 5-5 4 4 2.5-2.5L20 17M15.5 9v.1",
  download: "M12 4v11m-5-4 5 5 5-5M5 20h14",
  check: "m5 12.5 4.5 4.5L19 7.5",
  slash: "M17 4 7 20",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Zm9.5 3a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  brush: "M14 5.5 19.5 11M5 19c3.5.5 5.5-1 5-3.500L19 6.5c.8-.8.8-1.9 0-2.5-.8-.8-1.8-.7-2.5 0L8 13c-2.5.2-3 2-3 6Z",
  pencil: "M4 20l1-4L16 5l3 3L8 19l-4 1ZM14 7l3 3",
  copy: "M9 9h11v11H9V9ZM5 15H4V4h11v1",
};

/** @param {string} name @param {string} [label] @returns {SVGSVGElement} */
export function icon(name, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  if (label) {
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", label);
  } else svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Easel's own mark. @returns {SVGSVGElement} */
export function mark() {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 32 32");
  svg.setAttribute("class", "mark");
  svg.setAttribute("aria-hidden", "true");
  for (const [tag, attributes] of /** @type {[string, Record<string, string>][]} */ ([
    ["path", { d: "M8 25 16 6l8 19M10.5 19h11", class: "mark-legs" }],
    ["rect", { x: "10.5", y: "10.5", width: "11", height: "8.5", rx: "1.3", class: "mark-canvas" }],
  ])) {
    const part = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) part.setAttribute(name, value);
    svg.append(part);
  }
  return svg;
}
