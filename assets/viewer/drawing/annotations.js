// Annotations drawn over the image: lung outline, contours, side letters, scale bar. They never change its pixels.

const OUTLINE = "#7cdcff", INK = "#f2f6f9", HALO = "rgba(0, 0, 0, 0.75)";
const STEPS = [0.25, 0.5, 0.75];

// Contours of the heatmap at the threshold and at quarters of the colour range, each in its colour.
function contours(scene, threshold, colourMap) {
  const shades = scene.colours.get(colourMap), levels = STEPS.filter((step) => step > threshold + 0.02);
  if (threshold > 0) levels.unshift(threshold);
  return levels.map((level) => {
    const at = 3 * Math.round(level * 255);
    return { path: pathOf(isoline(scene.heat, level * FULL), scene.header.image), colour: `rgb(${shades.slice(at, at + 3).join(",")})` };
  });
}

// `strokes`: colour and screen width of each, bottom first.
function strokePath(context, { x, y, scale }, path, strokes) {
  context.save();
  context.translate(x, y);
  context.scale(scale, scale);
  for (const [colour, width] of strokes) {
    context.lineWidth = width / scale;
    context.strokeStyle = colour;
    context.stroke(path);
  }
  context.restore();
}

function letters(context, text, x, y, size, align = "left") {
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textAlign = align;
  context.textBaseline = "alphabetic";
  context.lineWidth = size / 4;
  context.lineJoin = "round";
  context.strokeStyle = HALO;
  context.strokeText(text, x, y);
  context.fillStyle = INK;
  context.fillText(text, x, y);
}

// `lines`: contours, may be empty.
function drawAnnotations(context, scene, shot, { outline, lines, unit, turn }) {
  for (const pane of shot.panes) {
    context.save();
    context.beginPath();
    context.rect(pane.x, 0, shot.paneWidth, shot.height);
    context.clip();
    context.translate(pane.x, 0);
    context.lineJoin = "round";
    if (outline) strokePath(context, shot, scene.outline, [[HALO, 3.5 * unit], [OUTLINE, 1.5 * unit]]);
    if (lines.length && pane.from < shot.paneWidth) {
      context.save();
      context.beginPath();
      context.rect(pane.from, 0, shot.paneWidth - pane.from, shot.height);
      context.clip();
      for (const { path, colour } of lines) strokePath(context, shot, path, [[HALO, 4 * unit], [colour, 2 * unit]]);
      context.restore();
    }
    drawSides(context, scene.header.letters, shot, unit, turn);
    drawScaleBar(context, scene, shot, unit);
    context.restore();
  }
}

// The letters stand where the patient's sides are in the display: they follow when it is turned or flipped.
function drawSides(context, [right, left], { paneWidth, height }, unit, turn) {
  for (const [letter, place] of [[right, [0, 0.5]], [left, [1, 0.5]]]) {
    const edge = edgeOf(turn, place), size = 18 * unit, top = 26 * unit;
    if (edge === "left") letters(context, letter, 10 * unit, top, size);
    else if (edge === "right") letters(context, letter, paneWidth - 10 * unit, top, size, "right");
    else letters(context, letter, paneWidth / 2, edge === "top" ? top : height - 12 * unit, size, "center");
  }
}

function drawScaleBar(context, scene, shot, unit) {
  const bar = scaleBar(scene.header, shot);
  if (!bar) return;
  const right = shot.paneWidth - 12 * unit, y = shot.height - 14 * unit;
  for (const [colour, width] of [[HALO, 5 * unit], [INK, 2 * unit]]) {
    context.beginPath();
    context.moveTo(right - bar.length, y - 5 * unit);
    context.lineTo(right - bar.length, y);
    context.lineTo(right, y);
    context.lineTo(right, y - 5 * unit);
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
  letters(context, bar.text, right, y - 8 * unit, 13 * unit, "right");
}
