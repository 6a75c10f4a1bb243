// Follows the selected image of the session's store. The last script: Streamlit calls the function that it exports.

const viewers = new WeakMap();
const COMING = ["waiting", "reading"];
const PASSING = 120; // milliseconds; images passed faster than this are not loaded

function follow(viewer, store) {
  const { words } = viewer;
  store.unpacked ??= new Scenes(store);
  if (store.unpacked.store !== store || store.unpacked.token !== store.requests.token) store.unpacked = new Scenes(store);
  store.unpacked.token = store.requests.token;

  const show = (row, scene) => {
    viewer.show(row.id, scene, row.name);
    viewer.maps?.look(row);
    store.unpacked.warm(neighbours(store, row.id));
  };

  const look = async () => {
    const row = store.rows.get(store.selected), state = row ? `${Scenes.key(row)} ${row.status} ${row.hasImage}` : "";
    if (viewer.comparison && !store.rows.get(viewer.comparison)?.hasImage) viewer.uncompare();
    if (state === viewer.wanted) return;
    viewer.wanted = state; // what the user looks at now: whatever else arrives is late
    if (!row?.hasImage) {
      viewer.maps?.look(null);
      return viewer.empty(row?.id ?? null, reasonWithout(row, words), row?.thumb ?? "");
    }
    const known = store.unpacked.known(row);
    if (known) return show(row, known);
    if (viewer.id !== row.id) viewer.empty(row.id, words.loading, row.thumb ?? "", true);
    const now = performance.now(), passing = now - (viewer.lookedAt ?? -PASSING) < PASSING;
    viewer.lookedAt = now;
    if (passing) await new Promise((resolve) => setTimeout(resolve, PASSING));
    if (viewer.wanted !== state) return;
    try {
      const scene = await store.unpacked.load(row);
      if (viewer.wanted === state && !viewer.done.signal.aborted) show(row, scene);
    } catch (error) {
      if (viewer.wanted !== state) return;
      viewer.empty(row.id, error.status === 410 ? words.released : words.failed);
      if (!error.status) viewer.wanted = null; // a bad connection: it is asked for again with the next change
    }
  };

  store.cropping = async (id) => (viewer.id === id && viewer.main.shot ? viewer.crop() : null);
  look();
  return store.subscribe(look);
}

function reasonWithout(row, words) {
  if (!row) return words.nothing;
  if (COMING.includes(row.status)) return words.coming;
  if (row.gone) return words.gone;
  return row.released ? words.released : words.no_picture;
}

function neighbours(store, id) {
  const order = store.shown ?? store.order, at = order.indexOf(id);
  return [order[at + 1], order[at - 1]].map((other) => store.rows.get(other)).filter((row) => at >= 0 && row?.hasImage);
}

// Streamlit calls this at every run with the same element, and the returned function when the element goes. Only the
// function of the latest call ends the viewer.
export default function ({ data, parentElement }) {
  const viewer = viewers.get(parentElement) ?? new Viewer(parentElement, data.words, data.page), turn = Symbol();
  viewers.set(parentElement, viewer);
  viewer.turn = turn;
  viewer.unfollow?.();
  const store = (viewer.store = openRoom(data));
  if (data.maps) viewer.maps ??= new Maps(viewer, store, data.maps);
  viewer.unfollow = follow(viewer, store);
  return () => {
    if (viewer.turn !== turn) return;
    viewer.unfollow();
    viewer.maps?.destroy();
    viewer.destroy();
    viewers.delete(parentElement);
  };
}
