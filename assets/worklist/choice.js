// Which rows the list shows, and in which order.

const FIRST_CHOICE = { sort: "dropped", text: "", finding: "all", unseen: false, warnings: false };
const SORTS = ["dropped", "suspicious", "least", "name"];
const SHOWN = ["all", "positive", "uncertain", "negative", "unread"];
const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const numbers = new WeakMap(); // of a row, at the prevalence for which they were last wanted

// The number of a row at a prevalence, exact and as it is written; null where there is none.
function numberOf(row, prevalence) {
  if (row.probability === null || row.probability === undefined) return null;
  let known = numbers.get(row);
  if (known?.prevalence !== prevalence) {
    const { probability, shown } = cxrNumbers.at(row, prevalence ?? row.assumed);
    known = { prevalence, value: probability, words: shown.probability };
    numbers.set(row, known);
  }
  return known;
}

function isShown(row, choice) {
  if (choice.finding === "unread" ? row.kind : choice.finding !== "all" && row.kind !== choice.finding) return false;
  if (choice.unseen && row.seen) return false;
  if (choice.warnings && !row.warnings) return false;
  const wanted = choice.text.trim().toLowerCase();
  return !wanted || [row.name, row.note, row.finding, row.reason].some((text) => text?.toLowerCase().includes(wanted));
}

// Identifiers of the rows to show. The selected one stays until another is selected, also once it is seen.
function listed(store) {
  const { choice } = store, row = (id) => store.rows.get(id);
  const ids = store.order.filter((id) => row(id) && (isShown(row(id), choice) || (id === store.selected && isKept(row(id), choice))));
  if (choice.sort === "name") return ids.sort((a, b) => byName.compare(row(a).name, row(b).name));
  if (choice.sort === "dropped") return ids;
  const sign = choice.sort === "suspicious" ? -1 : 1, number = (id) => numberOf(row(id), store.prevalence)?.value;
  const numbered = ids.filter((id) => number(id) !== undefined), others = ids.filter((id) => number(id) === undefined);
  return [...numbered.sort((a, b) => sign * (number(a) - number(b))), ...others];
}

const isKept = (row, choice) => choice.unseen && isShown(row, { ...choice, unseen: false });
