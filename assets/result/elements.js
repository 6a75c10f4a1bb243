// Elements of the card.

const SVG = "http://www.w3.org/2000/svg";
// The shapes of the work list. They differ, so that nothing is told by colour alone.
const ICONS = {
  positive: ["M8 2h8l6 6v8l-6 6H8l-6-6V8Z", "M12 6.5v7M12 17v.5"],
  negative: ["M12 2.5a9.5 9.5 0 1 0 .01 0Z", "M7.5 12.5l3 3 6-7"],
  uncertain: ["M12 2 22 12 12 22 2 12Z", "M9.8 9.8a2.3 2.3 0 1 1 3.4 2c-.9.5-1.2 1-1.2 1.9M12 16.6v.4"],
  warning: ["M12 3 22 21H2Z", "M12 9v6M12 17.5v1"],
  refused: ["M12 2.5a9.5 9.5 0 1 0 .01 0Z", "M5.5 5.5l13 13"],
  busy: ["M12 2.5a9.5 9.5 0 1 0 .01 0Z", "M12 7v5l3.5 2"],
};

function make(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null && child !== false));
  return made;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of [["viewBox", "0 0 24 24"], ["aria-hidden", "true"], ["class", "icon"]]) svg.setAttribute(key, value);
  for (const line of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

const button = (words, act, given = {}) => make("button", { type: "button", onclick: act, ...given }, words);

// Names and values, one pair a line.
function pairs(list, write) {
  const rows = list.flatMap(([name, value]) => [make("dt", {}, name), write(make("dd"), value)]);
  return make("dl", {}, ...rows);
}
