// Other methods beside the default map: each in a tile of its own, computed by the server in the background.

const MOST_OTHERS = 3, ASK_AGAIN = 400; // milliseconds
const RUNNING = ["waiting", "computing"];

class Maps {
  constructor(viewer, store, config) {
    [this.viewer, this.store, this.config] = [viewer, store, config];
    this.methods = new Map([config.default, ...config.others].map((method) => [method.name, method]));
    [this.row, this.states, this.testing, this.ended] = [null, new Map(), null, false];
    const acts = {
      change: (name, on) => (on ? this.open(name, true) : this.close(name)),
      stop: (name) => this.close(name),
      test: (name) => this.test(name),
    };
    this.evidence = new Evidence(viewer, config, acts);
    this.leave = store.subscribe(() => this.draw());
    this.draw();
  }

  // Called when the viewer shows an image, or none. Methods stay open where their maps of that image are known.
  look(row) {
    const open = [...this.states.keys()];
    for (const name of open) this.close(name);
    [this.row, this.testing] = [row?.finding ? row : null, null];
    this.evidence.tests.say("");
    this.draw();
    if (this.row) for (const name of open) this.open(name, false);
  }

  draw() {
    const row = this.row && (this.store.rows.get(this.row.id) ?? null);
    this.evidence.show(row, this.states, this.states.size >= MOST_OTHERS);
  }

  // `wanted`: whether to compute the map where it is not known.
  async open(name, wanted) {
    const { row } = this, state = { status: "waiting", text: this.viewer.words.map_waiting, tile: null };
    if (!row || this.states.has(name)) return;
    if (wanted) {
      this.states.set(name, state);
      this.addTile(name, state);
      state.started = this.store.requests.post(`maps/${row.id}`, { method: name });
      await state.started;
    }
    await this.follow(row, name, state, wanted);
  }

  addTile(name, state) {
    const { viewer } = this, { main } = viewer, { title } = this.methods.get(name);
    viewer.uncompare();
    main.caption(this.config.default.title);
    state.tile = viewer.add(`${title}: ${state.text}`);
    state.tile.show(withMap(main.source, { header: {}, heat: { width: 1, height: 1, data: new Uint16Array(1) } }), main.view);
    this.draw();
  }

  // Asks how it stands until it is done.
  async follow(row, name, state, wanted) {
    const current = () => !this.ended && this.row === row && (this.states.get(name) === state || (!wanted && !this.states.has(name)));
    while (current()) {
      let found;
      try {
        found = await this.ask(row, name);
      } catch {
        found = { status: "failed", words: this.viewer.words.failed };
      }
      if (!current()) return;
      if (!wanted && !["done", ...RUNNING].includes(found.status)) return;
      if (!this.states.has(name)) {
        this.states.set(name, state);
        this.addTile(name, state);
      }
      state.status = found.status;
      if (found.status === "done") return this.show(name, state, found);
      const words = this.viewer.words, { title, wait } = this.methods.get(name);
      state.text = found.status === "waiting" ? words.map_waiting : found.words || words[`map_${found.status}`] || "";
      const told = state.text.startsWith(title) ? state.text : `${title}: ${state.text}`;
      state.tile.caption(RUNNING.includes(found.status) ? `${told} · ${wait}` : told);
      this.draw();
      if (!RUNNING.includes(found.status)) return;
      await pauseFor(ASK_AGAIN);
    }
  }

  async ask(row, name) {
    const answer = await this.store.requests.get(`maps/${row.id}/${name}`);
    if (!answer.ok) throw new Error("no map");
    if (answer.headers.get("Content-Type")?.includes("json")) return answer.json();
    const { header, body } = readHeader(new Uint8Array(await answer.arrayBuffer()));
    const { heat } = await partsOf(header, body);
    return { status: "done", header, heat: heatOf(heat, header.heat) };
  }

  show(name, state, { header, heat }) {
    const { viewer } = this, { title } = this.methods.get(name);
    state.text = header.empty ? viewer.words.empty_map : "";
    state.tile.show(withMap(viewer.main.source, { header, heat }), viewer.main.view);
    state.tile.caption(header.empty ? `${title}: ${viewer.words.empty_map}` : title);
    this.draw();
  }

  close(name) {
    const state = this.states.get(name);
    if (!state) return;
    if (RUNNING.includes(state.status) && this.row) this.stop(this.row, name, state);
    this.states.delete(name);
    if (state.tile) this.viewer.take(state.tile);
    if (!this.states.size) this.viewer.main.caption("");
    this.viewer.main.resize();
    this.draw();
  }

  // Tells the server, after it was told to start.
  async stop(row, name, state) {
    await state.started;
    await this.store.requests.post(`maps/${row.id}/stop`, { method: name });
  }

  // The faithfulness test of a map.
  async test(name) {
    const { row, evidence } = this, { words } = this.viewer, turn = (this.testing = Symbol());
    if (!row) return;
    evidence.tests.say(words.map_waiting);
    await this.store.requests.post(`maps/${row.id}`, { method: name, kind: "test" });
    while (this.testing === turn && this.row === row && !this.ended) {
      const answer = await this.store.requests.get(`maps/${row.id}/${name}?kind=test`).catch(() => null);
      if (this.testing !== turn || this.row !== row) return;
      const found = answer?.ok ? await answer.json() : { status: "failed", words: words.failed };
      if (found.status === "done") return evidence.tests.show(found.test);
      evidence.tests.say(found.status === "waiting" ? words.map_waiting : found.words || words[`map_${found.status}`]);
      if (!RUNNING.includes(found.status)) return;
      await pauseFor(ASK_AGAIN);
    }
  }

  destroy() {
    this.ended = true;
    this.leave();
  }
}

// The image of a scene under another map.
function withMap(scene, { header, heat }) {
  return { ...scene, heat, turned: null, header: { ...scene.header, ...header, digest: `${scene.header.digest} ${header.title ?? ""}` } };
}

const pauseFor = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
