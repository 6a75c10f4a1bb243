// The viewer: joins tiles, controls, tools and gestures.

const LAYOUTS = ["one", "side", "split"];
const PANELS = ["help", "save", "more", "tags"];
const TOOLS = Object.keys(POINTS);
const PAUSE = 700; // milliseconds without a change before a screen reader hears of it

class Viewer {
  // `page`: what the page starts with, `words`: texts by name.
  constructor(root, words, page = {}) {
    [this.root, this.words, this.page] = [root, words, page];
    this.section = this.part("viewer");
    label(root, words);
    [this.store, this.id, this.wanted, this.comparison, this.tool, this.cropTool] = [null, null, null, null, null, null];
    [this.pointed, this.space, this.moved, this.magnified] = [null, false, false, false];
    this.done = new AbortController();
    const { signal } = this.done;
    this.blank = this.part("tile").cloneNode(true);
    this.main = this.active = new Tile(this, this.part("tile"));
    this.tiles = [this.main];
    this.magnifier = new Magnifier();
    this.tagList = new TagList(this, signal);
    connectControls(this, signal);
    attachKeys(this, signal);
    attachSplitter(this, signal);
    const changed = () => this.active.source && showControls(this);
    root.addEventListener("fullscreenchange", changed, { signal });
    this.disable(true);
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  buttons(command) {
    return this.root.querySelectorAll(`button[data-command="${command}"]`);
  }

  // Shows an image; `name` stands below it where another is beside it.
  show(id, scene, name = "") {
    if (this.id !== id) this.leave();
    [this.id, this.name] = [id, name];
    this.disable(false);
    const names = scene.header.colourMaps.map((map) => new Option(map[0].toUpperCase() + map.slice(1), map));
    this.part("colours").replaceChildren(...names);
    this.choice = chosen(scene.header, this.page);
    this.main.show(scene, viewOf(scene.header));
    this.announceLater();
  }

  // Shows that there is no image, or that it is on its way.
  empty(id, sentence, preview = "", busy = false) {
    if (this.id !== id) this.leave();
    this.id = id;
    this.main.clear(sentence, preview, busy);
    this.disable(true);
    for (const part of ["badges", "sides", "levels", "zoom", "pixel", "meaning"]) this.part(part).textContent = "";
  }

  // Ends what belongs to the image before.
  leave() {
    this.cropTool?.finish(false);
    this.use(null);
    this.tagList.forget();
    this.closePanels();
    this.uncompare();
  }

  disable(off) {
    for (const control of this.part("bar").querySelectorAll("button, select")) control.disabled = off;
    this.part("opacity").disabled = off;
    this.part("legend").hidden = off;
    if (off) this.closePanels();
  }

  // Another tile beside the first, for another image or another map.
  add(words) {
    const element = this.blank.cloneNode(true);
    for (const part of element.querySelectorAll("[data-part]")) part.dataset.part = part.dataset.part.replace(/^split$/, "unused");
    this.part("tiles").append(element);
    const tile = new Tile(this, element);
    this.tiles.push(tile);
    tile.caption(words);
    this.arrangeTiles();
    return tile;
  }

  take(tile) {
    if (this.active === tile) this.active = this.main;
    if (this.pointed === tile) this.pointed = null;
    tile.destroy();
    tile.element.remove();
    this.tiles = this.tiles.filter((one) => one !== tile);
    this.arrangeTiles();
  }

  arrangeTiles() {
    this.part("tiles").dataset.count = this.tiles.length;
    for (const tile of this.tiles) tile.element.classList.toggle("active", tile === this.active && this.tiles.length > 1);
  }

  activate(tile) {
    if (this.active === tile) return;
    this.active = tile;
    this.arrangeTiles();
    if (tile.source) showControls(this);
  }

  choiceOf(tile) {
    const choice = chosen(tile.source.header, this.page);
    return this.tiles.length > 1 ? { ...choice, layout: "one" } : choice;
  }

  // After a change of a choice: draws the images and updates the controls.
  refresh() {
    if (!this.main.source) return;
    this.choice = this.choiceOf(this.main);
    this.redraw();
    showControls(this);
  }

  redraw() {
    for (const tile of this.tiles) tile.redraw();
    this.cropTool?.place();
    if (this.magnified && this.pointed?.at && this.pointed.shot) this.magnifier.show(this.pointed, this.pointed.at);
    showNumbers(this);
  }

  // Called by gestures. Points and lengths in CSS pixels. Tiles move and zoom together.
  zoom(tile, factor, x = tile.stage.clientWidth / 2, y = tile.stage.clientHeight / 2) {
    zoomAt(tile.scene, tile.view, tile.shot, x * tile.density, y * tile.density, factor);
    this.changed(tile);
  }

  move(tile, across, along) {
    pan(tile.scene, tile.view, tile.shot, across * tile.density, along * tile.density);
    this.changed(tile);
  }

  level(tile, across, along) {
    windowLevel(tile.source.header, tile.view, across, along);
    this.changed(tile);
  }

  changed(tile) {
    for (const other of this.tiles) if (other !== tile && other.view) link(tile.view, other.view);
    this.redraw();
    this.announceLater();
  }

  choose(changes) {
    Object.assign(choices, changes);
    this.refresh();
    this.announceLater();
  }

  pointAt(tile, at) {
    tile.at = at;
    this.pointed = at ? tile : null;
    if (!tile.shot) return;
    if (this.tool) {
      tile.cursor = at ? tile.placeAt(...at) : null;
      tile.marked();
    }
    if (this.magnified && at) this.magnifier.show(tile, at);
    else this.magnifier.hide();
    showNumbers(this);
  }

  command(name) {
    if (name === "close") return this.closePanels();
    if (name === "stop") return this.escape();
    if (name === "take") return this.cropTool?.finish(true);
    const { active: tile, choice } = this, { view } = tile;
    if (!tile.shot) return;
    if (PANELS.includes(name)) return this.panel(name);
    if (TOOLS.includes(name)) return this.use(this.tool === name ? null : name);
    if (["overlay", "contour", "outline"].includes(name)) return this.choose({ [name]: !choice[name] });
    if (name === "layout") return this.choose({ layout: LAYOUTS[(LAYOUTS.indexOf(choice.layout) + 1) % LAYOUTS.length] });
    if (name === "in" || name === "out") return this.zoom(tile, name === "in" ? ZOOM_STEP : 1 / ZOOM_STEP);
    if (name === "actual") return this.zoom(tile, 1 / tile.shot.scale);
    if (name === "magnifier") return this.magnify(!this.magnified);
    if (name === "full") return void toggleFullScreen(this.section).then(() => showControls(this));
    if (name === "pair") return this.pair();
    if (name === "clear") view.measures = [];
    else if (name === "fit") fit(view);
    else if (name === "invert") view.inverted = !view.inverted;
    else if (name === "left" || name === "right") turn(view, name === "left" ? 3 : 1);
    else if (name === "flip") flip(view);
    else if (name === "reset") this.reset();
    else if (!setWindow(tile.source.header, view, name)) return this.announce(this.words.no_window);
    for (const one of this.tiles) one.marks++;
    this.changed(tile);
    showControls(this);
  }

  // View, window, rotation and measurements as at first, of every tile.
  reset() {
    this.use(null);
    this.magnify(false);
    for (const tile of this.tiles) {
      if (!tile.source) continue;
      Object.assign(tile.view, firstView(tile.source.header));
      tile.draft = null;
    }
  }

  // Tools.

  use(tool) {
    this.tool = tool;
    for (const tile of this.tiles) {
      [tile.draft, tile.cursor] = [null, null];
      tile.stage.classList.toggle("measuring", Boolean(tool));
      if (tile.source) tile.marked();
    }
    this.hint(tool ? this.words[`${tool}_hint`] : "", this.words.stop);
    if (tool) {
      this.closePanels();
      this.active.stage.focus({ preventScroll: true });
    }
    if (this.active.source) showControls(this);
  }

  measure(tile, place) {
    const measure = addPoint(tile, this.tool, place);
    tile.marked();
    if (measure) this.announce(measureWords(tile.source.header, measure, this.words));
    else this.announce(this.words.point_set);
  }

  // By the keyboard; begins in the middle of the stage.
  moveCursor(tile, across, along, far) {
    const step = far ? CURSOR_LEAP : CURSOR_STEP * 3, { clientWidth, clientHeight } = tile.stage;
    const [x, y] = tile.cursor ? tile.pointOf(tile.cursor) : [clientWidth / 2, clientHeight / 2];
    tile.cursor = tile.placeAt(clamp(x + across * step, 0, clientWidth), clamp(y + along * step, 0, clientHeight));
    tile.marked();
  }

  magnify(on) {
    this.magnified = on;
    this.section.classList.toggle("magnifying", on);
    const tile = this.pointed ?? this.active;
    if (on && tile.shot) this.magnifier.show(tile, tile.at ?? [tile.stage.clientWidth / 2, tile.stage.clientHeight / 2]);
    else this.magnifier.hide();
    if (this.active.source) showControls(this);
  }

  // Lets the user mark a part of the image; resolves with its edges as shares, or null.
  crop() {
    this.cropTool?.finish(false);
    this.use(null);
    this.closePanels();
    fit(this.main.view);
    this.changed(this.main);
    return new Promise((resolve) => {
      this.cropTool = new CropTool(this.main, this.words, (box) => {
        this.cropTool = null;
        this.hint("");
        resolve(box);
      });
      this.hint(this.words.crop_hint, this.words.cancel, this.words.crop_take);
    });
  }

  hint(sentence, stop = "", take = "") {
    this.part("hint").hidden = !sentence;
    this.write("hint-words", sentence);
    this.part("stop").textContent = stop;
    this.part("take").textContent = take;
    this.part("take").hidden = !take;
  }

  // Another image of the list beside this one.
  async compare(id) {
    this.uncompare();
    const row = this.store.rows.get(id);
    if (!row?.hasImage) return;
    this.comparison = id;
    const tile = (this.compared = this.add(row.name));
    tile.clear("", row.thumb ?? "", true);
    this.main.caption(this.name);
    this.main.resize();
    try {
      const scene = await this.store.unpacked.load(row);
      if (this.comparison !== id || !this.tiles.includes(tile)) return;
      tile.show(scene, { ...viewOf(scene.header) });
      link(this.main.view, tile.view);
      this.redraw();
    } catch {
      tile.clear(this.words.failed);
    }
  }

  uncompare() {
    if (!this.comparison) return;
    this.comparison = null;
    this.take(this.compared);
    this.main.caption("");
    this.main.resize();
    showCompared(this);
  }

  // Compares with the next image of the list, or no longer.
  pair() {
    if (this.tiles.length > 1 && !this.comparison) return; // other maps stand there
    if (this.comparison) return this.uncompare();
    const order = this.store?.shown ?? this.store?.order ?? [], at = order.indexOf(this.id);
    const next = [...order.slice(at + 1), ...order.slice(0, Math.max(at, 0)).reverse()].find((id) => this.store.rows.get(id)?.hasImage);
    if (next) this.compare(next).then(() => showCompared(this));
  }

  // Panels.

  panel(name) {
    const panel = this.part(name), opening = panel.hidden;
    this.closePanels();
    if (!opening) return;
    if (name === "tags") this.tagList.load();
    if (name === "more" && this.store) showCompared(this);
    panel.hidden = false;
    for (const button of this.buttons(name)) button.setAttribute("aria-expanded", "true");
    [...panel.querySelectorAll("input, button")].find((one) => one.offsetParent)?.focus({ preventScroll: true });
  }

  closePanels() {
    PANELS.forEach((name) => this.closePanel(name));
  }

  // The focus returns to the image, where keys act: on the opener, Space would open the panel again.
  closePanel(name) {
    const panel = this.part(name);
    if (panel.hidden) return;
    if (panel.contains(this.root.activeElement)) this.main.stage.focus({ preventScroll: true });
    panel.hidden = true;
    for (const button of this.buttons(name)) button.setAttribute("aria-expanded", "false");
  }

  escape() {
    if (this.cropTool) return this.cropTool.finish(false);
    if (PANELS.some((name) => !this.part(name).hidden)) return this.closePanels();
    if (this.tool) return this.use(null);
    if (this.section.classList.contains("covers")) toggleFullScreen(this.section);
    this.magnify(false);
  }

  async save() {
    const name = this.part("name").value.trim(), tile = this.main;
    try {
      const finding = await this.finding();
      const texts = legendLines(tile, this.choice, this.words, name, finding);
      const url = URL.createObjectURL(await picture(tile, this.choice, texts));
      const link = document.createElement("a");
      [link.href, link.download] = [url, tile.source.header.file];
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      this.closePanels();
      this.announce(this.words.saved);
    } catch {
      this.part("name").setCustomValidity(this.words.save_failed);
      this.part("name").reportValidity();
    }
  }

  // Finding and probability in words, at the prevalence that the page shows.
  async finding() {
    if (!this.tiles[0].source.header.mapped) return "";
    const { requests, prevalence } = this.store;
    const answer = await requests.get(`finding/${this.id}${prevalence === null ? "" : `?prevalence=${prevalence}`}`);
    if (!answer.ok) throw new Error("no finding");
    return (await answer.json()).finding;
  }

  write(name, text) {
    const part = this.part(name);
    if (part.textContent !== text) part.textContent = text;
  }

  // Announces the state to screen readers once nothing has changed for a while.
  announceLater() {
    clearTimeout(this.announcing);
    this.announcing = setTimeout(() => {
      if (!this.active.shot) return;
      showControls(this);
      const heat = this.choice.overlay ? this.words.heat_on : this.words.heat_off;
      this.announce(`${this.part("levels").textContent}, ${this.part("zoom").textContent}. ${heat}.`);
    }, PAUSE);
  }

  announce(text) {
    this.write("live", text);
  }

  destroy() {
    clearTimeout(this.announcing);
    this.cropTool?.finish(false);
    this.done.abort();
    for (const tile of this.tiles) tile.destroy();
  }
}
