// Rotation and flip of the display. The image is mirrored first (left to right), then turned clockwise by quarters.
// Coordinates are shares of the image, 0..1. Only what is drawn changes: the image, its values and its sides stay.

function isTurned({ turns, flipped }) {
  return turns !== 0 || flipped;
}

// From a place of the image to the display, and back.
function toDisplay({ turns, flipped }, [x, y]) {
  if (flipped) x = 1 - x;
  for (let i = 0; i < turns; i++) [x, y] = [1 - y, x];
  return [x, y];
}

function fromDisplay({ turns, flipped }, [x, y]) {
  for (let i = 0; i < turns; i++) [x, y] = [y, 1 - x];
  return [flipped ? 1 - x : x, y];
}

// The scene as it is displayed; its `base` is the scene as it is. The last one is kept.
function oriented(scene, { turns, flipped }) {
  if (!turns && !flipped) return scene;
  const key = `${turns} ${flipped}`;
  if (scene.turned?.key !== key) scene.turned = { key, scene: turnedScene(scene, { turns, flipped }) };
  return scene.turned.scene;
}

function turnedScene(scene, turn) {
  const { header } = scene, { width, height } = header.image, swapped = turn.turns % 2 === 1;
  const image = swapped ? { ...header.image, width: height, height: width } : header.image;
  const spacing = swapped && header.spacing ? [...header.spacing].reverse() : header.spacing;
  return {
    ...scene,
    base: scene,
    turned: null,
    header: { ...header, image, spacing },
    image: scene.image.map((level) => turnedGrid(level, turn)),
    heat: scene.heat && turnedGrid(scene.heat, turn),
    outline: turnedPath(scene.outline, header.image, image, turn),
  };
}

function turnedGrid({ width, height, data, ...rest }, { turns, flipped }) {
  const wide = turns % 2 ? height : width, tall = turns % 2 ? width : height;
  const place = (x, y) => {
    let across = wide, along = tall;
    for (let i = 0; i < turns; i++) {
      [x, y] = [y, across - 1 - x];
      [across, along] = [along, across];
    }
    return y * width + (flipped ? width - 1 - x : x);
  };
  const first = place(0, 0), right = place(1, 0) - first, down = place(0, 1) - first;
  const to = new Uint16Array(data.length);
  for (let y = 0, i = 0; y < tall; y++)
    for (let x = 0, from = first + y * down; x < wide; x++, from += right) to[i++] = data[from];
  return { ...rest, width: wide, height: tall, data: to };
}

function turnedPath(path, from, to, turn) {
  const [x0, y0] = toDisplay(turn, [0, 0]), [x1, y1] = toDisplay(turn, [1, 0]), [x2, y2] = toDisplay(turn, [0, 1]);
  const [w, h] = [to.width, to.height];
  const matrix = new DOMMatrix([
    ((x1 - x0) * w) / from.width, ((y1 - y0) * h) / from.width,
    ((x2 - x0) * w) / from.height, ((y2 - y0) * h) / from.height,
    x0 * w, y0 * h,
  ]);
  const turned = new Path2D();
  turned.addPath(path, matrix);
  return turned;
}

// At which edge of the display a side of the image lies, for its letter.
function edgeOf(turn, place) {
  const [x, y] = toDisplay(turn, place);
  if (x < 0.25) return "left";
  if (x > 0.75) return "right";
  return y < 0.5 ? "top" : "bottom";
}
