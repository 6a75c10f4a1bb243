// Draws image and heatmap on a plain canvas, only the pixels on screen. Moving the image resamples it; a change of grey
// levels or colours only looks each pixel up in two tables.

const OPAQUE_BLACK = 0xff000000; // little-endian, as every browser's platform is

class CanvasRenderer {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    this.place = this.tone = this.mixing = "";
  }

  setScene(scene) {
    this.scene = scene;
    this.place = this.tone = this.mixing = "";
  }

  // `shot`: see frame() in view_state.js.
  draw(shot) {
    this.resample(shot);
    this.shade(shot);
    const { width, height } = this.canvas, { left, right, top, bottom } = this.box, { paneWidth } = shot;
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
      this.drawn = "";
    }
    const drawn = `${this.place} ${shot.panes.length}`;
    if (this.drawn !== drawn) this.pixels.fill(OPAQUE_BLACK);
    this.drawn = drawn;
    const { pixels, grey, share, table, mixtures } = this;
    for (const pane of shot.panes) {
      const from = Math.min(right, Math.max(left, pane.from));
      for (let y = top; y < bottom; y++) {
        const source = y * paneWidth, to = y * width + pane.x;
        for (let x = left; x < from; x++) pixels[to + x] = mixtures[table[grey[source + x]]];
        for (let x = from; x < right; x++) pixels[to + x] = mixtures[(share[source + x] << 8) | table[grey[source + x]]];
      }
    }
    this.context.putImageData(this.image, 0, 0);
  }

  resample(shot) {
    const { paneWidth, height, scale, x, y } = shot, { image, heat } = this.scene;
    const heated = shot.panes.some((pane) => pane.from < paneWidth);
    const place = [paneWidth, height, scale, x, y].join(" ");
    if (this.place !== place) {
      if (this.grey?.length !== paneWidth * height) {
        this.grey = new Uint16Array(paneWidth * height);
        this.share = new Uint16Array(paneWidth * height);
      }
      this.box = {
        left: Math.max(0, Math.ceil(x - 0.5)),
        right: Math.max(0, Math.min(paneWidth, Math.ceil(x + image[0].width * scale - 0.5))),
        top: Math.max(0, Math.ceil(y - 0.5)),
        bottom: Math.max(0, Math.min(height, Math.ceil(y + image[0].height * scale - 0.5))),
      };
      const level = pyramidLevel(image, scale), { data, ...size } = image[level];
      const step = 1 / (scale * 2 ** level);
      stretch(data, size, { x, y, stepX: step, stepY: step }, this.grey, paneWidth, this.box, 1);
      this.place = place;
      this.heated = "";
    }
    if (heated && this.heated !== place) {
      const stepX = heat.width / (image[0].width * scale), stepY = heat.height / (image[0].height * scale);
      stretch(heat.data, heat, { x, y, stepX, stepY }, this.share, paneWidth, this.box, 255 / FULL);
      this.heated = place;
    }
  }

  // Image level -> one of 256 greys; grey and heat -> screen colour.
  shade({ low, high, inverted, opacity, threshold, fill, colourMap }) {
    const { header, colours } = this.scene, { top } = header.image;
    const tone = `${low} ${high} ${inverted}`, mixing = `${opacity} ${threshold} ${fill} ${colourMap}`;
    if (this.tone !== tone) {
      this.table = new Uint8Array(65536);
      const slope = 255 / (high - low);
      for (let i = 0; i <= top; i++) {
        const grey = Math.min(255, Math.max(0, Math.round((i - low) * slope)));
        this.table[i] = inverted ? 255 - grey : grey;
      }
      this.tone = tone;
    }
    if (this.mixing !== mixing) {
      const shades = colours.get(colourMap);
      this.mixtures = new Uint32Array(65536);
      for (let heat = 0, i = 0; heat < 256; heat++) {
        const part = fill && heat / 255 >= threshold ? (opacity * heat) / 255 : 0;
        const [red, green, blue] = [0, 1, 2].map((channel) => shades[3 * heat + channel] * part + 0.5);
        for (let grey = 0; grey < 256; grey++, i++) {
          const rest = grey * (1 - part);
          this.mixtures[i] = (OPAQUE_BLACK | ((blue + rest) << 16) | ((green + rest) << 8) | (red + rest)) >>> 0;
        }
      }
      this.mixing = mixing;
    }
  }

  destroy() {}
}

// The copy of the image to draw from: at least three texels for four screen pixels, so that nothing blurs.
function pyramidLevel(image, scale) {
  return Math.min(image.length - 1, Math.max(0, Math.floor(Math.log2(1 / scale) + 0.42)));
}

// Bilinear, rows first. Device column X is at source column (X + 0.5 - x) * stepX - 0.5.
function stretch(source, size, { x, y, stepX, stepY }, to, stride, { left, right, top, bottom }, gain) {
  if (right <= left) return;
  const last = size.width - 1, columns = new Int32Array(right), shares = new Float32Array(right);
  for (let i = left; i < right; i++) {
    const at = Math.min(last, Math.max(0, (i + 0.5 - x) * stepX - 0.5));
    columns[i] = at;
    shares[i] = at - columns[i];
  }
  const first = columns[left], end = Math.min(last, columns[right - 1] + 1), row = new Float32Array(size.width + 1);
  for (let j = top; j < bottom; j++) {
    const at = Math.min(size.height - 1, Math.max(0, (j + 0.5 - y) * stepY - 0.5));
    const upper = Math.floor(at), share = at - upper;
    const a = upper * size.width, b = Math.min(size.height - 1, upper + 1) * size.width;
    for (let i = first; i <= end; i++) row[i] = source[a + i] + (source[b + i] - source[a + i]) * share;
    row[end + 1] = row[end];
    for (let i = left, k = j * stride + left; i < right; i++, k++) {
      const column = columns[i], value = row[column];
      to[k] = (value + (row[column + 1] - value) * shares[i]) * gain + 0.5;
    }
  }
}
