// The column beside the image on the Heatmap page: the shares of the evidence, and the other methods to choose from.

const SHARES = [["right", "left", "outside"], ["upper", "middle", "lower"]];

class Evidence {
  // `change(method, on)`, `stop(method)` and `test(method)` act on what the user chooses.
  constructor(viewer, config, acts) {
    [this.viewer, this.words, this.config, this.acts] = [viewer, viewer.words, config, acts];
    this.root = viewer.part("evidence");
    this.root.hidden = false;
    this.finding = element("p", "", "finding");
    this.shares = element("div");
    this.rows = new Map();
    const { words } = this, clinical = config.others.filter((method) => !method.research);
    const research = config.others.filter((method) => method.research);
    this.chooser = element("select");
    this.chooser.setAttribute("aria-label", words.image);
    this.chooser.addEventListener("change", () => viewer.store.select(this.chooser.value));
    this.body = element("div", this.chooser, "column");
    this.content = element("div", this.finding, "column");
    this.content.append(element("h2", words.evidence_title), this.shares, element("p", words.evidence_note, "note"));
    const head = [element("h2", words.compare_methods), element("p", words.compare_methods_note, "note")];
    if (clinical.length) this.content.append(...head, this.list(clinical));
    const details = element("details", element("summary", words.researchers));
    if (research.length) details.append(element("p", words.researchers_note, "note"), this.list(research));
    this.tests = new Tests(words, config, acts.test);
    details.append(this.tests.root);
    this.content.append(details);
    this.body.append(this.content);
    this.offer = this.demo();
    this.root.append(this.offer, this.body);
  }

  list(methods) {
    const list = element("ul", "", "methods");
    for (const method of methods) {
      const box = document.createElement("input"), stop = element("button", this.words.stop), state = element("span", "", "state");
      box.type = "checkbox";
      box.addEventListener("change", () => this.acts.change(method.name, box.checked));
      [stop.type, stop.hidden] = ["button", true];
      stop.addEventListener("click", () => this.acts.stop(method.name));
      state.setAttribute("role", "status");
      const choice = element("label", box, "method"), item = element("li", choice);
      choice.append(element("span", method.title), element("span", method.wait, "wait"));
      item.append(state, stop, this.about(method));
      list.append(item);
      this.rows.set(method.name, { box, state, stop });
    }
    return list;
  }

  about({ title, about, link }) {
    const details = element("details", element("summary", `${this.words.about} ${title}`), "about");
    const paper = element("a", about.at(-1));
    [paper.href, paper.target, paper.rel] = [link, "_blank", "noreferrer"];
    details.append(...about.slice(0, -1).map((sentence) => element("p", sentence)), element("p", paper));
    return details;
  }

  // Demo images to begin with, where there is no image.
  demo() {
    const { words, viewer, config } = this, offer = element("div", element("p", words.offer), "offer");
    const choices = element("div", "", "choices");
    for (const { index, name, title } of config.demo) {
      const button = element("button", title);
      button.type = "button";
      button.addEventListener("click", () => viewer.store.demo(index, name));
      choices.append(button);
    }
    offer.append(element("h2", words.offer_demo), choices, element("p", words.offer_drop));
    return offer;
  }

  // `states`: how the chosen methods stand; `most`: whether no more fit beside the first.
  show(row, states, full) {
    const images = this.viewer.store.rows.size > 0;
    this.offer.hidden = images;
    this.body.hidden = !images;
    this.choose();
    this.content.hidden = !row;
    for (const [name, { box, state, stop }] of this.rows) {
      const known = states.get(name);
      box.checked = Boolean(known);
      box.disabled = full && !known;
      stop.hidden = !known || !["waiting", "computing"].includes(known.status);
      const text = known?.text ?? "";
      if (state.textContent !== text) state.textContent = text;
      state.classList.toggle("failed", known?.status === "failed");
    }
    if (!row) return;
    const number = row.probability === null ? "" : cxrNumbers.at(row, this.viewer.store.prevalence ?? row.assumed).shown.probability;
    this.finding.textContent = row.finding ? fill(this.words.finding_line, { finding: row.finding, probability: number }) : "";
    if (this.shown === Scenes.key(row)) return;
    this.shown = Scenes.key(row);
    this.shares.replaceChildren();
    this.viewer.store.card(row.id).then((card) => this.shown === Scenes.key(row) && this.draw(card), () => (this.shown = ""));
  }

  // The images of the list, of which one is selected on every page.
  choose() {
    const { store } = this.viewer, order = store.shown ?? store.order;
    const rows = order.map((id) => store.rows.get(id)).filter((row) => row?.hasImage || row?.id === store.selected);
    const wanted = rows.map((row) => `${row.id} ${row.name} ${row.finding}`).join("\n");
    if (this.chooser.dataset.rows !== wanted) {
      this.chooser.dataset.rows = wanted;
      this.chooser.replaceChildren(...rows.map((row) => new Option(row.finding ? `${row.name} (${row.finding})` : row.name, row.id)));
    }
    this.chooser.value = store.selected ?? "";
  }

  draw({ shares, unlike = [], warnings = [] }) {
    const { words } = this, drawn = [];
    if (!shares) drawn.push(element("p", words.empty_map));
    else if (shares.said) drawn.push(element("p", shares.said));
    else {
      for (const names of SHARES) drawn.push(this.table(names, shares.parts));
      if (shares.doubtful) drawn.push(element("p", words.sides_doubtful, "doubt"));
    }
    drawn.push(...[...unlike, ...warnings].map((warning) => element("p", warning, "doubt")));
    this.shares.replaceChildren(...drawn);
  }

  table(names, parts) {
    const list = element("dl", "", "shares");
    for (const name of names) {
      const [percent, text] = parts[name], bar = element("i");
      bar.style.width = `${percent}%`;
      const value = element("dd", element("span", bar, "bar-of"));
      value.append(element("b", text));
      list.append(element("dt", this.words[`share_${name}`]), value);
    }
    return list;
  }
}
