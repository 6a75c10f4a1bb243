// Steps that set an image right before it is read again, the most likely cure first.

function repairPart(store, row, { offered, first, done }, words) {
  const part = make("section", { class: "repair" }), choices = make("div", { class: "choices" });
  const take = (steps) => {
    for (const choice of part.querySelectorAll("button")) choice.disabled = true;
    store.repair(row.id, steps);
  };
  const step = async (name) => {
    if (name !== "crop") return take([...row.repairs, name]);
    const box = await store.cropping(row.id);
    if (box) take([...row.repairs, ["crop", ...box].join(":")]);
  };
  const choice = (name, words, given = {}) => button(words, () => step(name), { "data-step": name, ...given });
  if (first) {
    choices.append(choice(first, cxrNumbers.fill(words.repair_first, { step: words[`step.${first}`] }), { class: "first" }));
  }
  for (const name of offered) {
    if (name !== first && (name !== "crop" || store.cropping)) choices.append(choice(name, words[`step.${name}`]));
  }
  if (row.repairs.length) choices.append(button(words.original, () => take([]), { "data-step": "original" }));
  if (choices.childElementCount) part.append(choices, make("p", { class: "quiet" }, words.repair_note));
  if (done.length) part.prepend(make("p", { "data-part": "repaired" }, done.join(" ")));
  return part;
}
