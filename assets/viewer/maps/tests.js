// Deletion and insertion of one map, as curves and sentences.

const PLOT = { width: 300, height: 150, left: 30, bottom: 18, top: 6, right: 6 };

class Tests {
  constructor(words, config, act) {
    [this.words, this.act] = [words, act];
    this.select = element("select");
    for (const { name, title } of [config.default, ...config.others]) this.select.append(new Option(title, name));
    this.button = element("button", words.test_map);
    this.button.type = "button";
    this.button.addEventListener("click", () => act(this.select.value));
    this.output = element("div");
    this.output.setAttribute("aria-live", "polite");
    this.select.setAttribute("aria-label", words.test_map);
    const choice = element("span", this.select, "group");
    choice.append(this.button);
    this.root = element("div", element("p", words.test_note, "note"), "tests");
    this.root.append(choice, this.output);
  }

  say(sentence) {
    this.output.replaceChildren(...(sentence ? [element("p", sentence)] : []));
  }

  show({ notices, curves, sentences }) {
    const charts = curves.flatMap((curve) => [this.chart(curve), element("p", curve.words, "note")]);
    const texts = [...notices, ...sentences].map((sentence) => element("p", sentence, "note"));
    this.output.replaceChildren(...charts, ...texts);
  }

  chart({ axis, words, share, map, random }) {
    const { width, height, left, bottom, top, right } = PLOT;
    const x = (value) => left + value * (width - left - right), y = (value) => top + (1 - value) * (height - top - bottom);
    const line = (scores) => share.map((at, i) => `${x(at).toFixed(1)},${y(scores[i]).toFixed(1)}`).join(" ");
    const chart = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words, class: "chart" });
    for (const value of [0, 0.5, 1]) {
      chart.append(drawn("line", { x1: x(0), x2: x(1), y1: y(value), y2: y(value), class: "rule" }));
      chart.append(drawn("text", { x: left - 4, y: y(value) + 4, "text-anchor": "end" }, String(100 * value)));
    }
    chart.append(drawn("polyline", { points: line(random), class: "random" }));
    chart.append(drawn("polyline", { points: line(map), class: "map" }));
    chart.append(drawn("text", { x: x(0.5), y: height - 4, "text-anchor": "middle" }, axis));
    chart.append(drawn("text", { x: x(1), y: top + 10, "text-anchor": "end", class: "map" }, this.words.test_order));
    chart.append(drawn("text", { x: x(1), y: top + 24, "text-anchor": "end", class: "random" }, this.words.test_random));
    return chart;
  }
}

function drawn(kind, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}
