// Unpacked scenes in this tab's memory: the latest used ones, so that a switch between images only draws.

const MOST_SCENE_BYTES = 320 * 2 ** 20;

class Scenes {
  constructor(store) {
    [this.store, this.kept, this.coming, this.bytes] = [store, new Map(), new Map(), 0];
  }

  // Another reading of the same file has another scene.
  static key(row) {
    return `${row.id} ${row.outcome}`;
  }

  known(row) {
    const key = Scenes.key(row), scene = this.kept.get(key);
    if (!scene) return undefined;
    this.kept.delete(key);
    this.kept.set(key, scene);
    return scene;
  }

  // Rejects with the status of the server's answer, or where the data cannot be unpacked.
  async load(row) {
    const key = Scenes.key(row), known = this.known(row);
    if (known) return known;
    if (!this.coming.has(key)) {
      const coming = this.obtain(row, key).finally(() => this.coming.delete(key));
      this.coming.set(key, coming);
    }
    return this.coming.get(key);
  }

  async obtain(row, key) {
    const { header, body } = readHeader(new Uint8Array(await this.store.scene(row.id)));
    const scene = await unpack(header, body);
    this.keep(key, scene);
    return scene;
  }

  keep(key, scene) {
    for (const level of scene.image) scene.bytes = (scene.bytes ?? 0) + level.data.byteLength;
    this.kept.set(key, scene);
    this.bytes += scene.bytes;
    for (const [oldest, { bytes }] of this.kept) {
      if (this.bytes <= MOST_SCENE_BYTES || this.kept.size <= 1) break;
      this.kept.delete(oldest);
      this.bytes -= bytes;
    }
  }

  // Unpacks neighbours while nothing else is to be done, and lets go of images that left the list.
  async warm(rows) {
    for (const key of [...this.kept.keys()]) {
      if (this.store.rows.has(key.split(" ")[0])) continue;
      this.bytes -= this.kept.get(key).bytes;
      this.kept.delete(key);
    }
    for (const row of rows) {
      await new Promise((resolve) => (window.requestIdleCallback ?? setTimeout)(resolve));
      await this.load(row).catch(() => undefined);
    }
  }
}
