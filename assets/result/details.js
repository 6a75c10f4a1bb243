// What is within reach, but not in the way.

// The most severe first.
function checksList(checks) {
  const order = ["rejected", "warning", "passed"];
  const sorted = [...checks].sort((one, other) => order.indexOf(one.outcome) - order.indexOf(other.outcome));
  const list = make("ul", { class: "checks" });
  for (const { title, outcome, said, value } of sorted) {
    list.append(make("li", { class: outcome }, make("b", {}, title), " ", make("span", { class: "outcome" }, said), make("small", {}, value)));
  }
  return list;
}

const filePart = (file) => pairs(file, (element, value) => (element.append(value), element));

// A part that opens, and stays open from image to image.
function folded(title, opened, name, ...children) {
  const part = make("details", { "data-part": name, open: opened.has(name) }, make("summary", {}, title), ...children);
  part.addEventListener("toggle", () => (part.open ? opened.add(name) : opened.delete(name)));
  return part;
}
