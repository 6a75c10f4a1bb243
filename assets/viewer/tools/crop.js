// A rectangle on the image, drawn with the mouse, a finger or the keyboard. Its edges are shares of the image as it is.

const LEAST_CROP = 0.05;
const HANDLES = [["left", "top"], ["right", "top"], ["left", "bottom"], ["right", "bottom"]];

class CropTool {
  // `done` gets [left, top, right, bottom], or null where the user gave up.
  constructor(tile, words, done) {
    [this.tile, this.done] = [tile, done];
    this.box = { left: 0.05, top: 0.05, right: 0.95, bottom: 0.95 };
    this.shade = document.createElement("div");
    this.shade.className = "crop";
    this.handles = HANDLES.map((sides) => {
      const handle = document.createElement("button");
      handle.type = "button";
      handle.setAttribute("aria-label", words[`crop_${sides[1]}_${sides[0]}`]);
      this.attach(handle, sides);
      this.shade.append(handle);
      return handle;
    });
    tile.stage.append(this.shade);
    this.place();
    this.handles[0].focus({ preventScroll: true });
  }

  attach(handle, [side, edge]) {
    handle.addEventListener("pointerdown", (event) => {
      event.stopPropagation();
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const stage = this.tile.stage.getBoundingClientRect();
      this.move(side, edge, this.shareAt(event.clientX - stage.left, event.clientY - stage.top));
    });
    handle.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.finish(true);
      if (!(event.key in ARROWS)) return;
      event.preventDefault();
      event.stopPropagation();
      const [across, along] = ARROWS[event.key], step = event.shiftKey ? 0.05 : 0.01;
      this.move(side, edge, [this.box[side] + across * step, this.box[edge] + along * step]);
    });
  }

  // In shares of the image as it is displayed.
  shareAt(x, y) {
    const { scene, shot, density } = this.tile, { width, height } = scene.header.image;
    const [across, along] = toImage(shot, x * density, y * density);
    return [across / width, along / height];
  }

  move(side, edge, [x, y]) {
    const { box } = this;
    box[side] = side === "left" ? clamp(x, 0, box.right - LEAST_CROP) : clamp(x, box.left + LEAST_CROP, 1);
    box[edge] = edge === "top" ? clamp(y, 0, box.bottom - LEAST_CROP) : clamp(y, box.top + LEAST_CROP, 1);
    this.place();
  }

  // Follows the image when it is moved or zoomed.
  place() {
    const { shot, scene, density } = this.tile, { box } = this;
    if (!shot) return;
    const { width, height } = scene.header.image;
    const x = (share) => (shot.x + share * width * shot.scale) / density;
    const y = (share) => (shot.y + share * height * shot.scale) / density;
    Object.assign(this.shade.style, {
      left: `${x(box.left)}px`, top: `${y(box.top)}px`,
      width: `${x(box.right) - x(box.left)}px`, height: `${y(box.bottom) - y(box.top)}px`,
    });
  }

  finish(taken) {
    const { box, tile } = this;
    this.shade.remove();
    if (!taken) return this.done(null);
    const [a, b] = [[box.left, box.top], [box.right, box.bottom]].map((place) => fromDisplay(tile.view, place));
    const round = (share) => Math.round(clamp(share, 0, 1) * 1e4) / 1e4;
    this.done([Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])].map(round));
  }
}
