// The probability among its thresholds, from 0 to 100 %. Zones carry their shape; the finding above carries the word.

const NEAR_EDGE = 0.16;

// Holds a label over its place, and within the scale near its ends.
function anchor(label, share) {
  const place = share < NEAR_EDGE ? { left: `${100 * Math.max(0, share - 0.01)}%` } : { left: `${100 * share}%`, transform: "translateX(-50%)" };
  const end = { right: `${100 * Math.max(0, 0.99 - share)}%` };
  Object.assign(label.style, { left: "", right: "", transform: "" }, share > 1 - NEAR_EDGE ? end : place);
}

class Scale {
  constructor(words) {
    this.words = words;
    this.zones = ["negative", "uncertain", "positive"].map((name) => make("i", { class: name }));
    [this.needle, this.tick, this.label] = [make("b", { class: "needle" }), make("b", { class: "tick" }), make("span", { class: "threshold" })];
    this.part = make("div", { class: "scale", role: "img" }, make("div", { class: "zones" }, ...this.zones), this.needle, this.tick, this.label);
  }

  draw({ probability, points }, values) {
    const { words } = this;
    const [low, high] = words.banded ? [points.high_sensitivity, points.high_specificity] : [points.balanced, points.balanced];
    [low, high - low, 1 - high].forEach((width, i) => (this.zones[i].style.width = `${100 * width}%`));
    this.needle.style.left = `${100 * probability}%`;
    this.tick.style.left = `${100 * points.balanced}%`;
    this.label.textContent = cxrNumbers.fill(words.balanced, values);
    anchor(this.label, points.balanced);
    this.part.setAttribute("aria-label", cxrNumbers.fill(words.label, values));
  }
}
