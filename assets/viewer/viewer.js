// The viewer: joins image, controls and gestures. Streamlit calls it at every rerun of the page.

const LAYOUTS = ["one", "side", "split"];
const PAUSE = 700; // milliseconds without a change before a screen reader hears of it
const viewers = new WeakMap();
let plain = false; // whether WebGL failed or is slow in this tab

class Viewer {
  constructor(root) {
    this.root = root;
    this.section = this.part("viewer");
    this.stage = this.part("stage");
    this.annotations = this.part("annotations");
    this.done = new AbortController();
    this.at = null;
    connectControls(this, this.done.signal);
    attachGestures(this, this.done.signal);
    attachSplitter(this, this.done.signal);
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(this.stage);
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  // Shows what the server sent, unless it is shown already.
  async update(bytes) {
    const { header, body } = readHeader(bytes);
    if (header.digest === this.digest) return;
    this.digest = header.digest;
    this.stage.setAttribute("aria-busy", "true");
    try {
      const scene = await unpack(header, body);
      if (this.digest === header.digest && !this.done.signal.aborted) this.show(scene);
    } catch {
      if (this.digest !== header.digest) return;
      this.digest = "";
      this.fail("The image could not be shown in this browser. Reload the page, or use a current browser.");
    }
  }

  fail(sentence) {
    this.part("message").hidden = false;
    this.part("message").textContent = sentence;
    this.stage.setAttribute("aria-busy", "false");
  }

  show(scene) {
    const { header } = scene;
    this.scene = scene;
    this.view = viewOf(header);
    this.lines = null;
    this.openRenderer();
    this.part("message").hidden = true;
    this.stage.setAttribute("aria-busy", "false");
    this.stage.setAttribute("aria-label", `${header.description} ${header.remark}`);
    this.part("sides").textContent = header.sides;
    const names = header.colourMaps.map((name) => new Option(name[0].toUpperCase() + name.slice(1), name));
    this.part("colours").replaceChildren(...names);
    this.resize();
    this.announceLater();
  }

  // WebGL where a graphics processor draws, else the plain canvas.
  openRenderer() {
    if (!this.renderer) this.useRenderer(plain ? CanvasRenderer : WebglRenderer);
    else this.setScene();
  }

  useRenderer(Kind) {
    const old = this.part("image"), canvas = old.cloneNode();
    old.replaceWith(canvas);
    this.renderer?.destroy();
    this.renderer = null;
    try {
      this.renderer = new Kind(canvas);
      const lost = () => this.renderer?.canvas === canvas && (this.usePlain(), this.resize());
      canvas.addEventListener("webglcontextlost", lost, { signal: this.done.signal });
    } catch {
      return this.usePlain();
    }
    this.setScene();
  }

  setScene() {
    try {
      this.renderer.setScene(this.scene);
    } catch {
      this.usePlain();
    }
  }

  usePlain() {
    plain = true;
    this.useRenderer(CanvasRenderer);
  }

  resize() {
    const box = this.stage.getBoundingClientRect();
    if (!this.scene || !box.width || !box.height) return;
    this.density = window.devicePixelRatio || 1;
    const width = Math.round(box.width * this.density), height = Math.round(box.height * this.density);
    for (const canvas of [this.renderer.canvas, this.annotations])
      if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    this.annotated = "";
    cancelAnimationFrame(this.next);
    this.next = 0;
    this.refresh();
  }

  // After a change of a choice: draws the image and updates the controls.
  refresh() {
    this.choice = chosen(this.scene.header, this.stage.clientWidth);
    this.redraw();
    showControls(this);
  }

  // Draws at once, but at most once a frame: further changes are drawn with the next frame.
  redraw() {
    const { width, height } = this.renderer.canvas;
    this.shot = frame(this.scene, this.view, this.choice, width, height, this.density);
    showNumbers(this);
    this.late = Boolean(this.next);
    if (this.late) return;
    this.draw();
    this.next = requestAnimationFrame(() => {
      this.next = 0;
      if (this.late) this.redraw();
    });
  }

  draw() {
    const { scene, choice, renderer, annotations } = this;
    renderer.draw(this.shot);
    const { x, y, scale } = this.shot;
    const { overlay, contour, outline, threshold, colourMap, layout, split } = choice;
    const annotated = [x, y, scale, overlay, contour, outline, threshold, colourMap, layout, split, this.digest].join(" ");
    if (this.annotated !== annotated) {
      const context = annotations.getContext("2d");
      context.clearRect(0, 0, annotations.width, annotations.height);
      drawAnnotations(context, scene, this.shot, { outline, lines: this.contourLines(), unit: this.density });
      this.annotated = annotated;
    }
  }

  contourLines() {
    const { scene, choice } = this;
    if (!choice.overlay || !choice.contour) return [];
    const key = `${this.digest} ${choice.threshold} ${choice.colourMap}`;
    if (this.lines?.key !== key) this.lines = { key, value: contours(scene, choice.threshold, choice.colourMap) };
    return this.lines.value;
  }

  // Called by gestures. Points and lengths in CSS pixels.
  zoom(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    zoomAt(this.scene, this.view, this.shot, x * this.density, y * this.density, factor);
    this.changed();
  }

  move(across, along) {
    pan(this.scene, this.view, this.shot, across * this.density, along * this.density);
    this.changed();
  }

  level(across, along) {
    windowLevel(this.scene.header, this.view, across, along);
    this.changed();
  }

  changed() {
    this.redraw();
    this.announceLater();
  }

  choose(changes) {
    Object.assign(choices, changes);
    this.refresh();
    this.announceLater();
  }

  pointAt(x, y) {
    this.at = x === null ? null : [x, y];
    if (this.shot) showNumbers(this);
  }

  command(name) {
    const { scene, view, choice } = this;
    if (!this.shot) return;
    if (name === "help" || name === "save") return this.panel(name);
    if (["overlay", "contour", "outline"].includes(name)) return this.choose({ [name]: !choice[name] });
    if (name === "layout") return this.choose({ layout: LAYOUTS[(LAYOUTS.indexOf(choice.layout) + 1) % LAYOUTS.length] });
    if (name === "in" || name === "out") return this.zoom(name === "in" ? ZOOM_STEP : 1 / ZOOM_STEP);
    if (name === "actual") return this.zoom(1 / this.shot.scale);
    if (name === "fit") fit(view);
    else if (name === "invert") view.inverted = !view.inverted;
    else if (name === "reset") Object.assign(view, firstView(scene.header));
    else if (!setWindow(scene.header, view, name)) return this.announce("This image has no such window.");
    this.changed();
    showControls(this);
  }

  panel(name) {
    const panel = this.part(name), opening = panel.hidden;
    this.closePanels();
    if (!opening) return;
    panel.hidden = false;
    this.root.querySelector(`.bar [data-command="${name}"]`).setAttribute("aria-expanded", "true");
    panel.querySelector("input, button").focus({ preventScroll: true });
  }

  // The focus returns to the image, where keys act: on the opener, Space would open the panel again.
  closePanels() {
    for (const name of ["help", "save"]) {
      const panel = this.part(name), opener = this.root.querySelector(`.bar [data-command="${name}"]`);
      if (panel.contains(this.root.activeElement)) this.stage.focus({ preventScroll: true });
      panel.hidden = true;
      opener.setAttribute("aria-expanded", "false");
    }
  }

  async save() {
    const name = this.part("name").value.trim();
    try {
      const url = URL.createObjectURL(await picture(this.scene, this.view, this.choice, name));
      const link = document.createElement("a");
      [link.href, link.download] = [url, this.scene.header.file];
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      this.closePanels();
      this.announce("The picture is saved among your downloads.");
    } catch {
      this.part("name").setCustomValidity("The picture could not be made: the image is too large for this browser.");
      this.part("name").reportValidity();
    }
  }

  write(name, text) {
    const part = this.part(name);
    if (part.textContent !== text) part.textContent = text;
  }

  // Announces the state to screen readers once nothing has changed for a while.
  announceLater() {
    clearTimeout(this.announcing);
    this.announcing = setTimeout(() => {
      if (!this.shot) return;
      const { choice } = this, heat = choice.overlay ? "Heatmap on" : "Heatmap off";
      showControls(this);
      this.announce(`${this.part("levels").textContent}, ${this.part("zoom").textContent}. ${heat}.`);
    }, PAUSE);
  }

  announce(text) {
    this.write("live", text);
  }

  destroy() {
    clearTimeout(this.announcing);
    cancelAnimationFrame(this.next);
    this.done.abort();
    this.resizing.disconnect();
    this.renderer?.destroy();
  }
}

// Shows the selected image of the session's store.
function follow(viewer, store) {
  let shown = "";
  const look = async () => {
    const id = store.selected, row = store.rows.get(id), wanted = row?.hasImage ? `${id} ${row.outcome}` : "";
    if (!wanted || wanted === shown) return;
    shown = wanted;
    try {
      const data = await store.scene(id);
      if (shown === wanted) viewer.update(new Uint8Array(data));
    } catch {
      shown = "";
    }
  };
  look();
  return store.subscribe(look);
}

// Streamlit calls this at every rerun with the same element, and the returned function when the element goes. Only the
// function of the latest call ends the viewer.
export default function ({ data, parentElement }) {
  const viewer = viewers.get(parentElement) ?? new Viewer(parentElement), turn = Symbol();
  viewers.set(parentElement, viewer);
  viewer.turn = turn;
  viewer.leave?.();
  if (data.token) viewer.leave = follow(viewer, openRoom(data));
  else viewer.update(data);
  return () => {
    if (viewer.turn !== turn) return;
    viewer.leave?.();
    viewer.destroy();
    viewers.delete(parentElement);
  };
}
