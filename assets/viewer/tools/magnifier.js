// A round glass that follows the pointer and shows the image magnified, with the same window and overlay.

const GLASS = 220, MAGNIFIED = 2.5; // CSS pixels; times the scale of the image, at least one to one

class Magnifier {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.canvas.className = "glass";
    this.renderer = new CanvasRenderer(this.canvas);
  }

  // Shows what lies under a point of a tile, in CSS pixels.
  show(tile, [x, y]) {
    const { shot, scene, density, stage } = tile, size = Math.round(GLASS * density);
    if (this.canvas.parentElement !== stage) stage.append(this.canvas);
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    if (this.renderer.scene !== scene) this.renderer.setScene(scene);
    const [across, along] = toImage(shot, x * density, y * density);
    const scale = Math.max(MAGNIFIED * shot.scale, density), pane = shot.panes.findLast((one) => x * density >= one.x);
    const heated = inPane(shot, x * density) >= (pane ?? shot.panes[0]).from;
    this.renderer.draw({
      ...shot, width: size, height: size, paneWidth: size, scale,
      panes: [{ x: 0, from: heated ? 0 : size }],
      x: Math.round(size / 2 - across * scale), y: Math.round(size / 2 - along * scale),
    });
    Object.assign(this.canvas.style, { left: `${x - GLASS / 2}px`, top: `${y - GLASS / 2}px`, width: `${GLASS}px` });
    this.canvas.hidden = false;
  }

  hide() {
    this.canvas.hidden = true;
  }

  remove() {
    this.canvas.remove();
  }
}
