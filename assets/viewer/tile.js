// One image in its place: draws image, heatmap and annotations, and holds its part of the view.

let plain = false; // whether WebGL failed or is slow in this tab

class Tile {
  constructor(viewer, element) {
    [this.viewer, this.element] = [viewer, element];
    [this.stage, this.annotations] = [this.part("stage"), this.part("annotations")];
    [this.source, this.scene, this.view, this.shot] = [null, null, null, null];
    [this.draft, this.cursor, this.at] = [null, null, null];
    this.marks = 0; // counts changes of what is drawn over the image
    this.density = window.devicePixelRatio || 1;
    this.done = new AbortController();
    attachPointers(this, this.done.signal);
    this.resizing = new ResizeObserver(() => this.resize());
    this.resizing.observe(this.stage);
  }

  part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  // `view`: see view_state.js; tiles of one image may share it.
  show(source, view) {
    [this.source, this.view] = [source, view];
    this.draft = this.cursor = null;
    this.say("");
    this.part("preview").hidden = true;
    this.stage.setAttribute("aria-busy", "false");
    this.stage.setAttribute("aria-label", `${source.header.description} ${source.header.remark}`);
    this.stage.classList.remove("empty");
    this.arrange();
    this.resize();
  }

  // Shows a sentence, or a small picture of what is coming, instead of an image.
  clear(sentence, preview = "", busy = false) {
    this.stage.setAttribute("aria-busy", String(busy));
    this.source = this.scene = this.shot = this.draft = null;
    this.stage.classList.add("empty");
    this.stage.setAttribute("aria-label", sentence);
    this.part("preview").hidden = !preview;
    if (preview) this.part("preview").src = preview;
    this.say(preview ? "" : sentence);
  }

  say(sentence) {
    const message = this.part("message");
    message.textContent = sentence;
    message.hidden = !sentence;
  }

  caption(words) {
    const caption = this.part("caption");
    caption.textContent = words;
    caption.hidden = !words;
  }

  // The scene as the view turns it.
  arrange() {
    const scene = oriented(this.source, this.view);
    if (scene === this.scene) return;
    [this.scene, this.lines, this.annotated] = [scene, null, ""];
    if (!this.renderer) this.useRenderer(plain ? CanvasRenderer : WebglRenderer);
    else this.setScene();
  }

  // WebGL where a graphics processor draws, else the plain canvas.
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
    this.viewer.refresh();
  }

  // Draws at once, but at most once a frame: further changes are drawn with the next frame.
  redraw() {
    if (!this.source) return;
    this.arrange();
    const { width, height } = this.renderer.canvas;
    this.shot = frame(this.scene, this.view, this.viewer.choiceOf(this), width, height, this.density);
    this.late = Boolean(this.next);
    if (this.late) return;
    this.draw();
    this.next = requestAnimationFrame(() => {
      this.next = 0;
      if (this.late) this.redraw();
    });
  }

  draw() {
    const { scene, renderer, annotations, shot } = this, choice = this.viewer.choiceOf(this);
    renderer.draw(shot);
    const { overlay, contour, outline, threshold, colourMap, layout, split } = choice, { x, y, scale } = shot;
    const drawn = [x, y, scale, overlay, contour, outline, threshold, colourMap, layout, split, this.marks, scene.header.digest];
    const annotated = drawn.join(" ");
    if (this.annotated === annotated) return;
    this.annotated = annotated;
    const context = annotations.getContext("2d");
    context.clearRect(0, 0, annotations.width, annotations.height);
    drawAnnotations(context, scene, shot, { outline, lines: this.contourLines(choice), unit: this.density, turn: this.view });
    drawMeasures(context, this, shot, this.density, { draft: this.draft, cursor: this.cursor });
  }

  contourLines({ overlay, contour, threshold, colourMap }) {
    if (!overlay || !contour) return [];
    const key = `${threshold} ${colourMap}`;
    if (this.lines?.key !== key) this.lines = { key, value: contours(this.scene, threshold, colourMap) };
    return this.lines.value;
  }

  // What is drawn over the image has changed.
  marked() {
    this.marks++;
    this.redraw();
  }

  // The place of the image, in shares of it, under a point of the stage in CSS pixels; and back.
  placeAt(x, y) {
    const { width, height } = this.scene.header.image, [across, along] = toImage(this.shot, x * this.density, y * this.density);
    return fromDisplay(this.view, [across / width, along / height]);
  }

  pointOf(place) {
    const { width, height } = this.scene.header.image, [x, y] = toDisplay(this.view, place), { shot } = this;
    const pane = shot.panes[0].x;
    return [(pane + shot.x + x * width * shot.scale) / this.density, (shot.y + y * height * shot.scale) / this.density];
  }

  // The value of the image under the pointer.
  pixel() {
    if (!this.at || !this.shot) return "";
    const { image } = this.source.header, place = this.placeAt(...this.at);
    const x = Math.floor(place[0] * image.width), y = Math.floor(place[1] * image.height);
    if (x < 0 || y < 0 || x >= image.width || y >= image.height) return "";
    return `x ${x}, y ${y}: ${this.source.image[0].data[y * image.width + x]} of ${image.top}`;
  }

  destroy() {
    cancelAnimationFrame(this.next);
    this.done.abort();
    this.resizing.disconnect();
    this.renderer?.destroy();
  }
}
