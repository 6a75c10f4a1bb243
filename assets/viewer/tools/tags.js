// What a DICOM file states, as a list that can be searched. Identity comes only where the user asks for it.

class TagList {
  constructor(viewer, signal) {
    [this.viewer, this.tags, this.turn] = [viewer, [], 0];
    viewer.part("tags-filter").addEventListener("input", () => this.draw(), { signal });
    viewer.part("identity").addEventListener("change", () => this.load(), { signal });
  }

  async load() {
    const { viewer } = this, { words, store } = viewer, turn = ++this.turn, id = viewer.id;
    const identity = viewer.part("identity").checked ? 1 : 0;
    [this.tags, this.note] = [[], words.tags_loading];
    this.draw();
    try {
      const answer = await store.requests.get(`tags/${id}?identity=${identity}`);
      if (turn !== this.turn) return;
      if (!answer.ok) throw new Error("no tags");
      const found = await answer.json();
      [this.tags, this.note] = [found.tags, found.note];
    } catch {
      if (turn !== this.turn) return;
      this.note = words.tags_failed;
    }
    this.draw();
  }

  // Nothing of one image stays beside another.
  forget() {
    this.turn++;
    [this.tags, this.note] = [[], ""];
    this.viewer.part("identity").checked = false;
    this.draw();
  }

  draw() {
    const { viewer } = this, wanted = viewer.part("tags-filter").value.trim().toLowerCase();
    const rows = this.tags.filter((tag) => tag.join(" ").toLowerCase().includes(wanted));
    viewer.part("tags-rows").replaceChildren(...rows.map(([tag, name, value]) => {
      const row = document.createElement("tr");
      row.append(element("th", name), element("td", value), element("td", tag));
      return row;
    }));
    viewer.part("tags-note").textContent = this.note ?? "";
  }
}
