// The images of this session in the browser: one store for all components of the page, and for all pages.

const MOST_SCENES = 16, MOST_CARDS = 400, MOST_ANNOUNCED = 200;
const OPEN = ["waiting", "reading"];
const PASSING = 120; // milliseconds; nothing is loaded beside images that are passed faster than this
const UNDO_TIME = 600_000; // milliseconds; longer than the server can bring rows back

class Store {
  constructor() {
    this.listeners = new Set();
    this.words = {};
    this.limit = Infinity;
    this.empty("", "");
  }

  // Begins with nothing: another token is another session.
  empty(base, token) {
    if (this.requests) this.requests.ended = true;
    this.requests = new Requests(base, token);
    this.version = 0;
    [this.rows, this.order, this.shown] = [new Map(), [], null];
    // What the user noted or removed, with the last request that may still bring an older state: answers overtake.
    [this.noted, this.leaving, this.asked] = [new Map(), new Map(), 0];
    [this.selected, this.prevalence, this.undoable, this.place, this.lost] = [null, null, 0, 0, false];
    this.unkept = false;
    this.stamps = { selected: 0, prevalence: 0 };
    [this.scenes, this.cards] = [new Latest(MOST_SCENES), new Latest(MOST_CARDS)];
    this.uploads = new Uploads(this);
    this.intake = this.actions = Promise.resolve();
  }

