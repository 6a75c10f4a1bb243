// The result of the selected image.

export default function ({ data, parentElement: root }) {
  const store = openRoom(data), part = root.querySelector("[data-part=result]");
  const draw = () => {
    const row = store.rows.get(store.selected);
    const number = row?.probability == null ? "" : ` ${(100 * row.probability).toFixed(1)} %`;
    part.textContent = row ? `${row.name}: ${row.finding ?? row.reason ?? row.status}${number}` : "";
  };
  draw();
  return store.subscribe(draw);
}
