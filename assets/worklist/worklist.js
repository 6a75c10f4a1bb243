// The session's images as a list: open, sort, filter, mark, remove, save. Everything works by keyboard alone.

const SETTLED = 800; // milliseconds in which results are gathered before a screen reader hears of them
const SHOWN_FOR = 4000; // milliseconds that the outcome of a download stays
const PAGE = 8; // rows of a page up or down
const NARROW = "(max-width: 1000px)";

class Worklist {
  constructor(root, store) {
    [this.root, this.store, this.elements] = [root, store, new Map()];
    [this.known, this.news] = [new Map(), []];
    [this.list, this.field] = [this.part("list"), this.part("note")];
    this.done = new AbortController();
    store.choice ??= { ...FIRST_CHOICE };
    this.write();
    this.connect();
    for (const row of store.rows.values()) this.known.set(row.id, row.status);
    this.leave = store.subscribe(() => this.draw());
    this.draw();
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  button(name) {
    return this.root.querySelector(`[data-do="${name}"]`);
  }

  // Texts, shapes and choices, which never change.
  write() {
    const { root, store } = this;
    for (const element of root.querySelectorAll("[data-word]")) element.textContent = words[element.dataset.word];
    for (const element of root.querySelectorAll("[data-icon]")) element.replaceChildren(icon(element.dataset.icon));
    for (const element of root.querySelectorAll("[data-hint]")) element.placeholder = words[element.dataset.hint];
    for (const element of root.querySelectorAll("[data-label]")) {
      element.setAttribute("aria-label", words[element.dataset.label]);
      if (element.localName === "button") element.title = words[element.dataset.label];
    }
    this.part("sort").replaceChildren(...SORTS.map((name) => new Option(words[`sort_${name}`], name)));
    this.part("finding").replaceChildren(...SHOWN.map((name) => new Option(words[`show_${name}`], name)));
    const { choice } = store;
    for (const name of ["text", "sort", "finding"]) this.part(name).value = choice[name];
  }

  connect() {
    const { store, root, list, done } = this, { signal } = done;
    const on = (target, type, listener) => target.addEventListener(type, listener, { signal });
    on(root, "click", (event) => {
      const button = event.target.closest?.("[data-do]");
      if (button) this.act(button.dataset.do);
    });
    for (const name of ["files", "folder"]) {
      const input = this.part(name);
      on(input, "change", () => {
        store.add([...input.files].filter((file) => name === "files" || !file.name.startsWith(".")));
        input.value = "";
      });
    }
    for (const [name, type] of [["text", "input"], ["sort", "change"], ["finding", "change"]]) {
      const input = this.part(name);
      on(input, type, () => this.choose({ [name]: input.value }));
    }
    on(list, "click", (event) => {
      const element = event.target.closest?.(".row");
      if (element) this.open(element.dataset.id, true);
    });
    on(list, "keydown", (event) => this.press(event));
    on(window, "keydown", (event) => this.pressAnywhere(event));
    on(this.field, "input", () => {
      clearTimeout(this.saving);
      this.saving = setTimeout(() => this.saveNote(), SETTLED);
    });
    on(this.field, "blur", () => this.saveNote());
    on(this.field, "keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.list.focus(); // where J, K, A and D act again
    });
  }

  // What the user does.

  act(name) {
    const { store } = this, id = store.selected, row = store.rows.get(id);
    if (name === "add") this.part("files").click();
    else if (name === "folder") this.part("folder").click();
    else if (name === "cancel-all") store.cancel();
    else if (name === "unseen" || name === "warnings") this.choose({ [name]: !store.choice[name] });
    else if (name === "all") this.showAll();
    else if (name === "undo") store.undo();
    else if (name === "csv") this.save("list.csv", "readings.csv");
    else if (name === "zip") this.save("all.zip", "readings.zip");
    else if (name === "clear") store.clear();
    else if (name === "forget") confirm(words.forget_sure) && store.forget();
    else if (!row) return;
    else if (name === "agree" || name === "disagree") store.mark(id, row.mark === name ? null : name);
    else if (name === "note") this.toggleNote();
    else if (name === "remove") this.remove(id);
    else if (name === "again") row.status === "waiting" || row.status === "reading" ? store.cancel([id]) : store.again(id);
  }

