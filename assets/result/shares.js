// Shares of the contribution to the score, in two bars: by lung and by zone. Each adds up to 100 %.

const BARS = [["right", "left", "outside"], ["upper", "middle", "lower", "outside"]];

function sharesPart(shares, words) {
  if (shares.said) return make("p", { class: "quiet" }, shares.said);
  const bar = (names) => {
    const parts = names.map((name) => [name, ...shares.parts[name]]);
    const strip = make("div", { class: "strip", "aria-hidden": "true" });
    for (const [name, percent] of parts) strip.append(make("i", { class: `part-${name}`, style: `width:${percent}%` }));
    const list = make("ul", {});
    for (const [name, , written] of parts) {
      const doubt = shares.doubtful && (name === "right" || name === "left") ? "?" : "";
      const key = make("i", { class: `key part-${name}`, "aria-hidden": "true" });
      list.append(make("li", { "data-share": name }, key, `${words[`share.${name}`]}${doubt} `, make("b", {}, written)));
    }
    return make("div", { class: "bar" }, strip, list);
  };
  return make(
    "section",
    { class: "shares" },
    make("h3", {}, words.shares),
    ...BARS.map(bar),
    shares.doubtful && make("p", { class: "doubt" }, words.shares_doubt),
    make("p", { class: "quiet" }, words.shares_note),
  );
}
