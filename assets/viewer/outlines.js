// Lines of equal value on a grid (marching squares), in the unit square of the film.

// Returns a flat list of segments x0, y0, x1, y1. Beyond the grid's edge the value counts as zero, so lines close.
function isoline({ width, height, data }, level) {
  const segments = [];
  const value = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : data[y * width + x]);
  const cut = (a, b) => (level - a) / (b - a);
  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const a = value(x, y), b = value(x + 1, y), c = value(x + 1, y + 1), d = value(x, y + 1);
      const kind = (a > level ? 8 : 0) | (b > level ? 4 : 0) | (c > level ? 2 : 0) | (d > level ? 1 : 0);
      if (kind === 0 || kind === 15) continue;
      const top = () => [x + cut(a, b), y], right = () => [x + 1, y + cut(b, c)];
      const bottom = () => [x + cut(d, c), y + 1], left = () => [x, y + cut(a, d)];
      const add = (p, q) =>
        segments.push((p[0] + 0.5) / width, (p[1] + 0.5) / height, (q[0] + 0.5) / width, (q[1] + 0.5) / height);
      if (kind === 1 || kind === 14) add(left(), bottom());
      else if (kind === 2 || kind === 13) add(bottom(), right());
      else if (kind === 3 || kind === 12) add(left(), right());
      else if (kind === 4 || kind === 11) add(top(), right());
      else if (kind === 6 || kind === 9) add(top(), bottom());
      else if (kind === 7 || kind === 8) add(left(), top());
      else if (kind === 5) add(left(), top()), add(bottom(), right());
      else add(left(), bottom()), add(top(), right());
    }
  }
  return segments;
}

// The mean of each place and its eight neighbours, twice: a mask of squares gets a smooth edge.
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