  open({ base = "", token, limit, kept = false, words = {} }) {
    Object.assign(this.words, words);
    this.kept = kept; // beyond this session
    this.limit = limit ?? this.limit;
    if (!token || token === this.requests.token) return;
    const had = this.rows.size > 0 && !kept;
    this.empty(base, token);
    this.lost = had;
    warnOfLoss(this);
    this.listen();
    this.tell();
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell() {
    for (const listener of [...this.listeners]) {
      try {
        listener(this);
      } catch (error) {
        console.error(error);
      }
    }
    this.uploads.pump();
  }

  // What the server says.

  async listen() {
    const { requests } = this;
    for (let wait = FIRST_PAUSE; !requests.ended; ) {
      await this.untilNeeded();
      const asked = ++this.asked;
      try {
        const answer = await requests.get(`rows?after=${this.version}`);
        if (answer.status !== 200) throw new Error("no rows");
        const state = await answer.json();
        if (requests.ended) return;
        this.take(state, asked);
        wait = FIRST_PAUSE;
      } catch {
        await pause(wait);
        wait = Math.min(2 * wait, LONGEST_PAUSE);
      }
    }
  }

  // A browser has few connections for all its tabs: a hidden one without work does not ask.
  async untilNeeded() {
    if (!document.hidden || !this.version || this.busy()) return;
    await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
  }

  take(state, asked) {
    this.version = state.version;
    for (const waiting of [this.noted, this.leaving])
      for (const [id, { last }] of waiting) if (asked > last) waiting.delete(id);
    if (state.order) {
      const known = new Set(state.order), local = this.order.filter((id) => this.rows.get(id)?.local && !known.has(id));
      this.order = [...state.order.filter((id) => !this.leaving.has(id)), ...local];
    }
    const listed = new Set(this.order);
    for (const row of state.rows) if (listed.has(row.id)) this.rows.set(row.id, { ...row, ...this.noted.get(row.id)?.values });
    for (const id of [...this.rows.keys()]) if (!listed.has(id)) this.rows.delete(id);
    this.order = this.order.filter((id) => this.rows.has(id)); // a row removed here may be in an older answer
    for (const name of ["selected", "prevalence"]) {
      if (state.stamps[name] < this.stamps[name]) continue; // said before the user chose again
      [this[name], this.stamps[name]] = [state[name], state.stamps[name]];
    }
    [this.undoable, this.place, this.unkept] = [state.undo, state.place, state.unkept];
    this.tell();
  }

  // What the user does: at once here, then told to the server in the same order.

  act(path, value, skip = () => false) {
    const { requests } = this;
    this.actions = this.actions.then(() => (skip() || requests.ended ? undefined : requests.post(path, value)));
    return this.actions;
  }

  change(id, values) {
    const row = this.rows.get(id);
    if (row) this.rows.set(id, { ...row, ...values });
  }

  busy() {
    for (const row of this.rows.values()) if (OPEN.includes(row.status)) return true;
    return false;
  }

  // Takes files, in their order. They may be a promise, for folders: what is given later still comes after.
  add(files) {
    const taken = this.intake.then(async () => this.announce([...(await files)]));
    this.intake = taken.catch(console.error); // what cannot be taken keeps nothing else out
    return taken;
  }

  announce(files) {
    this.found();
    const idle = !this.busy(), made = files.map((file) => ({ id: newId(), name: nameOf(file), size: file.size }));
    made.forEach(({ id, name, size }, i) => {
      this.uploads.files.set(id, files[i]);
      this.rows.set(id, { ...BLANK, id, name, size });
      this.order.push(id);
    });
    for (let i = 0; i < made.length; i += MOST_ANNOUNCED) {
      const part = made.slice(i, i + MOST_ANNOUNCED);
      // A row is local until the server lists it: an older answer may arrive after this one.
      this.act("announce", { files: part }).then((answer) => answer?.ok || this.drop(part.map(({ id }) => id)));
    }
    if (made.length && idle) this.select(made[0].id);
    if (made.length) notify(this, made.length);
    this.tell();
    return made.map(({ id }) => id);
  }

  // Takes rows back that the server does not take.
  drop(ids) {
    for (const id of ids) if (this.rows.get(id)?.local) this.rows.delete(id);
    this.uploads.forget(ids);
    this.order = this.order.filter((id) => this.rows.has(id));
    this.tell();
  }

  // New images have come: nothing more to be said of those that were lost.
  found() {
    this.lost = false;
    warnOfLoss(this);
  }

  demo(index, name = "") {
    this.found();
    const id = newId();
    this.rows.set(id, { ...BLANK, id, name, demo: true });
    this.order.push(id);
    this.act("demo", { id, index });
    this.select(id);
    return id;
  }

  select(id) {
    const stamp = ++this.stamps.selected;
    this.selected = id;
    this.change(id, { seen: true });
    if (this.rows.get(id)?.released) this.again(id); // its image comes back where the file is still at hand
    this.act("select", { id, stamp }, () => stamp !== this.stamps.selected);
    this.prefetch();
    this.tell();
  }

  setPrevalence(value) {
    const stamp = ++this.stamps.prevalence;
    this.prevalence = value;
    this.act("prevalence", { value, stamp }, () => stamp !== this.stamps.prevalence);
    this.tell();
  }

  seen(id, seen = true) {
    this.annotate(id, { seen });
  }

  // "agree", "disagree", or null for neither.
  mark(id, mark) {
    this.annotate(id, { mark }, { mark: mark ?? "" });
  }

  note(id, note) {
    this.annotate(id, { note });
  }

  annotate(id, values, sent = values) {
    const noted = { values: { ...this.noted.get(id)?.values, ...values }, last: Infinity };
    this.noted.set(id, noted);
    this.change(id, values);
    this.act(`rows/${id}`, sent).then(() => (noted.last = this.asked));
    this.tell();
  }

  remove(ids) {
    const gone = new Set(ids), stays = (id) => !gone.has(id);
    const order = this.shown ?? this.order, at = order.indexOf(this.selected);
    const next = order.slice(at).find(stays) ?? order.slice(0, Math.max(at, 0)).reverse().find(stays) ?? null;
    this.order = this.order.filter(stays);
    for (const id of ids) this.rows.delete(id);
    const { uploads } = this;
    setTimeout(() => uploads.forget(gone), UNDO_TIME);
    const left = { last: Infinity };
    for (const id of ids) this.leaving.set(id, left);
    this.act("remove", { ids }).then(() => (left.last = this.asked));
    if (gone.has(this.selected)) this.select(next);
    this.tell();
  }

  clear() {
    this.remove([...this.order]);
  }

  // Deletes the list for good, also where it is kept.
  forget() {
    const ids = [...this.order], left = { last: Infinity };
    for (const id of ids) {
      this.leaving.set(id, left);
      this.rows.delete(id);
    }
    [this.order, this.selected] = [[], null];
    this.uploads.forget(ids);
    this.act("forget", {}).then(() => (left.last = this.asked));
    this.tell();
  }

  undo() {
    this.actions = this.actions.then(() => this.leaving.clear());
    return this.act("undo", {});
  }

  // Identifiers, or none for everything that waits.
  cancel(ids) {
    return this.act("cancel", { ids: ids ?? "all" });
  }

  // Reads again what failed or was cancelled; brings back pixels that made room for others.
  again(id) {
    return this.act("again", { id });
  }

  repair(id, steps) {
    return this.act("repair", { id, steps });
  }

  // What belongs to one image.

  // The packed image, map and lungs: an ArrayBuffer.
  scene(id) {
    return this.about(this.scenes, id, "scene", (answer) => answer.arrayBuffer());
  }

  card(id) {
    return this.about(this.cards, id, "card", (answer) => answer.json());
  }

  about(cache, id, path, take) {
    const { requests } = this, key = `${id} ${this.rows.get(id)?.outcome}`;
    return cache.get(key, async () => {
      const answer = await requests.get(`${path}/${id}`);
      if (!answer.ok) throw Object.assign(new Error(path), { status: answer.status });
      return take(answer);
    });
  }

  // Loads the neighbours of the selected image, once it is there itself.
  async prefetch() {
    const id = this.selected, order = this.shown ?? this.order, at = order.indexOf(id);
    await pause(PASSING);
    if (this.selected !== id) return;
    try {
      if (this.rows.get(id)?.hasImage) await this.scene(id);
      for (const next of [order[at + 1], order[at - 1]]) {
        if (this.selected !== id) return;
        if (at >= 0 && this.rows.get(next)?.hasImage) await this.scene(next);
      }
    } catch {
      // it is loaded when it is shown
    }
  }

  // Saves a file that the server makes.
  async save(path, name) {
    const answer = await this.requests.get(path);
    if (!answer.ok) throw Object.assign(new Error(path), { status: answer.status });
    const url = URL.createObjectURL(await answer.blob()), link = document.createElement("a");
    [link.href, link.download] = [url, name];
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
}

// Random; crypto.randomUUID is only there where the connection is encrypted, or stays on this machine.
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const LONGEST_NAME = 1000;

// A name that can be sent: one that is no text, or has no end, would keep those beside it out.
function nameOf(file) {
  return file.name.slice(0, LONGEST_NAME).replace(/\p{Surrogate}/gu, "\ufffd");
}

// A row before the server has answered.
const BLANK = {
  status: "waiting",
  local: true,
  wanted: false,
  finding: null,
  kind: null,
  probability: null,
  points: null,
  assumed: null,
  warnings: 0,
  unlike: null,
  reason: null,
  thumb: null,
  seen: false,
  mark: null,
  note: "",
  released: false,
  gone: false,
  hasImage: false,
  repairs: [],
  demo: false,
  outcome: 0,
  version: 0,
};
