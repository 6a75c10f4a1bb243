// Lengths and angles. Points are shares of the image as it is, so that they stay where they are when it is turned.

const POINTS = { length: 2, angle: 3 };
const MEASURE = "#ffd166", REACH = 14; // CSS pixels around a cursor
const CURSOR_STEP = 1, CURSOR_LEAP = 15; // CSS pixels

// Begins, continues or ends a measurement at a place of a tile.
function addPoint(tile, kind, place) {
  const points = [...(tile.draft?.kind === kind ? tile.draft.points : []), place];
  if (points.length < POINTS[kind]) {
    tile.draft = { kind, points };
    return null;
  }
  tile.draft = null;
  const measure = { kind, points };
  tile.view.measures = [...tile.view.measures, measure];
  return measure;
}

// Offsets between two places in millimetres where the spacing is known, else in pixels of the image.
function offset(header, from, to) {
  const [down, across] = header.spacing ?? [1, 1];
  return [(to[0] - from[0]) * header.image.width * across, (to[1] - from[1]) * header.image.height * down];
}

function measureWords(header, { kind, points }, words) {
  if (kind === "length") {
    const length = Math.hypot(...offset(header, ...points));
    if (!header.spacing) return words.pixels.replace("{length}", length.toFixed(length < 10 ? 1 : 0));
    return `${length.toFixed(length < 100 ? 1 : 0)} mm ${header.spacingFrom}`.trim();
  }
  const [a, b] = [offset(header, points[1], points[0]), offset(header, points[1], points[2])];
  const angle = Math.abs(Math.atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1]));
  return `${((180 * angle) / Math.PI).toFixed(1)}°`;
}

function drawMeasures(context, tile, shot, unit, { draft, cursor }) {
  const { view, source, viewer } = tile, { width, height } = tile.scene.header.image;
  const measures = [...view.measures, ...(draft ? [{ ...draft, open: true }] : [])];
  for (const pane of shot.panes) {
    context.save();
    context.beginPath();
    context.rect(pane.x, 0, shot.paneWidth, shot.height);
    context.clip();
    context.translate(pane.x, 0);
    const at = (place) => {
      const [x, y] = toDisplay(view, place);
      return [shot.x + x * width * shot.scale, shot.y + y * height * shot.scale];
    };
    for (const measure of measures) {
      const points = measure.points.map(at);
      if (measure.open && cursor) points.push(at(cursor));
      for (const [colour, thick] of [[HALO, 4 * unit], [MEASURE, 1.75 * unit]]) {
        context.beginPath();
        points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
        for (const [x, y] of points) {
          context.moveTo(x - 5 * unit, y);
          context.lineTo(x + 5 * unit, y);
          context.moveTo(x, y - 5 * unit);
          context.lineTo(x, y + 5 * unit);
        }
        context.lineWidth = thick;
        context.strokeStyle = colour;
        context.stroke();
      }
      const whole = { kind: measure.kind, points: measure.open && cursor ? [...measure.points, cursor] : measure.points };
      if (whole.points.length < POINTS[measure.kind]) continue;
      const [x, y] = points[measure.kind === "angle" ? 1 : points.length - 1];
      const text = measureWords(source.header, whole, viewer.words), right = x > shot.paneWidth * 0.7;
      letters(context, text, x + (right ? -8 : 8) * unit, y - 8 * unit, 13 * unit, right ? "right" : "left");
    }
    if (cursor && viewer.tool && !draft?.points.length) drawCursor(context, at(cursor), unit);
    context.restore();
  }
}

function drawCursor(context, [x, y], unit) {
  for (const [colour, thick] of [[HALO, 4 * unit], [MEASURE, 1.5 * unit]]) {
    context.beginPath();
    context.moveTo(x - REACH * unit, y);
    context.lineTo(x + REACH * unit, y);
    context.moveTo(x, y - REACH * unit);
    context.lineTo(x, y + REACH * unit);
    context.lineWidth = thick;
    context.strokeStyle = colour;
    context.stroke();
  }
}
