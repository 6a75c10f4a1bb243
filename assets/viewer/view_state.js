// The view of an image and the user's choices: arithmetic only, no drawing. Kept in this tab's memory, without pixels.

// Views by the image's checksum, and choices that hold for all images. Both outlive a rerun and a change of page.
const views = new Map();
const choices = {};

const DEFAULTS = { opacity: 0.5, threshold: 0, contour: false, split: 0.5, keys: true };
const GAP = 4; // between two panes, in CSS pixels
const MOST_ZOOM = 32; // screen pixels for one image pixel

function firstView(header) {
  const [low, high] = header.windows.file ?? header.windows.whole;
  return { zoom: 1, x: 0.5, y: 0.5, low, high, inverted: false, turns: 0, flipped: false, measures: [] };
}

function viewOf(header) {
  if (!views.has(header.key)) views.set(header.key, firstView(header));
  return views.get(header.key);
}

// Choices in effect: the user's, else the page's defaults. An image without a map has no overlay.
function chosen(header, page = {}) {
  const all = { ...DEFAULTS, colourMap: header.colourMaps[0], overlay: true, outline: false, layout: "one", ...page, ...choices };
  return { ...all, overlay: all.overlay && header.mapped };
}

// Everything a renderer needs to draw on a canvas of `width` x `height` device pixels: panes (x: left edge; from: first
// column of the pane that shows heat), the scale in device pixels per image pixel, the image's position in each pane,
// the grey levels of black and white, and how heat is mixed in.
function frame(scene, view, choice, width, height, density = 1) {
  const { width: imageWidth, height: imageHeight } = scene.header.image;
  const gap = Math.round(GAP * density);
  const paneWidth = choice.layout === "side" ? Math.max(1, (width - gap) >> 1) : width;
  const never = paneWidth, start = choice.overlay ? 0 : never;
  let panes = [{ x: 0, from: start }];
  if (choice.layout === "side") panes = [{ x: 0, from: never }, { x: paneWidth + gap, from: start }];
  if (choice.layout === "split") panes = [{ x: 0, from: choice.overlay ? Math.round(choice.split * paneWidth) : never }];
  const fit = Math.min(paneWidth / imageWidth, height / imageHeight);
  const scale = fit * view.zoom;
  return {
    width, height, paneWidth, panes, fit, scale,
    x: Math.round(paneWidth / 2 - view.x * imageWidth * scale),
    y: Math.round(height / 2 - view.y * imageHeight * scale),
    low: view.low, high: view.high, inverted: view.inverted,
    opacity: choice.opacity, threshold: choice.threshold, colourMap: choice.colourMap,
    fill: !choice.contour, contour: choice.contour,
  };
}

// Column within its pane of a column of the canvas.
function inPane(shot, x) {
  const pane = shot.panes.findLast((one) => x >= one.x) ?? shot.panes[0];
  return Math.min(shot.paneWidth, Math.max(0, x - pane.x));
}

function toImage(shot, x, y) {
  return [(inPane(shot, x) - shot.x) / shot.scale, (y - shot.y) / shot.scale];
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

// Zooms around the point (x, y) of the canvas.
function zoomAt(scene, view, shot, x, y, factor) {
  const { width, height } = scene.header.image, [imageX, imageY] = toImage(shot, x, y);
  const most = Math.max(1, MOST_ZOOM / shot.fit);
  view.zoom = clamp(view.zoom * factor, Math.min(1, 1 / shot.fit) * 0.5, most);
  const scale = shot.fit * view.zoom;
  view.x = clamp((shot.paneWidth / 2 + imageX * scale - inPane(shot, x)) / scale / width, 0, 1);
  view.y = clamp((shot.height / 2 + imageY * scale - y) / scale / height, 0, 1);
}

function pan(scene, view, shot, dx, dy) {
  const { width, height } = scene.header.image;
  view.x = clamp(view.x - dx / shot.scale / width, 0, 1);
  view.y = clamp(view.y - dy / shot.scale / height, 0, 1);
}

function fit(view) {
  Object.assign(view, { zoom: 1, x: 0.5, y: 0.5 });
}

// Changes the window (levels from black to white) by `across` and the level (its centre) by `down`, in CSS pixels of a
// drag: to the right is less contrast, up is brighter. The narrower the window, the finer the step.
function windowLevel(header, view, across, down) {
  const { top } = header.image, span = view.high - view.low, step = Math.max(span, top / 32) / 300;
  const width = clamp(span + across * step, Math.max(1, top / 255), 2 * top);
  const level = clamp((view.low + view.high) / 2 + down * step * (view.inverted ? -1 : 1), 0, top);
  view.low = level - width / 2;
  view.high = level + width / 2;
}

function setWindow(header, view, name) {
  const levels = header.windows[name];
  if (levels) [view.low, view.high] = levels;
  return Boolean(levels);
}

// The preset whose levels are shown, else "".
function windowName(header, view) {
  const same = ([, levels]) => levels && levels[0] === view.low && levels[1] === view.high;
  return Object.entries(header.windows).find(same)?.[0] ?? "";
}

// A bar of a round number of millimetres, up to a fifth of the pane; null where the pixel spacing is unknown.
function scaleBar(header, shot) {
  if (!header.spacing) return null;
  const perPixel = header.spacing[1] / shot.scale, wanted = (shot.paneWidth / 5) * perPixel;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const millimetres = [5, 2, 1].map((digit) => digit * power).find((length) => length <= wanted) ?? power;
  const text = millimetres >= 10 ? `${millimetres / 10} cm` : `${millimetres} mm`;
  return { length: millimetres / perPixel, text: `${text} ${header.spacingFrom}`.trim() };
}

// Width of the window and its centre.
function levelsOf({ low, high }) {
  return { width: Math.round(high - low), level: Math.round((low + high) / 2) };
}

// Quarter turns clockwise and a flip left to right, as they look on the display.
function turn(view, quarters) {
  view.turns = (view.turns + quarters + 4) % 4;
}

function flip(view) {
  view.flipped = !view.flipped;
  view.turns = (4 - view.turns) % 4;
}

// What tiles have in common when they are linked: place and zoom.
function link(from, to) {
  [to.zoom, to.x, to.y] = [from.zoom, from.x, from.y];
}
