// One row of the list.

// Texts of the list, by their names; those of the store are shared by all components.
let words = {};

const DONE = ["read", "refused", "failed", "cancelled"];

function made(tag, name, ...content) {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...content);
  return element;
}

// What became of a file, in a word or two.
function outcome(row, store) {
  if (row.status === "reading" && store.place) return cxrNumbers.fill(words.queue, { place: store.place });
  return row.finding ? words[row.kind] ?? row.finding : words[row.status];
}

// Everything about a row in one sentence: the name last, so that it cannot pass for the finding.
function sentence(row, store) {
  const number = numberOf(row, store.prevalence);
  const parts = [outcome(row, store)];
  if (number) parts.push(number.words);
  if (row.unlike) parts.push(words[`unlike_${row.unlike}`]);
  if (row.warnings) parts.push(row.warnings === 1 ? words.warning : cxrNumbers.fill(words.warnings, { count: row.warnings }));
  if (row.reason) parts.push(row.reason);
  if (row.released) parts.push(row.gone ? words.gone : words.released);
  if (row.mark) parts.push(words[`marked_${row.mark}`]);
  if (row.note) parts.push(words.has_note);
  if (DONE.includes(row.status) && !row.seen) parts.push(words.not_seen);
  return `${parts.join(", ")}. ${cxrNumbers.fill(words.file, { name: row.name })}`;
}

class RowElement {
  constructor(id) {
    this.element = made("div", "row");
    this.element.id = `row-${id}`;
    this.element.dataset.id = id;
    this.element.setAttribute("role", "option");
  }

  // Draws again only what is not as it was drawn last.
  draw(row, store) {
    const current = row.id === store.selected, state = [row.status, store.prevalence, store.place].join(" ");
    if (this.row === row && this.state === state && this.current === current) return;
    const { element } = this;
    if (this.row !== row || this.state !== state) this.fill(row, store);
    [this.row, this.state, this.current] = [row, state, current];
    element.setAttribute("aria-selected", String(current));
  }

  fill(row, store) {
    const { element } = this, number = numberOf(row, store.prevalence);
    const shape = row.kind ?? row.status;
    element.dataset.status = row.status;
    element.dataset.kind = row.kind ?? "";
    element.classList.toggle("unseen", DONE.includes(row.status) && !row.seen);
    element.setAttribute("aria-label", sentence(row, store));
    element.title = row.reason ? `${row.name}\n${row.reason}` : row.name;
    const name = made("bdi", "name"), result = made("span", "result", icon(shape), made("span", "finding", outcome(row, store)));
    name.textContent = row.name;
    if (number) result.append(made("span", row.unlike === "clearly" ? "number doubtful" : "number", number.words));
    const small = row.gone ? words.gone : row.released ? words.released : row.kind ? "" : row.reason ?? "";
    element.replaceChildren(this.picture(row), made("span", "body", name, result), this.flags(row));
    if (small) element.querySelector(".body").append(made("span", "small", small));
  }

  picture(row) {
    if (!row.thumb) return made("span", "thumb");
    if (this.image?.src !== row.thumb) {
      this.image = made("img", "thumb");
      [this.image.alt, this.image.decoding, this.image.src] = ["", "async", row.thumb];
    }
    return this.image;
  }

  flags(row) {
    const flags = made("span", "flags");
    if (row.warnings) flags.append(made("span", "flag", icon("warning"), row.warnings > 1 ? String(row.warnings) : ""));
    if (row.mark) flags.append(icon(row.mark));
    if (row.note) flags.append(icon("note"));
    return flags;
  }
}
