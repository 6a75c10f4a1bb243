// What can be taken away from an image, and where to go from it.

const MESSAGE = 3000; // milliseconds

class Actions {
  constructor(store, row, card, words, text) {
    Object.assign(this, { store, row, card, words, text });
    this.said = make("span", { class: "quiet", role: "status" });
    this.report = button(words.report, () => this.save(), { "data-do": "report", disabled: !row.hasImage });
    this.copying = button(words.copy, () => this.copy(), { "data-do": "copy" });
    const heatmap = button(words.heatmap, () => openPage("heatmap"), { "data-do": "heatmap" });
    this.part = make("div", { class: "actions" }, this.report, this.copying, heatmap, this.said);
  }

  say(words, stays = false) {
    this.said.textContent = words;
    clearTimeout(this.hiding);
    if (!stays) this.hiding = setTimeout(() => (this.said.textContent = ""), MESSAGE);
  }

  async save() {
    const { store, row, card, words } = this;
    this.report.disabled = true;
    this.say(words.making, true);
    try {
      await store.save(`reading.pdf/${row.id}?prevalence=${store.prevalence ?? row.assumed}`, card.report);
      this.say("");
    } catch {
      this.say(words.report_failed);
    }
    this.report.disabled = false;
  }

  async copy() {
    const text = this.text();
    try {
      await navigator.clipboard.writeText(text);
      this.say(this.words.copied);
    } catch {
      this.show(text);
    }
  }

  // Where a page may not write to the clipboard, as without HTTPS: the text itself, selected.
  show(text) {
    this.part.parentElement.querySelector("textarea")?.remove();
    const area = make("textarea", { readonly: true, rows: 8, "aria-label": this.words.copy });
    area.value = text;
    this.part.after(area);
    area.select();
    const copied = document.execCommand("copy");
    if (copied) area.remove();
    this.say(copied ? this.words.copied : this.words.copy_failed);
  }
}

// By the app's own link, so that the session stays.
function openPage(name) {
  const links = [...document.querySelectorAll("a[data-testid=stTopNavLink], a[data-testid=stSidebarNavLink]")];
  const link = links.find((one) => new URL(one.href).pathname.endsWith(`/${name}`));
  if (link) link.click();
}
