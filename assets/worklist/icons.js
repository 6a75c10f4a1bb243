// Shapes that tell findings and states apart without colour.

const SHAPES = {
  positive: "M8 2h8l6 6v8l-6 6H8l-6-6V8zM12 6.5v7M12 17v.5",
  negative: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM7.5 12.5l3 3 6-7",
  uncertain: "M12 2 22 12 12 22 2 12zM9.8 9.8a2.3 2.3 0 1 1 3.4 2c-.9.5-1.2 1-1.2 1.9M12 16.6v.4",
  waiting: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5.5l3.5 2",
  reading: "M12 3a9 9 0 1 1-9 9",
  refused: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM5 5l14 14",
  failed: "M12 3 22 21H2zM12 9v6M12 17.6v.6",
  cancelled: "M4 12h16",
  warning: "M12 3 22 21H2zM12 9v6M12 17.6v.6",
  agree: "M4 13l5 5L20 6",
  disagree: "M5 5l14 14M19 5 5 19",
  note: "M4 4h16v12l-5 5H4zM8 9h8M8 13h5",
  add: "M12 4v16M4 12h16",
  folder: "M3 6h6l2 3h10v10H3z",
  undo: "M9 5 4 10l5 5M4 10h10a5 5 0 0 1 0 10h-3",
  remove: "M5 7h14M10 4h4M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  again: "M20 12a8 8 0 1 1-2.5-5.8M20 3v5h-5",
  save: "M12 3v12M7 10.5l5 5 5-5M4 20h16",
};

function icon(name) {
  const space = "http://www.w3.org/2000/svg", picture = document.createElementNS(space, "svg");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", SHAPES[name]);
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  picture.setAttribute("class", `shape is-${name}`);
  picture.append(path);
  return picture;
}
