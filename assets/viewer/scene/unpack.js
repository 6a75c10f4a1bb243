// Unpacks the buffer that the server sends. cxrmodel/web/components/viewer_data.py describes its layout.
// The viewer's scripts are joined into one module, in the order that cxrmodel/web/components/viewer.py gives.

const FULL = 65535; // the top of the colour range

function readHeader(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))), body: bytes.subarray(4 + length) };
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function partsOf(header, body) {
  const inflated = header.parts.map(async ([name, start, size]) => [name, await inflate(body.subarray(start, start + size))]);
  return Object.fromEntries(await Promise.all(inflated));
}

// Shares of the colour range, in two bytes each.
function heatOf(part, header) {
  const data = new Uint16Array(part.length / 2);
  for (let i = 0; i < data.length; i++) data[i] = part[2 * i] | (part[2 * i + 1] << 8);
  return { ...header, data };
}

async function unpack(header, body) {
  const parts = await partsOf(header, body);
  const lungs = Uint16Array.from(parts.lungs, (value) => (value ? FULL : 0));
  return {
    header,
    image: pyramid(imageLevels(parts.image, header.image), header.image.width, header.image.height),
    heat: heatOf(parts.heat, header.heat),
    outline: pathOf(isoline(blurred({ ...header.lungs, data: lungs }), FULL / 2), header.image),
    colours: new Map(header.colourMaps.map((name, i) => [name, parts.colours.subarray(768 * i, 768 * (i + 1))])),
  };
}

// Rows arrive as differences from the row above. All images are held in 16 bits, so that one loop handles them all.
function imageLevels(coded, { width, height, top }) {
  const size = width * height, levels = new Uint16Array(size), mask = top > 255 ? 65535 : 255;
  if (top > 255) for (let i = 0; i < size; i++) levels[i] = (coded[i] << 8) | coded[size + i];
  else levels.set(coded);
  for (let i = width; i < size; i++) levels[i] = (levels[i] + levels[i - width]) & mask;
  return levels;
}

// Copies of half the size each, down to a few pixels: an image shown small is averaged first, against aliasing.
function pyramid(data, width, height) {
  const levels = [{ width, height, data }];
  while (Math.min(width, height) >= 64) {
    const from = levels.at(-1);
    width >>= 1;
    height >>= 1;
    const half = new Uint16Array(width * height);
    for (let y = 0, to = 0; y < height; y++) {
      let a = 2 * y * from.width, b = a + from.width;
      for (let x = 0; x < width; x++, a += 2, b += 2)
        half[to++] = (from.data[a] + from.data[a + 1] + from.data[b] + from.data[b + 1] + 2) >> 2;
    }
    levels.push({ width, height, data: half });
  }
  return levels;
}
