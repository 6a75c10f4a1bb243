// Mouse, touch, pen, wheel and keyboard.

const KEYS = [
  ["i", "invert", "Invert"],
  ["+", "in", "Zoom in"],
  ["-", "out", "Zoom out"],
  ["=", "fit", "Fit the image"],
  [" ", "reset", "Reset view and window"],
  ["h", "overlay", "Heatmap on or off"],
  ["k", "contour", "Contours or filled map"],
  ["o", "outline", "Lung outline on or off"],
  ["l", "layout", "Next layout"],
  ["1", "whole", "Window: whole range"],
  ["2", "file", "Window: as in the file"],
  ["3", "percentile", "Window: 1st to 99th percentile"],
  ["4", "lungs", "Window: lungs"],
  ["5", "mediastinum", "Window: mediastinum"],
  ["?", "help", "This list"],
];
const GESTURES = [
  ["Drag", "Window (across) and level (up and down)"],
  ["One finger", "Window and level once it moves across; up and down scrolls the page"],
  ["Wheel, pinch", "Zoom at the pointer"],
  ["Space, Shift or middle button and drag, two fingers", "Move the image"],
  ["Arrow keys on the image", "Move it; with Shift: window and level"],
];
const ZOOM_STEP = 1.25, MOVE_STEP = 40, LEVEL_STEP = 12;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const TYPING = "textarea, select, [contenteditable]:not([contenteditable=false]), [role=textbox], [role=combobox], " +
  "[role=listbox], [role=grid], input:not([type=range], [type=checkbox], [type=radio], [type=button], [type=submit])";
const PRESSED = "button, a[href], summary, input, select, [role=button], [role=slider], [role=tab], [role=option]";

// All listeners end with `signal`.
function attachGestures(viewer, signal) {
  const { stage } = viewer, down = new Map(), once = { signal };
  let mode = "", space = false, moved = false, before = null;

  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const onPanel = (event) => event.target.closest?.(".panel, .splitter");

  stage.addEventListener("pointerdown", (event) => {
    if (onPanel(event) || !viewer.shot || event.button === 2) return;
    event.preventDefault();
    stage.focus({ preventScroll: true });
    stage.setPointerCapture(event.pointerId);
    if (!down.size) before = { view: viewer.view, was: { ...viewer.view } };
    down.set(event.pointerId, place(event));
    const moving = down.size > 1 || event.button === 1 || event.shiftKey || space;
    mode = moving ? "move" : "level";
    moved ||= space;
    stage.classList.toggle("moving", moving);
  }, once);

  stage.addEventListener("pointermove", (event) => {
    if (!viewer.shot || onPanel(event)) return;
    const to = place(event), from = down.get(event.pointerId);
    viewer.pointAt(...to);
    if (!from) return;
    if (down.size === 1) {
      const across = to[0] - from[0], along = to[1] - from[1];
      if (mode === "move") viewer.move(across, along);
      else viewer.level(across, along);
    } else {
      const other = [...down].find(([id]) => id !== event.pointerId)[1];
      const before = Math.hypot(from[0] - other[0], from[1] - other[1]);
      const after = Math.hypot(to[0] - other[0], to[1] - other[1]);
      viewer.move((to[0] - from[0]) / 2, (to[1] - from[1]) / 2);
      if (before > 0) viewer.zoom(after / before, (to[0] + other[0]) / 2, (to[1] + other[1]) / 2);
    }
    down.set(event.pointerId, to);
  }, once);

  const up = (event) => {
    if (!down.delete(event.pointerId)) return;
    if (!down.size) stage.classList.remove("moving");
    showControls(viewer);
  };
  stage.addEventListener("pointerup", up, once);
  // The browser took the gesture over to scroll the page: undo its effect.
  stage.addEventListener("pointercancel", (event) => {
    if (!down.has(event.pointerId)) return;
    Object.assign(before.view, before.was);
    viewer.changed();
    up(event);
  }, once);
  stage.addEventListener("pointerleave", () => viewer.pointAt(null), once);
  // The middle button would start the browser's own scrolling.
  stage.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault(), once);

  stage.addEventListener("wheel", (event) => {
    if (!viewer.shot || onPanel(event)) return;
    event.preventDefault();
    const pixels = event.deltaY * [1, 33, 400][event.deltaMode];
    viewer.zoom(Math.exp(-clamp(pixels, -400, 400) * (event.ctrlKey ? 0.01 : 0.0015)), ...place(event));
  }, { ...once, passive: false });

  document.addEventListener("keydown", (event) => {
    const target = event.composedPath()[0], here = event.composedPath().includes(viewer.section);
    if (event.key === "Escape" && here) return void viewer.closePanels();
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || !viewer.shot) return;
    if (target.matches?.(TYPING) || target.closest?.("[role=grid], [data-testid=stDataFrame]")) return;
    if (!here && !viewer.choice.keys) return;
    if (target === stage && event.key in ARROWS) {
      const [across, along] = ARROWS[event.key];
      if (event.shiftKey) viewer.level(across * LEVEL_STEP, along * LEVEL_STEP);
      else viewer.move(-across * MOVE_STEP, -along * MOVE_STEP);
      return void event.preventDefault();
    }
    if (event.key === " ") {
      if (target.closest?.(PRESSED)) return;
      if (!space) moved = false;
      space = true;
      return void event.preventDefault();
    }
    const known = KEYS.find(([key]) => key === event.key.toLowerCase());
    if (!known || (event.repeat && !["in", "out"].includes(known[1]))) return;
    event.preventDefault();
    viewer.command(known[1]);
  }, once);

  document.addEventListener("keyup", (event) => {
    if (event.key !== " " || !space) return;
    space = false;
    if (!moved) viewer.command("reset");
  }, once);
  window.addEventListener("blur", () => (space = false), once);
}

function attachSplitter(viewer, signal) {
  const handle = viewer.part("split"), once = { signal };
  const set = (share) => viewer.choose({ split: clamp(share, 0, 1) });
  handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId), once);
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = viewer.stage.getBoundingClientRect();
    set((event.clientX - box.left) / box.width);
  }, once);
  handle.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -0.02, ArrowRight: 0.02, ArrowDown: -0.02, ArrowUp: 0.02, Home: -1, End: 1 };
    if (!(event.key in steps)) return;
    set(viewer.choice.split + steps[event.key]);
    event.preventDefault();
  }, once);
}
