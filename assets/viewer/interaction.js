// Mouse, touch, pen, wheel and keyboard.

// Key, command, name of its words.
const KEYS = [
  ["i", "invert", "invert"],
  ["+", "in", "in"],
  ["-", "out", "out"],
  ["=", "fit", "fit"],
  [" ", "reset", "reset"],
  ["h", "overlay", "overlay"],
  ["g", "contour", "contour"],
  ["o", "outline", "outline"],
  ["l", "layout", "layout"],
  ["1", "whole", "whole"],
  ["2", "file", "file"],
  ["3", "percentile", "percentile"],
  ["4", "lungs", "lungs"],
  ["5", "mediastinum", "mediastinum"],
  ["f", "full", "full"],
  ["[", "left", "left"],
  ["]", "right", "right"],
  ["v", "flip", "flip"],
  ["m", "magnifier", "magnifier"],
  ["d", "length", "length"],
  ["a", "angle", "angle"],
  ["p", "pair", "pair"],
  ["t", "tags", "tags"],
  ["?", "help", "help"],
];
const GESTURES = ["drag", "finger", "wheel", "move", "arrows", "measure"];
const ZOOM_STEP = 1.25, MOVE_STEP = 40, LEVEL_STEP = 12;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TYPING = "textarea, select, [contenteditable]:not([contenteditable=false]), [role=textbox], [role=combobox], " +
  "[role=listbox], [role=grid], input:not([type=range], [type=checkbox], [type=radio], [type=button], [type=submit])";
const PRESSED = "button, a[href], summary, input, select, [role=button], [role=slider], [role=tab], [role=option]";
const TAP = 8; // CSS pixels that a finger may move while it taps

// Pointers on one tile. All listeners end with `signal`.
function attachPointers(tile, signal) {
  const { viewer, stage } = tile, down = new Map(), once = { signal };
  let mode = "", before = null, began = null;

  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const apart = (event) => event.target.closest?.(".splitter, .crop");

  stage.addEventListener("pointerdown", (event) => {
    if (apart(event) || !tile.shot || event.button === 2) return;
    event.preventDefault();
    stage.focus({ preventScroll: true });
    stage.setPointerCapture(event.pointerId);
    viewer.activate(tile);
    if (!down.size) [before, began] = [{ view: tile.view, was: { ...tile.view } }, place(event)];
    down.set(event.pointerId, place(event));
    const moving = down.size > 1 || event.button === 1 || event.shiftKey || viewer.space;
    // One finger scrolls the page; window and level, like every drag, are for the mouse and the pen.
    mode = moving ? "move" : viewer.tool ? "measure" : event.pointerType === "touch" ? "scroll" : "level";
    viewer.moved ||= viewer.space;
    stage.classList.toggle("moving", moving);
    if (mode === "measure" && !tile.draft && event.pointerType !== "touch") viewer.measure(tile, tile.placeAt(...began));
  }, once);

  stage.addEventListener("pointermove", (event) => {
    if (!tile.shot || apart(event)) return;
    const to = place(event), from = down.get(event.pointerId);
    viewer.pointAt(tile, to);
    if (!from) return;
    if (down.size === 1) {
      const across = to[0] - from[0], along = to[1] - from[1];
      if (mode === "move") viewer.move(tile, across, along);
      else if (mode === "level") viewer.level(tile, across, along);
    } else {
      const other = [...down].find(([id]) => id !== event.pointerId)[1];
      const before = Math.hypot(from[0] - other[0], from[1] - other[1]);
      const after = Math.hypot(to[0] - other[0], to[1] - other[1]);
      viewer.move(tile, (to[0] - from[0]) / 2, (to[1] - from[1]) / 2);
      if (before > 0) viewer.zoom(tile, after / before, (to[0] + other[0]) / 2, (to[1] + other[1]) / 2);
    }
    down.set(event.pointerId, to);
  }, once);

  const up = (event) => {
    const at = down.get(event.pointerId);
    if (!down.delete(event.pointerId)) return;
    if (!down.size) stage.classList.remove("moving");
    const moved = Math.hypot(at[0] - began[0], at[1] - began[1]) > TAP;
    // A mouse may drag from the first point to the second, or click each.
    const wanted = event.pointerType === "touch" ? !moved : moved || tile.draft?.waits;
    if (event.type === "pointerup" && mode === "measure" && tile.shot && wanted) viewer.measure(tile, tile.placeAt(...at));
    if (tile.draft) tile.draft.waits = true;
    if (tile.source) showControls(viewer);
  };
  stage.addEventListener("pointerup", up, once);
  // The browser took the gesture over to scroll the page: undo its effect.
  stage.addEventListener("pointercancel", (event) => {
    if (!down.has(event.pointerId)) return;
    Object.assign(before.view, before.was);
    viewer.changed(tile);
    up(event);
  }, once);
  stage.addEventListener("pointerleave", () => viewer.pointAt(tile, null), once);
  // The middle button would start the browser's own scrolling.
  stage.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault(), once);

  stage.addEventListener("wheel", (event) => {
    if (!tile.shot || apart(event)) return;
    event.preventDefault();
    const pixels = event.deltaY * [1, 33, 400][event.deltaMode];
    viewer.zoom(tile, Math.exp(-clamp(pixels, -400, 400) * (event.ctrlKey ? 0.01 : 0.0015)), ...place(event));
  }, { ...once, passive: false });
}

