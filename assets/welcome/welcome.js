// The first screen: what the program does, two images to try, and how good it is.

const PARTS = ["title", "what", "drop", "formats", "try", "synthetic", "quality"];

function made(tag, values, ...content) {
  const element = Object.assign(document.createElement(tag), values);
  element.append(...content);
  return element;
}

// A demo image as a picture to click.
function picture(store, demo) {
  const image = made("img", { src: demo.picture, alt: "" });
  const words = made("span", {}, made("strong", {}, demo.title), made("small", {}, demo.about));
  return made("button", { type: "button", className: "picture", onclick: () => store.demo(demo.index, demo.name) }, image, words);
}

function figure({ title, value, interval }) {
  return made("div", {}, made("dt", {}, title), made("dd", {}, made("strong", {}, value), made("small", {}, interval)));
}

// Pages change without a reload only through Streamlit's own links.
function follow(event, path) {
  const link = [...document.querySelectorAll("a[data-testid=stTopNavLink], a[data-testid=stSidebarNavLink]")].find(
    (known) => new URL(known.href).pathname.endsWith(path),
  );
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  link.click();
}

export default function ({ data, parentElement: root }) {
  const store = openRoom(data), { words } = data, part = (name) => root.querySelector(`[data-part="${name}"]`);
  for (const name of PARTS) part(name).textContent = words[name];
  const [add, undo] = ["add", "undo"].map((name) => root.querySelector(`[data-do="${name}"]`));
  [add.textContent, undo.textContent] = [words.add, words.undo];
  add.onclick = () => part("files").click();
  part("files").onchange = ({ target }) => {
    store.add([...target.files]);
    target.value = "";
  };
  undo.onclick = () => store.undo();
  part("pictures").replaceChildren(...data.demos.filter((demo) => demo.picture).map((demo) => picture(store, demo)));
  part("others").replaceChildren(
    made("span", {}, words.others),
    ...data.demos
      .filter((demo) => !demo.picture)
      .map((demo) => made("button", { type: "button", onclick: () => store.demo(demo.index, demo.name) }, demo.title)),
  );
  part("try").hidden = part("synthetic").hidden = part("others").hidden = !data.demos.length;
  part("quality").hidden = !data.figures.length;
  part("figures").replaceChildren(...data.figures.map(figure));
  part("measured").textContent = data.measured;
  const link = part("evaluation");
  [link.href, link.textContent] = [`${data.base}/evaluation`, words.evaluation];
  link.onclick = (event) => follow(event, "/evaluation");
  const draw = () => {
    part("undo").hidden = !store.undoable;
    const count = store.undoable;
    part("undo-words").textContent = !count ? "" : count === 1 ? words.removed_one : cxrNumbers.fill(words.removed, { count });
  };
  draw();
  return store.subscribe(draw);
}
