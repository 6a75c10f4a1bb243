// The controls around the image and their texts, which the server sends.

const PRESSED_COMMANDS = ["overlay", "contour", "outline", "invert", "magnifier", "length", "angle", "full"];

// Puts the words where the markup names them.
function label(root, words) {
  for (const [mark, put] of [
    ["word", (one, text) => (one.textContent = text)],
    ["title", (one, text) => (one.title = text)],
    ["label", (one, text) => one.setAttribute("aria-label", text)],
    ["placeholder", (one, text) => (one.placeholder = text)],
  ])
    for (const one of root.querySelectorAll(`[data-${mark}]`)) put(one, words[one.dataset[mark]] ?? "");
}

function connectControls(viewer, signal) {
  const on = (name, kind, work) => viewer.part(name).addEventListener(kind, work, { signal });
  viewer.section.addEventListener("click", (event) => {
    const name = event.target.closest("[data-command]")?.dataset.command;
    if (name) viewer.command(name);
    else if (!event.composedPath().includes(viewer.part("more"))) viewer.closePanel("more");
  }, { signal });
  on("window", "change", (event) => viewer.command(event.target.value));
  on("layout", "change", (event) => viewer.choose({ layout: event.target.value }));
  on("colours", "change", (event) => viewer.choose({ colourMap: event.target.value }));
  on("opacity", "input", (event) => viewer.choose({ opacity: event.target.value / 100 }));
  on("threshold", "input", (event) => viewer.choose({ threshold: event.target.value / 100 }));
  on("everywhere", "change", (event) => viewer.choose({ keys: event.target.checked }));
  on("compare", "change", (event) => viewer.compare(event.target.value));
  on("name", "input", (event) => event.target.setCustomValidity(""));
  on("save", "submit", (event) => {
    event.preventDefault();
    viewer.save();
  });
  const { words } = viewer;
  const entries = KEYS.flatMap(([key, , what]) => entry(element("kbd", key === " " ? "Space" : key), words[`key_${what}`]));
  viewer.part("keys").replaceChildren(...entries);
  viewer.part("gestures").replaceChildren(...GESTURES.flatMap((name) => entry(words[`gesture_${name}`], words[`gesture_${name}_does`])));
}

function showNumbers(viewer) {
  const { active, words } = viewer, { view, shot } = active;
  if (!shot) return;
  viewer.write("levels", `${fill(words.levels, levelsOf(view))}${view.inverted ? ` · ${words.inverted.toLowerCase()}` : ""}`);
  viewer.write("zoom", fill(words.zoom, { share: percent(shot.scale) }));
  viewer.write("pixel", viewer.pointed?.pixel() ?? "");
}

function showControls(viewer) {
  const { active, choice, words } = viewer, { view, source } = active, { header } = source;
  const states = { ...choice, invert: view.inverted, magnifier: viewer.magnified, full: isFullScreen(viewer.section) };
  for (const name of PRESSED_COMMANDS) {
    const pressed = name === viewer.tool || Boolean(states[name]);
    for (const button of viewer.buttons(name)) button.setAttribute("aria-pressed", String(pressed));
  }
  for (const name of ["overlay", "contour"])
    for (const button of viewer.buttons(name)) button.disabled = !header.mapped || (name === "contour" && !choice.overlay);
  for (const name of ["colours", "opacity", "threshold"]) viewer.part(name).disabled = !choice.overlay;
  if (choice.contour) viewer.part("opacity").disabled = true;
  for (const option of viewer.part("window").options) if (option.value) option.disabled = !header.windows[option.value];
  viewer.part("window").value = windowName(header, view);
  viewer.part("layout").value = choice.layout;
  viewer.part("layout").disabled = viewer.tiles.length > 1;
  viewer.part("colours").value = choice.colourMap;
  viewer.part("opacity").value = Math.round(100 * choice.opacity);
  viewer.part("threshold").value = Math.round(100 * choice.threshold);
  viewer.part("everywhere").checked = choice.keys;
  viewer.write("opacity-value", percent(choice.opacity));
  viewer.write("threshold-value", thresholdWords(header, choice));
  const badges = header.badges.map(([word, sentence]) => badge(word, sentence));
  if (view.inverted) badges.push(badge(words.inverted, words.inverted_undo, "user"));
  if (isTurned(view)) badges.push(badge(words.rotated, words.rotated_undo, "user"));
  viewer.part("badges").replaceChildren(...badges);
  viewer.part("sides").title = header.sides;
  viewer.write("sides", header.sides);
  showSplitter(viewer);
  showLegend(viewer);
}

// The images of the list that can stand beside the one shown.
function showCompared(viewer) {
  const { store, id } = viewer, select = viewer.part("compare");
  const rows = store.order.map((other) => store.rows.get(other)).filter((row) => row?.hasImage && row.id !== id);
  const wanted = rows.map((row) => `${row.id} ${row.name}`).join("\n");
  if (select.dataset.rows !== wanted) {
    select.dataset.rows = wanted;
    select.replaceChildren(new Option(viewer.words.compare_none, ""), ...rows.map((row) => new Option(row.name, row.id)));
  }
  select.value = viewer.comparison ?? "";
  viewer.part("compare-choice").hidden = !rows.length || (viewer.tiles.length > 1 && !viewer.comparison);
}

function showSplitter(viewer) {
  const { choice } = viewer, handle = viewer.part("split");
  handle.hidden = choice.layout !== "split";
  handle.style.left = `${100 * choice.split}%`;
  handle.setAttribute("aria-valuenow", String(Math.round(100 * choice.split)));
}

function showLegend(viewer) {
  const { active, choice, words } = viewer, { source } = active, { header } = source, shades = source.colours.get(choice.colourMap);
  const stops = Array.from({ length: 17 }, (_, i) => 3 * Math.min(255, 16 * i));
  const ramp = stops.map((at) => `rgb(${shades.slice(at, at + 3).join(",")})`);
  viewer.part("shades").style.background = `linear-gradient(to right, ${ramp.join(",")})`;
  viewer.part("mark").hidden = choice.threshold === 0;
  viewer.part("mark").style.left = `${100 * choice.threshold}%`;
  viewer.part("legend").classList.toggle("off", !choice.overlay);
  viewer.part("ramp").hidden = !header.mapped;
  const [, most] = rangeWords(header);
  viewer.write("most", most);
  viewer.part("ramp").setAttribute("aria-label", fill(words.ramp, { most }));
  const drawn = choice.contour ? words.drawn_contour : words.drawn_fill;
  const off = header.mapped ? words.overlay_off : words.no_map;
  viewer.write("meaning", choice.overlay ? `${header.title}. ${header.range} ${drawn}` : off);
  viewer.part("meaning").title = choice.overlay ? `${header.title}. ${header.range} ${drawn} ${header.remark}` : off;
}

function percent(share) {
  return `${share < 0.1 ? (100 * share).toFixed(1) : Math.round(100 * share)} %`;
}

function badge(word, sentence, kind = "") {
  const span = element("span", word);
  span.className = `badge ${kind}`;
  span.title = sentence;
  return span;
}

function entry(how, what) {
  return [element("dt", how), element("dd", what)];
}

function element(kind, content = "", name = "") {
  const made = document.createElement(kind);
  if (name) made.className = name;
  made.append(content);
  return made;
}

// A text with the values that it names in braces.
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
