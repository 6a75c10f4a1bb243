// The controls around the image and their texts.

function connectControls(viewer, signal) {
  const on = (name, kind, work) => viewer.part(name).addEventListener(kind, work, { signal });
  viewer.section.addEventListener("click", (event) => {
    const name = event.target.closest("[data-command]")?.dataset.command;
    if (name) viewer.command(name);
  }, { signal });
  on("window", "change", (event) => viewer.command(event.target.value));
  on("layout", "change", (event) => viewer.choose({ layout: event.target.value }));
  on("colours", "change", (event) => viewer.choose({ colourMap: event.target.value }));
  on("opacity", "input", (event) => viewer.choose({ opacity: event.target.value / 100 }));
  on("threshold", "input", (event) => viewer.choose({ threshold: event.target.value / 100 }));
  on("everywhere", "change", (event) => viewer.choose({ keys: event.target.checked }));
  on("name", "input", (event) => event.target.setCustomValidity(""));
  on("save", "submit", (event) => {
    event.preventDefault();
    viewer.save();
  });
  const entries = KEYS.flatMap(([key, , what]) => entry(element("kbd", key === " " ? "Space" : key), what));
  viewer.part("keys").replaceChildren(...entries);
  viewer.part("gestures").replaceChildren(...GESTURES.flatMap(([how, what]) => entry(how, what)));
}

function showNumbers(viewer) {
  const { scene, view, shot } = viewer, { image } = scene.header;
  const span = Math.round(view.high - view.low), middle = Math.round((view.low + view.high) / 2);
  viewer.write("levels", `Window ${span} · level ${middle}${view.inverted ? " · inverted" : ""}`);
  viewer.write("zoom", `Zoom ${percent(shot.scale)}`);
  let text = "";
  if (viewer.at) {
    const [x, y] = toImage(shot, viewer.at[0] * viewer.density, viewer.at[1] * viewer.density).map(Math.floor);
    if (x >= 0 && y >= 0 && x < image.width && y < image.height)
      text = `x ${x}, y ${y}: ${scene.image[0].data[y * image.width + x]} of ${image.top}`;
  }
  viewer.write("pixel", text);
}

function showControls(viewer) {
  const { scene, view, choice } = viewer, { header } = scene;
  const button = (name) => viewer.root.querySelector(`.bar [data-command="${name}"]`);
  for (const name of ["overlay", "contour", "outline", "invert"]) {
    const pressed = name === "invert" ? view.inverted : choice[name];
    button(name).setAttribute("aria-pressed", String(pressed));
  }
  for (const name of ["colours", "opacity", "threshold"]) viewer.part(name).disabled = !choice.overlay;
  button("contour").disabled = !choice.overlay;
  if (choice.contour) viewer.part("opacity").disabled = true;
  for (const option of viewer.part("window").options) if (option.value) option.disabled = !header.windows[option.value];
  viewer.part("window").value = windowName(header, view);
  viewer.part("layout").value = choice.layout;
  viewer.part("colours").value = choice.colourMap;
  viewer.part("opacity").value = Math.round(100 * choice.opacity);
  viewer.part("threshold").value = Math.round(100 * choice.threshold);
  viewer.part("everywhere").checked = choice.keys;
  viewer.write("opacity-value", percent(choice.opacity));
  viewer.write("threshold-value", thresholdWords(header, choice));
  const badges = header.badges.map(([word, sentence]) => badge(word, sentence));
  if (view.inverted) badges.push(badge("Inverted by you", "Press i to undo.", "user"));
  viewer.part("badges").replaceChildren(...badges);
  showSplitter(viewer);
  showLegend(viewer);
}

function showSplitter(viewer) {
  const { choice } = viewer, handle = viewer.part("split");
  handle.hidden = choice.layout !== "split";
  handle.style.left = `${100 * choice.split}%`;
  handle.setAttribute("aria-valuenow", String(Math.round(100 * choice.split)));
}

function showLegend(viewer) {
  const { scene, choice } = viewer, { header } = scene, shades = scene.colours.get(choice.colourMap);
  const stops = Array.from({ length: 17 }, (_, i) => 3 * Math.min(255, 16 * i));
  const ramp = stops.map((at) => `rgb(${shades.slice(at, at + 3).join(",")})`);
  viewer.part("shades").style.background = `linear-gradient(to right, ${ramp.join(",")})`;
  viewer.part("mark").hidden = choice.threshold === 0;
  viewer.part("mark").style.left = `${100 * choice.threshold}%`;
  viewer.part("legend").classList.toggle("off", !choice.overlay);
  const [, most] = rangeWords(header);
  viewer.write("most", most);
  viewer.part("ramp").setAttribute("aria-label", `Colour bar from 0 to ${most}`);
  const drawn = choice.contour
    ? "Lines at quarters of it."
    : "On the image colours are paler, because opacity follows heat.";
  const measured = `${header.title}. ${header.range} ${drawn}`;
  viewer.write("meaning", choice.overlay ? measured : "The overlay is off. Press h to show it.");
  viewer.write("remark", header.remarkShown ? header.remark : "");
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

function element(kind, content) {
  const made = document.createElement(kind);
  made.append(content);
  return made;
}