  choose(changes) {
    Object.assign(this.store.choice, changes);
    this.draw();
    const { length } = this.store.shown;
    this.say(length === 1 ? words.shown_one : cxrNumbers.fill(words.shown, { count: length }));
  }

  showAll() {
    this.choose({ ...FIRST_CHOICE, sort: this.store.choice.sort });
    this.write();
    this.list.focus();
  }

  open(id, touched = false) {
    this.saveNote();
    this.store.select(id);
    this.reveal(id);
    // On a phone the result is above the list.
    if (touched && matchMedia(NARROW).matches) document.querySelector(".st-key-result")?.scrollIntoView({ block: "start" });
  }

  // Opens the row that is some rows further on.
  step(rows) {
    const { shown, selected } = this.store, at = shown.indexOf(selected);
    const next = at < 0 ? 0 : Math.min(Math.max(at + rows, 0), shown.length - 1);
    if (shown[next] && shown[next] !== selected) this.open(shown[next]);
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE, Home: -Infinity, End: Infinity };
    const acts = { a: "agree", d: "disagree", n: "note", Delete: "remove", Backspace: "remove" };
    if (event.key in steps) this.step(steps[event.key]);
    else if (event.key in acts) this.act(acts[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  pressAnywhere(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const [target] = event.composedPath();
    if (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName)) return;
    const key = event.key.toLowerCase();
    if (key !== "j" && key !== "k") return;
    event.preventDefault();
    this.step(key === "j" ? 1 : -1);
  }

  remove(id) {
    const inside = this.root.activeElement;
    this.store.remove([id]);
    if (inside && !inside.checkVisibility?.()) this.list.focus();
  }

  toggleNote() {
    this.noting = this.field.hidden ? this.store.selected : null;
    if (this.noting === null) this.saveNote();
    this.draw();
    if (this.noting) this.field.focus();
    else this.list.focus();
  }

  saveNote() {
    clearTimeout(this.saving);
    const id = this.field.dataset.id, row = this.store.rows.get(id);
    if (row && row.note !== this.field.value) this.store.note(id, this.field.value);
  }

  async save(path, name) {
    const { store } = this, part = this.part("saving");
    const show = (text) => {
      this.say(text);
      [part.textContent, part.hidden] = [text, false];
    };
    show(words.saving);
    try {
      await store.save(`${path}?prevalence=${store.prevalence}`, name);
      show(words.saved);
    } catch {
      show(words.not_saved);
    }
    clearTimeout(this.hiding);
    this.hiding = setTimeout(() => (part.hidden = true), SHOWN_FOR);
  }

  // What is shown.

  draw() {
    const { store } = this;
    if (store.prevalence === null && store.rows.size) return;
    store.shown = listed(store);
    this.drawList();
    this.drawBusy();
    this.drawActions();
    this.drawUndo();
    this.drawKept();
    this.gather();
  }

  drawList() {
    const { store, list, elements } = this, before = list.scrollTop;
    const wanted = store.shown.map((id) => {
      let element = elements.get(id);
      if (!element) elements.set(id, (element = new RowElement(id)));
      element.draw(store.rows.get(id), store);
      return element.element;
    });
    for (const id of [...elements.keys()]) if (!store.rows.has(id)) elements.delete(id);
    if (wanted.length !== list.children.length || wanted.some((element, at) => list.children[at] !== element)) {
      list.replaceChildren(...wanted);
      list.scrollTop = before;
    }
    const shown = store.shown.includes(store.selected);
    if (shown) list.setAttribute("aria-activedescendant", `row-${store.selected}`);
    else list.removeAttribute("aria-activedescendant");
    const outcome = store.rows.get(store.selected)?.outcome; // a new result may move the row to another place
    if (this.selected !== store.selected || this.outcome !== outcome) {
      [this.selected, this.outcome] = [store.selected, outcome];
      if (shown) this.reveal(store.selected);
    }
    const { choice, order } = store;
    this.part("filters").hidden = this.part("keys").hidden = order.length < 2;
    this.part("none").hidden = !order.length || store.shown.length > 0;
    for (const name of ["unseen", "warnings"]) this.button(name).setAttribute("aria-pressed", String(choice[name]));
    for (const name of ["csv", "zip", "clear"]) this.button(name).disabled = !order.length;
  }

  drawBusy() {
    const { store } = this, rows = [...store.rows.values()], done = rows.filter((row) => DONE.includes(row.status)).length;
    const busy = done < rows.length;
    this.part("busy").hidden = !busy;
    if (!busy) return;
    [this.part("progress").max, this.part("progress").value] = [rows.length, done];
    const values = { done, count: rows.length, place: store.place };
    this.part("busy-words").textContent = cxrNumbers.fill(store.place ? words.queue : words.busy, values);
  }

  drawActions() {
    const { store, field } = this, row = store.rows.get(store.selected);
    this.part("actions").hidden = !row;
    if (!row) return;
    for (const name of ["agree", "disagree"]) {
      this.button(name).setAttribute("aria-pressed", String(row.mark === name));
      this.button(name).disabled = row.status !== "read";
    }
    const open = !DONE.includes(row.status), again = row.status === "failed" || row.status === "cancelled";
    this.part("again").hidden = !(open || again || (row.released && !row.gone));
    this.part("again-words").textContent = open ? words.cancel : row.released ? words.bring_back : words.again;
    this.button("again").querySelector(".icon").hidden = open;
    if (field.dataset.id !== row.id) {
      [field.dataset.id, field.value] = [row.id, row.note];
      this.noting = null;
    } else if (this.root.activeElement !== field) field.value = row.note;
    field.hidden = !(row.note || this.noting === row.id);
    this.button("note").setAttribute("aria-expanded", String(!field.hidden));
  }

  drawUndo() {
    const { undoable } = this.store;
    this.part("undo").hidden = !undoable;
    if (undoable) this.part("undo-words").textContent = undoable === 1 ? words.removed_one : cxrNumbers.fill(words.removed, { count: undoable });
  }

  // Says what is kept beyond this session, where anything is.
  drawKept() {
    this.part("kept").hidden = !words.kept;
    this.part("kept-words").textContent = this.store.unkept ? words.unkept : words.kept;
  }

  // Scrolls the list, and nothing else, to a row.
  reveal(id) {
    const element = this.elements.get(id)?.element, { list } = this;
    if (!element?.isConnected || list.scrollHeight <= list.clientHeight) return;
    const box = list.getBoundingClientRect(), at = element.getBoundingClientRect();
    if (at.top < box.top) list.scrollTop -= box.top - at.top;
    else if (at.bottom > box.bottom) list.scrollTop += at.bottom - box.bottom;
  }

  // Tells screen readers of new results: one by itself, many by their number.
  gather() {
    const { store } = this;
    for (const row of store.rows.values()) {
      if (DONE.includes(row.status) && this.known.get(row.id) !== row.status) this.news.push(row.id);
      this.known.set(row.id, row.status);
    }
    if (!this.news.length || this.telling) return;
    this.telling = setTimeout(() => {
      const rows = this.news.map((id) => store.rows.get(id)).filter(Boolean);
      [this.news, this.telling] = [[], 0];
      const open = [...store.rows.values()].filter((row) => !DONE.includes(row.status)).length;
      if (rows.length === 1) this.say(sentence(rows[0], store));
      else if (rows.length) this.say(cxrNumbers.fill(words.results, { count: rows.length, open }));
    }, SETTLED);
  }

  say(text) {
    this.part("live").textContent = text;
  }

  destroy() {
    this.saveNote();
    clearTimeout(this.telling);
    clearTimeout(this.hiding);
    this.done.abort();
    this.leave();
    this.store.shown = null;
  }
}

const worklists = new WeakMap();

// Streamlit calls this at every run of the page with the same element; only the latest function ends the list.
export default function ({ data, parentElement: root }) {
  words = data.words;
  const store = openRoom(data), list = worklists.get(root) ?? new Worklist(root, store), turn = Symbol();
  worklists.set(root, list);
  list.turn = turn;
  return () => {
    if (list.turn !== turn) return;
    list.destroy();
    worklists.delete(root);
  };
}
