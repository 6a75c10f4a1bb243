// The threshold slider moves matrix, metrics and curves in the browser: the server sent the figures of every threshold.
// Computed here are only Bayes' rule for the session's prevalence, which moves thresholds and net benefit, and the net
// benefit under the marker. Texts come from the server; fill() puts values into them. Thresholds are kept at the
// prevalence of the evaluation, so that no rounding changes a count.

const views = new Map(); // the user's settings by images and model, kept while the page lives
const drawers = new WeakMap(); // what draws a component again, by its root

const { atPrevalence, fill, prevalencePercent, sharePercent, thresholdPercent } = cxrNumbers;
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

/** A figure in words; null is not defined, "inf" has no bound. */
function figure(value, digits, texts) {
  if (value === null) return texts.undefined;
  return value === "inf" ? texts.unbounded : value.toFixed(digits);
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

/** Predictive values by Bayes' rule from a likelihood ratio and the odds of the prevalence. */
const known = (ratio, value) => (ratio === null ? null : value);
const positive = (ratio, odds) => known(ratio, ratio === "inf" ? 1 : (odds * ratio) / (odds * ratio + 1));
const negative = (ratio, odds) => known(ratio, ratio === "inf" ? 0 : 1 / (1 + odds * ratio));

/** An empty diagram with shares on the x axis and the given ticks on the y axis. */
function plot(title, xTitle, yTitle, ticks) {
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
    element("text", { x: (box.left + box.right) / 2, y: 370, "text-anchor": "middle" }, xTitle),
    element("text", { transform: `translate(13 ${(box.top + box.bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, yTitle),
  );
  const clip = (value) => Math.min(Math.max(value, yLow), yHigh);
  const path = (xs, ys) => xs.map((v, i) => `${i ? "L" : "M"}${x(v).toFixed(1)} ${y(clip(ys[i])).toFixed(1)}`).join("");
  return { svg, x, y: (value) => y(clip(value)), path };
}

function rocPlot(data) {
  const { texts } = data;
  const { svg, x, y, path } = plot(texts.roc_label, texts.false_positive_rate, texts.sensitivity, SHARES);
  const { tn, fp, fn, tp } = data.counts;
  const falsePositiveRate = fp.map((count, i) => count / (count + tn[i]));
  const sensitivity = tp.map((count, i) => count / (count + fn[i]));
  svg.append(
    element("path", { class: "chance", d: path([0, 1], [0, 1]) }),
    element("path", { class: "model", d: path(falsePositiveRate, sensitivity) }),
  );
  for (const point of data.points) {
    const i = rowAt(data.thresholds, point.threshold);
    const mark = element("circle", { class: "point", cx: x(falsePositiveRate[i]), cy: y(sensitivity[i]), r: 4.5 });
    mark.append(element("title", {}, point.title));
    svg.append(mark);
  }
  const marker = element("circle", { class: "marker", r: 9 });
  svg.append(marker);
  return [svg, (i) => {
    marker.setAttribute("cx", x(falsePositiveRate[i]));
    marker.setAttribute("cy", y(sensitivity[i]));
  }];
}

/** At another prevalence than the evaluation's, thresholds move and the net benefit is in proportion to it. */
function benefitAt(data, prevalence) {
  const scaled = ([name, values]) => [
    name,
    values.map((value) => (name === "thresholds" ? atPrevalence(value, data.assumed, prevalence) : (value * prevalence) / data.assumed)),
  ];
  return Object.fromEntries(Object.entries(data.benefit).map(scaled));
}

function benefitPlot(data, prevalence) {
  const { texts } = data;
  const curve = benefitAt(data, prevalence);
  const top = Math.max(1, Math.ceil(10 * Math.max(curve.treat_all[0], ...curve.high)));
  const ticks = Array.from({ length: top + 2 }, (_, i) => (i - 1) / 10);
  const { svg, x, y, path } = plot(texts.benefit_label, texts.threshold_probability, texts.net_benefit, ticks);
  const band = path(curve.thresholds, curve.high) + path([...curve.thresholds].reverse(), [...curve.low].reverse()).replace("M", "L");
  const shown = curve.treat_all.filter((value) => value > -0.1).length + 1;
  svg.append(
    element("path", { class: "band", d: `${band}Z` }),
    element("path", { class: "none", d: path([0, 1], [0, 0]) }),
    element("path", { class: "all", d: path(curve.thresholds.slice(0, shown), curve.treat_all.slice(0, shown)) }),
    element("path", { class: "model", d: path(curve.thresholds, curve.model) }),
  );
  const marker = element("circle", { class: "marker", r: 9 });
  svg.append(marker);
  const { tn, fp, fn, tp } = data.counts;
  return [svg, (i, threshold) => {
    const t = Math.min(threshold, 0.99);
    const [found, alarms] = [tp[i] / (tp[i] + fn[i]), fp[i] / (fp[i] + tn[i])];
    const benefit = prevalence * found - ((1 - prevalence) * alarms * t) / (1 - t);
    marker.setAttribute("cx", x(t));
    marker.setAttribute("cy", y(benefit));
    return benefit;
  }];
}

function matrix(texts) {
  const cells = {};
  const cell = (name, kind) => {
    const count = element("b", { "data-count": name });
    const rate = element("span", { "data-rate": name });
    cells[name] = [count, rate];
    return element("td", { class: kind }, count, rate);
  };
  const column = (title) => element("th", { scope: "col" }, title);
  const row = (title, ...counts) => element("tr", {}, element("th", { scope: "row" }, title), ...counts);
  const heading = element("tr", {}, element("td"), column(texts.finding_positive), column(texts.finding_negative));
  const table = element(
    "table",
    { class: "matrix" },
    element("thead", {}, heading),
    element(
      "tbody",
      {},
      row(texts.positive, cell("tp", "right"), cell("fn", "wrong")),
      row(texts.negative, cell("fp", "wrong"), cell("tn", "right")),
    ),
  );
  const move = (counts) => {
    const rows = { tp: counts.tp + counts.fn, fn: counts.tp + counts.fn, fp: counts.fp + counts.tn, tn: counts.fp + counts.tn };
    for (const [name, [count, rate]] of Object.entries(cells)) {
      count.textContent = counts[name];
      rate.textContent = fill(texts.cell, { title: texts[name], share: sharePercent(counts[name] / rows[name], 1) });
    }
  };
  return [table, move];
}

/** What a reading says, by true label, with shares and intervals. No slider moves it. */
function threeWay({ columns, rows }) {
  const look = (row, column) => (column.kind === "uncertain" ? "unsure" : column.kind === row.right ? "right" : "wrong");
  const cell = (row, [count, share, interval], column) => element(
    "td",
    { class: look(row, column), "data-three-way": `${row.right} ${column.kind}` },
    element("b", {}, count),
    element("span", {}, share),
    element("small", {}, interval),
  );
  const heading = columns.map(({ name }) => element("th", { scope: "col" }, name));
  return element(
    "table",
    { class: "matrix" },
    element("thead", {}, element("tr", {}, element("td"), ...heading)),
    element("tbody", {}, ...rows.map((row) => element(
      "tr",
      {},
      element("th", { scope: "row" }, row.name),
      ...row.cells.map((given, place) => cell(row, given, columns[place])),
    ))),
  );
}

function metricRow({ name, title, meaning, digits = 3 }, texts) {
  const value = element("td", { class: "value", "data-value": name });
  const interval = element("td", { class: "interval", "data-interval": name });
  const explained = element("span", { class: "meaning" }, meaning);
  explained.hidden = true;
  explained.style.display = "none";
  const button = element("button", {
    type: "button", class: "name", "aria-expanded": "false",
    onclick: () => {
      const open = button.getAttribute("aria-expanded") === "true";
      button.setAttribute("aria-expanded", String(!open));
      explained.hidden = open;
      explained.style.display = open ? "none" : "block";
    },
  }, title);
  return [element("tr", {}, element("th", { scope: "row" }, button, explained), value, interval), (estimate, low, high) => {
    value.textContent = figure(estimate, digits, texts);
    const none = low === null || estimate === null || low === "inf";
    interval.classList.toggle("long", high === "inf");
    interval.textContent = none ? "" : fill(texts.to, { low: figure(low, digits, texts), high: figure(high, digits, texts) });
  }];
}

function build(root, data, view, tell) {
  const { texts } = data;
  const [matrixTable, moveMatrix] = matrix(texts);
  const [roc, moveRoc] = rocPlot(data);
  const benefit = element("div");
  let moveBenefit, benefitDrawnAt;
  const metrics = data.metrics.map((metric) => [metric, ...metricRow(metric, texts)]);
  const [[ppvRow, setPpv], [npvRow, setNpv]] = data.predictive.map((metric) => metricRow(metric, texts));
  const benefitNote = element("p", { class: "note", "data-value": "benefit" });
  const frequency = element("p", { class: "note" });
  const few = element("p", { class: "note caveat", "data-value": "few" });
  const shown = element("output", { "data-value": "threshold" });
  const prevalenceShown = element("output", { "data-value": "prevalence" });

  const buttons = data.points.map((point) => element("button", {
    type: "button", "data-point": point.name, onclick: () => set({ point: point.name, threshold: point.threshold }),
  }));
  const slider = element("input", {
    type: "range", min: 0, max: 1000, step: 1, id: "threshold", "aria-label": texts.threshold,
    oninput: () => set({ point: null, threshold: atPrevalence(slider.value / 1000, view.prevalence, data.assumed) }),
  });
  const prevalence = element("input", {
    type: "range", min: 1, max: 99, step: 1, id: "prevalence", "aria-label": texts.prevalence_slider.trim(),
    oninput: () => set({ prevalence: prevalence.value / 100 }),
    onchange: () => tell(view.prevalence),
  });

  function set(change) {
    Object.assign(view, change);
    draw();
  }

  function draw() {
    const i = rowAt(data.thresholds, view.threshold);
    const counts = Object.fromEntries(["tn", "fp", "fn", "tp"].map((name) => [name, data.counts[name][i]]));
    const threshold = atPrevalence(view.threshold, data.assumed, view.prevalence);
    slider.value = Math.round(threshold * 1000);
    slider.setAttribute("aria-valuetext", thresholdPercent(threshold));
    shown.textContent = thresholdPercent(threshold);
    data.points.forEach((point, place) => {
      buttons[place].textContent = `${point.title} (${thresholdPercent(atPrevalence(point.threshold, data.assumed, view.prevalence))})`;
      buttons[place].setAttribute("aria-pressed", String(point.name === view.point));
    });
    moveMatrix(counts);
    few.textContent = data.few[i];
    moveRoc(i);
    if (benefitDrawnAt !== view.prevalence) {
      const [svg, move] = benefitPlot(data, view.prevalence);
      benefit.replaceChildren(svg);
      [moveBenefit, benefitDrawnAt] = [move, view.prevalence];
    }
    const netBenefit = moveBenefit(i, threshold).toFixed(3);
    benefitNote.textContent = fill(texts.benefit_at, { threshold: thresholdPercent(threshold), benefit: netBenefit });
    for (const [metric, , move] of metrics) move(metric.values[i], metric.lows[i], metric.highs[i]);
    const odds = view.prevalence / (1 - view.prevalence);
    const [plus, minus] = ["lr_positive", "lr_negative"].map((name) => data.metrics.find((metric) => metric.name === name));
    setPpv(...["values", "lows", "highs"].map((column) => positive(plus[column][i], odds)));
    setNpv(...["values", "highs", "lows"].map((column) => negative(minus[column][i], odds)));
    prevalence.value = Math.round(view.prevalence * 100);
    prevalenceShown.textContent = prevalencePercent(view.prevalence);
    const positives = Math.round(1000 * view.prevalence), negatives = 1000 - positives;
    const found = Math.round((positives * counts.tp) / (counts.tp + counts.fn));
    const alarms = Math.round((negatives * counts.fp) / (counts.fp + counts.tn));
    frequency.textContent = fill(texts.frequency, { positives, negatives, found, missed: positives - found, alarms });
  }

  const part = (title, ...children) => element("section", {}, element("h3", {}, title), ...children);
  const note = (words) => element("p", { class: "note" }, words);
  const table = (...rows) => element("table", { class: "figures" }, element("tbody", {}, ...rows));
  const slide = (label, output, input) => element("div", { class: "slide" }, element("label", { for: input.id }, label, output), input);
  root.replaceChildren(
    element(
      "div",
      { class: "controls" },
      element("fieldset", {}, element("legend", {}, texts.point), ...buttons),
      slide(texts.slider, shown, slider),
    ),
    element(
      "div",
      { class: "parts" },
      part(texts.three_way, threeWay(data.threeWay), note(texts.three_way_note)),
      part(texts.matrix, matrixTable, note(texts.matrix_note), few),
      part(texts.metrics, table(...metrics.map(([, row]) => row)), note(texts.metrics_note)),
      part(texts.roc, roc, note(texts.roc_note)),
      part(texts.curve, benefit, benefitNote, note(texts.benefit_note)),
      part(
        texts.prevalence,
        slide(texts.prevalence_slider, prevalenceShown, prevalence),
        table(ppvRow, npvRow),
        frequency,
        note(texts.prevalence_note),
      ),
    ),
  );
  draw();
  drawers.set(root, draw);
  root.dataset.state = "drawn";
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".decision");
  if (!data) return;
  if (!views.has(data.key)) {
    const balanced = data.points.find((point) => point.name === "balanced");
    views.set(data.key, { point: "balanced", threshold: balanced.threshold, prevalence: data.prevalence, told: null });
  }
  const view = views.get(data.key);
  // An answer to an earlier choice does not undo the latest one.
  if (view.told === null) view.prevalence = data.prevalence;
  else if (view.told === data.prevalence) view.told = null;
  if (root.dataset.key === data.key) {
    drawers.get(root)();
    return;
  }
  root.dataset.key = data.key;
  build(root, data, view, (prevalence) => {
    view.told = prevalence;
    setTriggerValue("prevalence", prevalence);
  });
}
