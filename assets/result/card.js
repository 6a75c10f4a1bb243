// The result of the selected image: warnings first, then finding and number, and everything else under Details.

const AGAIN = 2000; // milliseconds before a card that did not come is asked for again
const opened = new Set(); // folded parts that are open, for all images
const SETTLED = ["read", "refused"];
const PASSING = 120; // milliseconds; cards of images passed faster than this are not loaded

class Card {
  constructor(root, store, words) {
    Object.assign(this, { store, words, following: [] });
    [this.part, this.said] = ["card", "said"].map((name) => root.querySelector(`[data-part=${name}]`));
    this.leave = store.subscribe(() => this.draw());
    this.draw();
  }

  end() {
    this.leave();
    clearTimeout(this.retry);
    this.key = null;
  }

  draw() {
    const row = this.store.rows.get(this.store.selected);
    const key = row ? JSON.stringify([row.id, row.outcome, row.status, row.hasImage, row.reason, row.repairs]) : "";
    if (key !== this.key) {
      [this.key, this.card] = [key, null];
      clearTimeout(this.retry);
      this.build(row);
      this.load(row, key);
    }
    this.follow(row);
  }

  // A card that is known already comes before the browser paints.
  async load(row, key) {
    if (!SETTLED.includes(row?.status)) return;
    const now = performance.now(), passing = now - (this.loadedAt ?? -PASSING) < PASSING;
    this.loadedAt = now;
    if (passing && !this.store.cards.has(`${row.id} ${row.outcome}`)) {
      await new Promise((resolve) => setTimeout(resolve, PASSING));
      if (this.key !== key) return;
    }
    try {
      const card = await this.store.card(row.id);
      if (this.key !== key) return;
      this.card = card;
      this.build(row);
      this.follow(row);
    } catch {
      if (this.key === key) this.retry = setTimeout(() => this.load(row, key), AGAIN);
    }
  }

  build(row) {
    [this.following, this.queue] = [[], null];
    const parts = row ? (row.probability == null ? this.unread(row) : this.result(row)) : [make("p", { class: "state" }, this.words.nothing)];
    this.part.replaceChildren(...parts.filter(Boolean));
    this.part.dataset.state = row?.status ?? "nothing";
    this.part.dataset.id = row?.id ?? "";
    this.part.dataset.whole = String(!!this.card);
    this.part.dataset.unlike = row?.unlike ?? "";
  }

  // Everything that depends on the prevalence is written here, at once, whenever anything has changed.
  follow(row) {
    this.queue?.();
    if (row?.probability == null) return this.say(row);
    const { words } = this, prevalence = this.store.prevalence ?? row.assumed;
    const numbers = cxrNumbers.at(row, prevalence), percent = cxrNumbers.prevalencePercent(prevalence), even = prevalence === EVEN_ODDS;
    const values = {
      ...numbers.shown.thresholds,
      probability: numbers.shown.probability,
      prevalence: even ? words.even_odds : cxrNumbers.fill(words.prevalence, { prevalence: percent }),
      assumed: even ? cxrNumbers.fill(words.even_odds_value, { prevalence: percent }) : percent,
    };
    const { evidence } = this.card ?? {};
    if (evidence) values.share = cxrNumbers.ofHundred(cxrNumbers.evidenceShare(evidence, prevalence));
    this.values = values;
    for (const write of this.following) write(values, numbers, prevalence);
    this.say(row);
  }

  // A text that follows the prevalence.
  write(element, template) {
    this.following.push((values) => (element.textContent = cxrNumbers.fill(template, values)));
    return element;
  }

  say(row) {
    if (this.heard === this.key) return;
    this.heard = this.key;
    const { words } = this;
    const finding = row?.finding ? `${cxrNumbers.fill(words.finding, { finding: row.finding })}. ${this.values.probability}` : "";
    this.said.textContent = row && SETTLED.includes(row.status) ? finding || row.reason || "" : "";
  }

