// A threshold moves matrix, markers and figures at once, all in the browser: the figures of every threshold came with
// the page, and nothing is asked of the server. The only arithmetic here is Bayes' rule for the reader's prevalence
// and the net benefit under the marker.

const views = new Map(); // what the user set, by the images and model looked at; kept while the page lives

const NO_BREAK = "\u00a0";
const SHARES = [0, 0.2, 0.4, 0.6, 0.8, 1];

function element(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "line", "circle", "text", "polygon", "g", "title"].includes(tag);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const percent = (share, decimals = 1) => `${(100 * share).toFixed(decimals)}${NO_BREAK}%`;

/** A figure in words; null is not defined, "inf" has no bound. */
function figure(value, ratio) {
  if (value === null) return "not defined";
  if (value === "inf") return "no upper bound";
  return ratio ? String(Number(value.toPrecision(3))) : value.toFixed(3);
}

/** Index of the last threshold at or below t. */
function rowAt(thresholds, t) {
  let low = 0;
  let high = thresholds.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (thresholds[middle] <= t) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Predictive values by Bayes' rule, of a likelihood ratio and the odds of the prevalence. */
const known = (ratio, value) => (ratio === null ? null : value);
const positive = (ratio, odds) => known(ratio, ratio === "inf" ? 1 : (odds * ratio) / (odds * ratio + 1));
const negative = (ratio, odds) => known(ratio, ratio === "inf" ? 0 : 1 / (1 + odds * ratio));

/** An empty diagram, shares across; ticks are its heights. */
function plot(title, across, up, ticks) {
  const [yLow, yHigh] = [ticks[0], ticks[ticks.length - 1]];
  const box = { left: 52, right: 372, top: 12, bottom: 332 };
  const x = (share) => box.left + share * (box.right - box.left);
  const y = (value) => box.bottom - ((value - yLow) / (yHigh - yLow)) * (box.bottom - box.top);
  const svg = element("svg", { viewBox: "0 0 384 376", role: "img", "aria-label": title });
  for (const share of SHARES) {
    svg.append(
      element("line", { class: "grid", x1: x(share), x2: x(share), y1: box.top, y2: box.bottom }),
      element("text", { x: x(share), y: box.bottom + 18, "text-anchor": "middle" }, share.toFixed(1)),
    );
  }
  for (const value of ticks) {
    svg.append(
      element("line", { class: "grid", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }),
      element("text", { x: box.left - 7, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(1)),
    );
  }
  svg.append(
    element("text", { x: (box.left + box.right) / 2, y: 370, "text-anchor": "middle" }, across),
    element("text", { transform: `translate(13 ${(box.top + box.bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, up),
  );
  const clip = (value) => Math.min(Math.max(value, yLow), yHigh);
  const path = (xs, ys) => xs.map((v, i) => `${i ? "L" : "M"}${x(v).toFixed(1)} ${y(clip(ys[i])).toFixed(1)}`).join("");
  return { svg, x, y: (value) => y(clip(value)), path };
}

function rocPlot(data) {
  const { svg, x, y, path } = plot("ROC curve with the threshold marked", "1 − specificity", "Sensitivity", SHARES);
  const { tn, fp, fn, tp } = data.counts;
  const across = fp.map((count, i) => count / (count + tn[i]));
  const up = tp.map((count, i) => count / (count + fn[i]));
  svg.append(
    element("path", { class: "chance", d: path([0, 1], [0, 1]) }),
    element("path", { class: "model", d: path(across, up) }),
  );
  for (const point of data.points) {
    const i = rowAt(data.thresholds, point.threshold);
    const mark = element("circle", { class: "point", cx: x(across[i]), cy: y(up[i]), r: 4.5 });
    mark.append(element("title", {}, point.title));
    svg.append(mark);
  }
  const marker = element("circle", { class: "marker", r: 9 });
  svg.append(marker);
  return [svg, (i) => {
    marker.setAttribute("cx", x(across[i]));
    marker.setAttribute("cy", y(up[i]));
  }];
}

function benefitPlot(data) {
  const curve = data.benefit;
  const top = Math.ceil(10 * Math.max(curve.all[0], ...curve.high));
  const ticks = Array.from({ length: top + 2 }, (_, i) => (i - 1) / 10);
  const { svg, x, y, path } = plot("Decision curve with the threshold marked", "Threshold probability", "Net benefit", ticks);
  const band = path(curve.thresholds, curve.high) + path([...curve.thresholds].reverse(), [...curve.low].reverse()).replace("M", "L");
  const shown = curve.all.filter((value) => value > -0.1).length + 1;
  svg.append(
    element("path", { class: "band", d: `${band}Z` }),
    element("path", { class: "none", d: path([0, 1], [0, 0]) }),
    element("path", { class: "all", d: path(curve.thresholds.slice(0, shown), curve.all.slice(0, shown)) }),
    element("path", { class: "model", d: path(curve.thresholds, curve.model) }),
  );
  const marker = element("circle", { class: "marker", r: 9 });
  svg.append(marker);
  const images = data.counts.tp[0] + data.counts.fp[0];
  return [svg, (i, threshold) => {
    const t = Math.min(threshold, 0.99);
    const benefit = (data.counts.tp[i] - (data.counts.fp[i] * t) / (1 - t)) / images;
    marker.setAttribute("cx", x(t));
    marker.setAttribute("cy", y(benefit));
    return benefit;
  }];
}

function matrix() {
  const cells = {};
  const cell = (name, said, kind) => {
    const count = element("b", { "data-count": name });
    const rate = element("span", { "data-rate": name });
    cells[name] = [count, rate, said];
    return element("td", { class: kind }, count, rate);
  };
  const table = element(
    "table",
    { class: "matrix" },
    element(
      "thead",
      {},
      element("tr", {}, element("td"), element("th", { scope: "col" }, "Called pneumonia"), element("th", { scope: "col" }, "Called normal")),
    ),
    element(
      "tbody",
      {},
      element("tr", {}, element("th", { scope: "row" }, "Pneumonia"), cell("tp", "true positives", "right"), cell("fn", "missed", "wrong")),
      element("tr", {}, element("th", { scope: "row" }, "Normal"), cell("fp", "false alarms", "wrong"), cell("tn", "true negatives", "right")),
    ),
  );
  const move = (counts) => {
    const rows = { tp: counts.tp + counts.fn, fn: counts.tp + counts.fn, fp: counts.fp + counts.tn, tn: counts.fp + counts.tn };
    for (const [name, [count, rate, said]] of Object.entries(cells)) {
      count.textContent = counts[name];
      rate.textContent = `${said}, ${percent(counts[name] / rows[name])}`;
    }
  };
  return [table, move];
}

function figureRow(key, title, meaning, ratio) {
  const value = element("td", { class: "value", "data-value": key });
  const interval = element("td", { class: "interval", "data-interval": key });
  const explained = element("span", { class: "meaning" }, meaning);
  explained.hidden = true;
  explained.style.display = "none";
  const name = element("button", {
    type: "button", class: "name", "aria-expanded": "false",
    onclick: () => {
      const open = name.getAttribute("aria-expanded") === "true";
      name.setAttribute("aria-expanded", String(!open));
      explained.hidden = open;
      explained.style.display = open ? "none" : "block";
    },
  }, title);
  return [element("tr", {}, element("th", { scope: "row" }, name, explained), value, interval), (stated, low, high) => {
    value.textContent = figure(stated, ratio);
    const none = low === null || stated === null || low === "inf";
    interval.classList.toggle("long", high === "inf");
    interval.textContent = none ? "" : `${figure(low, ratio)} to ${figure(high, ratio)}`;
  }];
}

function build(root, data, view) {
  const [matrixTable, moveMatrix] = matrix();
  const [roc, moveRoc] = rocPlot(data);
  const [benefit, moveBenefit] = benefitPlot(data);
  const figures = data.figures.map((stated) => [stated, ...figureRow(stated.key, stated.title, stated.meaning, stated.key.startsWith("lr_"))]);
  const [ppvRow, setPpv] = figureRow("ppv_at", "Positive predictive value", data.meanings.ppv);
  const [npvRow, setNpv] = figureRow("npv_at", "Negative predictive value", data.meanings.npv);
  const benefitNote = element("p", { class: "note", "data-value": "benefit" });
  const frequency = element("p", { class: "note" });
  const few = element("p", { class: "note caution", "data-value": "few" });
  const shown = element("output", { "data-value": "threshold" });
  const prevalenceShown = element("output", { "data-value": "prevalence" });

  const buttons = data.points.map((point) => element("button", {
    type: "button", "data-point": point.name, onclick: () => set({ point: point.name, threshold: point.threshold }),
  }, point.title));
  const slider = element("input", {
    type: "range", min: 0, max: 1000, step: 1, id: "threshold", "aria-label": "Threshold",
    oninput: () => set({ point: null, threshold: slider.value / 1000 }),
  });
  const prevalence = element("input", {
    type: "range", min: 1, max: 99, step: 1, id: "prevalence", "aria-label": "Prevalence",
    oninput: () => set({ prevalence: prevalence.value / 100 }),
  });

  function set(change) {
    Object.assign(view, change);
    draw();
  }

  function draw() {
    const i = rowAt(data.thresholds, view.threshold);
    const counts = Object.fromEntries(["tn", "fp", "fn", "tp"].map((name) => [name, data.counts[name][i]]));
    slider.value = Math.round(view.threshold * 1000);
    slider.setAttribute("aria-valuetext", percent(view.threshold));
    shown.textContent = percent(view.threshold);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.point === view.point));
    moveMatrix(counts);
    few.textContent = data.few[i];
    moveRoc(i);
    benefitNote.textContent = `Net benefit at ${percent(view.threshold)}: ${moveBenefit(i, view.threshold).toFixed(3)} per image.`;
    for (const [stated, , move] of figures) move(stated.values[i], stated.lows[i], stated.highs[i]);
    const odds = view.prevalence / (1 - view.prevalence);
    const [plus, minus] = ["lr_positive", "lr_negative"].map((key) => data.figures.find((stated) => stated.key === key));
    setPpv(...["values", "lows", "highs"].map((column) => positive(plus[column][i], odds)));
    setNpv(...["values", "highs", "lows"].map((column) => negative(minus[column][i], odds)));
    prevalence.value = Math.round(view.prevalence * 100);
    prevalenceShown.textContent = percent(view.prevalence, 0);
    const sick = Math.round(1000 * view.prevalence);
    const found = Math.round((sick * counts.tp) / (counts.tp + counts.fn));
    const alarms = Math.round(((1000 - sick) * counts.fp) / (counts.fp + counts.tn));
    frequency.textContent = `Of 1000 such images ${sick} show pneumonia: ${found} of them are called, ${sick - found} missed; `
      + `of the ${1000 - sick} normal ones ${alarms} are false alarms.`;
  }

  const part = (title, ...children) => element("section", {}, element("h3", {}, title), ...children);
  root.replaceChildren(
    element(
      "div",
      { class: "controls" },
      element("fieldset", {}, element("legend", {}, "Operating point"), ...buttons),
      element("div", { class: "slide" }, element("label", { for: "threshold" }, "Called pneumonia from a probability of ", shown), slider),
    ),
    element(
      "div",
      { class: "parts" },
      part("Calls", matrixTable, element("p", { class: "note" }, "Counts of images, and their share of the row."), few),
      part("Figures at this threshold", element("table", { class: "figures" }, element("tbody", {}, ...figures.map(([, row]) => row))), element("p", { class: "note" }, data.interval)),
      part("On the ROC curve", roc, element("p", { class: "note" }, "Ring: this threshold. Dots: the operating points. Dotted: chance.")),
      part("Decision curve", benefit, benefitNote, element("p", { class: "note" }, data.meanings.benefit)),
      part(
        "Where pneumonia is as common as you say",
        element("div", { class: "slide" }, element("label", { for: "prevalence" }, "Prevalence: ", prevalenceShown), prevalence),
        element("table", { class: "figures" }, element("tbody", {}, ppvRow, npvRow)),
        frequency,
        element("p", { class: "note" }, data.meanings.prevalence),
      ),
    ),
  );
  draw();
  root.dataset.state = "drawn";
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".decision");
  if (!data || root.dataset.key === data.key) return;
  const balanced = data.points.find((point) => point.name === "balanced");
  if (!views.has(data.key)) {
    views.set(data.key, { point: "balanced", threshold: balanced.threshold, prevalence: Math.round(100 * data.prevalence) / 100 });
  }
  root.dataset.key = data.key;
  build(root, data, views.get(data.key));
}