function attachKeys(viewer, signal) {
  const once = { signal };

  document.addEventListener("keydown", (event) => {
    const target = event.composedPath()[0], here = event.composedPath().includes(viewer.section);
    if (event.key === "Escape" && (here || viewer.tool || viewer.cropTool)) return void viewer.escape();
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || !viewer.active?.shot) return;
    if (target.matches?.(TYPING) || target.closest?.("[role=grid], [data-testid=stDataFrame]")) return;
    if (!here && !viewer.choice.keys) return;
    const tile = viewer.tiles.find((one) => one.stage === target);
    if (tile && event.key in ARROWS) {
      const [across, along] = ARROWS[event.key];
      if (viewer.tool) viewer.moveCursor(tile, across, along, event.shiftKey);
      else if (event.shiftKey) viewer.level(tile, across * LEVEL_STEP, along * LEVEL_STEP);
      else viewer.move(tile, -across * MOVE_STEP, -along * MOVE_STEP);
      return void event.preventDefault();
    }
    if (tile && viewer.tool && event.key === "Enter") {
      viewer.measure(tile, tile.cursor ?? [0.5, 0.5]);
      return void event.preventDefault();
    }
    if (event.key === " ") {
      if (target.closest?.(PRESSED)) return;
      if (!viewer.space) viewer.moved = false;
      viewer.space = true;
      return void event.preventDefault();
    }
    const known = KEYS.find(([key]) => key === event.key.toLowerCase());
    if (!known || (event.repeat && !["in", "out"].includes(known[1]))) return;
    event.preventDefault();
    viewer.command(known[1]);
  }, once);

  document.addEventListener("keyup", (event) => {
    if (event.key !== " " || !viewer.space) return;
    viewer.space = false;
    if (!viewer.moved) viewer.command("reset");
  }, once);
  window.addEventListener("blur", () => (viewer.space = false), once);
}

function attachSplitter(viewer, signal) {
  const handle = viewer.part("split"), once = { signal };
  const set = (share) => viewer.choose({ split: clamp(share, 0, 1) });
  handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId), once);
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = viewer.main.stage.getBoundingClientRect();
    set((event.clientX - box.left) / box.width);
  }, once);
  handle.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -0.02, ArrowRight: 0.02, ArrowDown: -0.02, ArrowUp: 0.02, Home: -1, End: 1 };
    if (!(event.key in steps)) return;
    set(viewer.choice.split + steps[event.key]);
    event.preventDefault();
  }, once);
}