  result(row) {
    const { words, store, card } = this;
    const number = this.write(make("b", { "data-value": "probability" }), "{probability}");
    const title = this.write(make("span", { class: "title" }), card?.title ?? words.number);
    const scale = new Scale(card?.scale ?? { banded: true, balanced: words.balanced, label: "{probability}" });
    const slider = new PrevalenceSlider(store, words, card?.slider ?? words.slider);
    this.following.push((values, numbers, prevalence) => {
      scale.draw(numbers, values);
      slider.draw(prevalence, values.assumed);
    });
    return [
      ...this.warnings(row),
      make("h2", { class: `finding ${row.kind}`, "data-part": "finding" }, icon(row.kind), make("span", {}, row.finding)),
      make("p", { class: "number" }, number, title),
      scale.part,
      card?.evidence && this.write(make("p", { class: "evidence", "data-part": "evidence" }), card.evidence.sentence),
      card?.shares && sharesPart(card.shares, words),
      ...(card?.notes ?? []).map((note) => make("p", { class: "quiet", "data-part": "note" }, note)),
      slider.part,
      card && new Actions(store, row, card, words, () => this.text()).part,
      row.released && this.released(row),
      card?.repair.offered.length > 0 && this.repair(row),
      card && this.details(row),
    ];
  }

  warnings(row) {
    const { words, card } = this;
    const box = (kind, ...children) => make("div", { class: `warning ${kind}`, role: "note" }, icon("warning"), make("div", {}, ...children));
    const unlike = card ? card.unlike : row.unlike ? [words.unlike] : [];
    const first = unlike.length ? [box(`unlike ${row.unlike}`, make("b", {}, unlike[0]), ...unlike.slice(1).map((said) => make("p", {}, said)))] : [];
    return [...first, ...(card?.warnings ?? []).map((said) => box("plain", said))];
  }

  repair(row) {
    const { words, card } = this, part = repairPart(this.store, row, { ...card.repair, done: [] }, words);
    const { first } = card.repair, step = words[`step.${first}`];
    return folded(first ? cxrNumbers.fill(words.repair_suggested, { step }) : words.repair, opened, "repair", part);
  }

  details(row) {
    const { words, card } = this;
    const write = (element, value) => this.write(element, value);
    return folded(
      words.details, opened, "details",
      make("h3", {}, words.reason), this.write(make("p"), card.reason),
      card.evidence && make("h3", {}, words.evidence), card.evidence && make("p", {}, card.evidence.counts),
      make("h3", {}, words.facts), pairs(card.facts, write),
      make("h3", {}, words.points), pairs(card.points, write),
      make("h3", {}, words.file), filePart(card.file),
      make("h3", {}, words.checks), checksList(card.checks),
    );
  }

  released(row) {
    const { store, words } = this;
    if (row.gone) return make("p", { class: "state" }, words.gone);
    return make("p", { class: "state" }, row.wanted ? words.released_again : words.released, !row.wanted && button(words.bring_back, () => store.again(row.id)));
  }

  text() {
    return this.card.text.map(([line, follows]) => (follows ? cxrNumbers.fill(line, this.values) : line)).join("\n");
  }

  // An image without a number: why, and what to do next.
  unread(row) {
    const { words, store, card } = this;
    const head = (name, ...rest) => [make("h2", { class: `finding ${name}` }, icon(name === "refused" ? "refused" : "busy"), words[row.status]), ...rest];
    const reason = row.reason && make("p", { class: "reason", "data-part": "reason" }, row.reason);
    if (row.status === "refused") {
      const passed = card?.checks.filter(({ outcome }) => outcome === "passed");
      return head(
        "refused", reason, make("p", { class: "quiet" }, words.refused_note),
        card && repairPart(store, row, card.repair, words),
        card && checksList(card.checks.filter(({ outcome }) => outcome !== "passed")),
        passed?.length > 0 && folded(cxrNumbers.fill(words.passed, { count: passed.length }), opened, "passed", checksList(passed)),
        card && folded(words.file, opened, "file", filePart(card.file)),
      );
    }
    if (row.status === "waiting" || row.status === "reading") {
      const place = make("p", { class: "quiet" });
      this.queue = () => (place.textContent = row.status === "reading" && store.place > 0 ? cxrNumbers.fill(words.place, store) : "");
      return head("busy", place);
    }
    const again = button(row.status === "cancelled" ? words.read_again : words.again, () => store.again(row.id), { "data-do": "again" });
    return head("failed", reason, make("div", { class: "choices" }, again));
  }
}
