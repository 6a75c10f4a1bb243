// The prevalence that every number of the session assumes, set once.

const CHOICES = [0.001, 0.002, 0.005, ...Array.from({ length: 99 }, (_, i) => (i + 1) / 100), 0.995, 0.998, 0.999];
const EVEN_ODDS = 0.5;

class PrevalenceSlider {
  constructor(store, words, label) {
    [this.store, this.words, this.choices] = [store, words, CHOICES];
    this.shown = make("output", { "data-value": "prevalence" });
    this.input = make("input", {
      type: "range", min: 0, step: 1, "data-part": "prevalence", "aria-label": label, title: label,
      oninput: () => store.setPrevalence(this.choices[this.input.value]),
    });
    this.reset = button(words.slider_reset, () => {
      store.setPrevalence(EVEN_ODDS);
      this.input.focus({ preventScroll: true });
    }, { class: "plain", "data-do": "even" });
    const head = make("div", { class: "head" }, make("span", {}, words.slider), this.shown, this.reset);
    this.part = make("section", { class: "prevalence" }, head, this.input, make("p", { class: "quiet" }, words.slider_note));
  }

  draw(prevalence, assumed) {
    this.choices = CHOICES.includes(prevalence) ? CHOICES : [...CHOICES, prevalence].sort((one, other) => one - other);
    this.input.max = this.choices.length - 1;
    this.input.value = this.choices.indexOf(prevalence);
    this.input.setAttribute("aria-valuetext", assumed);
    this.shown.textContent = assumed;
    this.reset.hidden = prevalence === EVEN_ODDS;
  }
}
