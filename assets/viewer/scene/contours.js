// Lines of equal value on a grid (marching squares), in coordinates 0..1 of the image.

// Returns closed lines, each a flat list x0, y0, x1, y1, ... Values beyond the grid count as zero, so every line closes:
// each crossed grid edge is joined to two others.
function isoline({ width, height, data }, level) {
  const points = new Map(), joined = new Map();
  const value = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : data[y * width + x]);
  const cut = (a, b) => (level - a) / (b - a);
  // The crossing of the grid edge from (x, y) to the right or down, at `share` of its length; returns the edge's number.
  const cross = (x, y, down, share) => {
    const edge = 2 * ((y + 1) * (width + 2) + x + 1) + down;
    if (!points.has(edge)) {
      points.set(edge, [(x + (down ? 0 : share) + 0.5) / width, (y + (down ? share : 0) + 0.5) / height]);
      joined.set(edge, []);
    }
    return edge;
  };
  const join = (p, q) => {
    joined.get(p).push(q);
    joined.get(q).push(p);
  };
  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const a = value(x, y), b = value(x + 1, y), c = value(x + 1, y + 1), d = value(x, y + 1);
      const kind = (a > level ? 8 : 0) | (b > level ? 4 : 0) | (c > level ? 2 : 0) | (d > level ? 1 : 0);
      if (kind === 0 || kind === 15) continue;
      const top = () => cross(x, y, 0, cut(a, b)), right = () => cross(x + 1, y, 1, cut(b, c));
      const bottom = () => cross(x, y + 1, 0, cut(d, c)), left = () => cross(x, y, 1, cut(a, d));
      if (kind === 1 || kind === 14) join(left(), bottom());
      else if (kind === 2 || kind === 13) join(bottom(), right());
      else if (kind === 3 || kind === 12) join(left(), right());
      else if (kind === 4 || kind === 11) join(top(), right());
      else if (kind === 6 || kind === 9) join(top(), bottom());
      else if (kind === 7 || kind === 8) join(left(), top());
      else if (kind === 5) join(left(), top()), join(bottom(), right());
      else join(left(), bottom()), join(top(), right());
    }
  }
  const lines = [];
  for (const start of joined.keys()) {
    const line = [];
    for (let edge = start; points.has(edge); edge = joined.get(edge).find((next) => points.has(next))) {
      line.push(...points.get(edge));
      points.delete(edge);
    }
    if (line.length) lines.push(line);
  }
  return lines;
}

// Lines as one path in image pixels, made once and stroked at every position and scale.
function pathOf(lines, { width, height }) {
  const path = new Path2D();
  for (const line of lines) {
    path.moveTo(line[0] * width, line[1] * height);
    for (let i = 2; i < line.length; i += 2) path.lineTo(line[i] * width, line[i + 1] * height);
    path.closePath();
  }
  return path;
}

// A 3 x 3 box filter, twice: it smooths the edge of the low-resolution mask.
function blurred(grid) {
  let { width, height, data } = grid;
  for (let turn = 0; turn < 2; turn++) {
    const to = new Uint16Array(data.length);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let j = -1; j <= 1; j++)
          for (let i = -1; i <= 1; i++) {
            const row = Math.min(height - 1, Math.max(0, y + j)), column = Math.min(width - 1, Math.max(0, x + i));
            sum += data[row * width + column];
          }
        to[y * width + x] = sum / 9;
      }
    data = to;
  }
  return { width, height, data };
}
