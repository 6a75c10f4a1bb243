// The saved picture: the whole image with its overlay at its own resolution, a legend, and its provenance.

const MOST_SIDE = 4096, LEAST_WIDTH = 900;

// Resolves to the Blob of a PNG. `texts`: what is written below it; the first is what the user typed, often empty.
function picture(tile, choice, texts) {
  const { scene, view } = tile;
  const { image } = scene.header;
  const magnified = Math.max(1, Math.ceil(LEAST_WIDTH / image.width));
  const scale = Math.min(magnified, MOST_SIDE / Math.max(image.width, image.height));
  const width = Math.round(image.width * scale), height = Math.round(image.height * scale);
  const layout = choice.layout === "side" ? "side" : "one", gap = GAP;
  const canvasWidth = layout === "side" ? 2 * width + gap : width;
  const shown = document.createElement("canvas");
  [shown.width, shown.height] = [canvasWidth, height];
  const shot = frame(scene, { ...view, zoom: 1, x: 0.5, y: 0.5 }, { ...choice, layout }, canvasWidth, height);
  const renderer = new CanvasRenderer(shown);
  renderer.setScene(scene);
  renderer.draw(shot);
  const unit = width / 900, isolines = heatLines(scene, choice);
  const drawing = shown.getContext("2d");
  drawAnnotations(drawing, scene, shot, { outline: choice.outline, lines: isolines, unit, turn: view });
  drawMeasures(drawing, tile, shot, unit, {});

  const size = Math.max(15, canvasWidth / 70), margin = size, whole = document.createElement("canvas");
  const context = whole.getContext("2d");
  context.font = font(size);
  const lines = texts.filter(Boolean).flatMap((line) => wrapped(context, line, canvasWidth - 2 * margin));
  const barHeight = choice.overlay ? 3.2 * size : 0;
  whole.width = canvasWidth;
  whole.height = Math.round(height + 2 * margin + barHeight + lines.length * 1.4 * size);
  context.fillStyle = "#0e1217";
  context.fillRect(0, 0, whole.width, whole.height);
  context.drawImage(shown, 0, 0);
  let y = height + margin;
  if (choice.overlay) {
    drawBar(context, scene, choice, margin, y, Math.min(canvasWidth - 2 * margin, 40 * size), size);
    y += barHeight;
  }
  context.font = font(size);
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillStyle = INK;
  for (const line of lines) {
    context.fillText(line, margin, y);
    y += 1.4 * size;
  }
  return new Promise((resolve, reject) =>
    whole.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"),
  );
}

function font(size) {
  return `${size}px system-ui, sans-serif`;
}

function heatLines(scene, choice) {
  return choice.overlay && choice.contour ? contours(scene, choice.threshold, choice.colourMap) : [];
}

// `finding`: in words, at the prevalence that the page shows.
function legendLines({ scene, view }, choice, words, name, finding) {
  const { header } = scene, date = new Date().toLocaleDateString("en-CA");
  const changed = [view.inverted && words.inverted, isTurned(view) && words.rotated].filter(Boolean).map((word) => `, ${word.toLowerCase()}`);
  const window = fill(words.window_line, levelsOf(view));
  return [
    name,
    finding,
    choice.overlay ? `${header.title}. ${header.range} ${header.remark}` : words.no_overlay,
    `${window}${changed.join("")}. ${header.sides}`,
    ...header.badges.map(([, sentence]) => sentence),
    `${header.provenance} ${date}.`,
  ];
}

function drawBar(context, scene, choice, x, y, width, size) {
  const shades = scene.colours.get(choice.colourMap), ramp = context.createLinearGradient(x, 0, x + width, 0);
  for (let i = 0; i < 256; i += 5) ramp.addColorStop(i / 255, `rgb(${shades.slice(3 * i, 3 * i + 3).join(",")})`);
  context.fillStyle = ramp;
  context.fillRect(x, y, width, size);
  context.strokeStyle = INK;
  context.lineWidth = size / 14;
  context.strokeRect(x, y, width, size);
  context.font = font(0.9 * size);
  context.fillStyle = INK;
  context.textBaseline = "top";
  const [left, right] = rangeWords(scene.header);
  context.textAlign = "left";
  context.fillText(left, x, y + 1.25 * size);
  context.textAlign = "right";
  context.fillText(right, x + width, y + 1.25 * size);
  if (choice.threshold > 0) {
    const at = x + width * choice.threshold;
    context.beginPath();
    context.moveTo(at, y - size / 4);
    context.lineTo(at, y + 1.25 * size);
    context.stroke();
    context.textAlign = choice.threshold > 0.5 ? "right" : "left";
    context.fillText(`drawn from ${thresholdWords(scene.header, choice)}`, at + (choice.threshold > 0.5 ? -5 : 5), y + 1.25 * size);
  }
}

function rangeWords(header) {
  return ["0", `≥ ${Number(header.heat.range.toPrecision(3))}`];
}

function thresholdWords(header, choice) {
  return String(Number((choice.threshold * header.heat.range).toPrecision(2)));
}

function wrapped(context, text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (context.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.filter(Boolean);
}
