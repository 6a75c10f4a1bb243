// The session's images as a list.

export default function ({ data, parentElement: root }) {
  const store = openRoom(data), list = root.querySelector("ol"), input = root.querySelector("input");
  root.querySelector("[data-part=add]").textContent = store.words.add;
  input.onchange = () => {
    store.add([...input.files]);
    input.value = "";
  };
  root.querySelector("[data-part=demo]").replaceChildren(
    ...data.demo.map((title, index) => {
      const button = document.createElement("button");
      button.textContent = title;
      button.onclick = () => store.demo(index, title);
      return button;
    }),
  );
  const draw = () => {
    list.replaceChildren(
      ...store.order.map((id) => {
        const row = store.rows.get(id), item = document.createElement("li"), picture = document.createElement("img");
        item.dataset.id = id;
        item.dataset.status = row.status;
        item.setAttribute("aria-current", id === store.selected);
        picture.alt = "";
        if (row.thumb) picture.src = row.thumb;
        const number = row.probability === null ? "" : ` ${(100 * row.probability).toFixed(1)} %`;
        item.append(picture, ` ${row.name}: ${row.finding ?? row.reason ?? row.status}${number}`);
        item.onclick = () => store.select(id);
        return item;
      }),
    );
  };
  draw();
  return store.subscribe(draw);
}
