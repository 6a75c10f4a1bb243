// Numbers of a reading at any prevalence, and how they are written: the same arithmetic in the same order as in
// cxrmodel/model/calibration.py, metrics/formatting.py, evaluation/nearest.py and prevalence.py, digit for digit.
// Joined before the scripts of a component that shows numbers; tests/browser/test_numbers.py compares it with Python.

const cxrNumbers = (() => {
  const NO_BREAK = "\u00a0";
  const MOST_DECIMALS = 15;

  /** The nearest smaller number, of a positive one. */
  function nextBelow(value) {
    if (value <= 0) return value;
    const bits = new BigInt64Array(new Float64Array([value]).buffer);
    bits[0] -= 1n;
    return new Float64Array(bits.buffer)[0];
  }

  /** A number with some decimals, 0 or above: a tie goes to the even digit, where toFixed rounds it up. */
  function fixed(value, decimals) {
    const written = value.toFixed(decimals);
    const halves = value * 2 ** (decimals + 1);
    const tie = Number.isInteger(halves) && halves % 2 === 1;
    return tie && Number(written.at(-1)) % 2 ? nextBelow(value).toFixed(decimals) : written;
  }

  const sharePercent = (share, decimals = 0) => `${fixed(share * 100, decimals)}${NO_BREAK}%`;

  /** A probability as a whole percentage, never as a false certainty. */
  function percent(share) {
    if (share < 0.01) return `<${NO_BREAK}1${NO_BREAK}%`;
    if (share > 0.99) return `>${NO_BREAK}99${NO_BREAK}%`;
    return sharePercent(share);
  }

  function decimalPercent(share, decimals) {
    const least = Number(`1e-${decimals}`); // exact, as 10 ** -decimals is not in every browser
    if (100 * share < least) return `<${NO_BREAK}${fixed(least, decimals)}${NO_BREAK}%`;
    if (100 * share > 100 - least) return `>${NO_BREAK}${fixed(100 - least, decimals)}${NO_BREAK}%`;
    return sharePercent(share, decimals);
  }

  /** A threshold with one decimal, or as many as it takes to differ from 0 and 100. */
  function thresholdPercent(threshold, decimals = 1) {
    if (threshold === 0 || threshold === 1) return sharePercent(threshold);
    const extreme = () => [0, 100].includes(Number(fixed(threshold * 100, decimals)));
    while (extreme() && decimals < MOST_DECIMALS) decimals += 1;
    return sharePercent(threshold, decimals);
  }

  const numberIn = (text) => Number(text.split(NO_BREAK).at(-2));

  /** Whether two percentages compare as they should; a whole one that equals the threshold would raise a doubt. */
  function agree(probability, threshold, above) {
    const [value, edge] = [numberIn(probability), numberIn(threshold)];
    if (probability.startsWith("<")) return !above && value <= edge;
    if (probability.startsWith(">")) return above && value >= edge;
    return value >= edge === above && (value !== edge || probability.includes("."));
  }

  /** A probability and its thresholds, written so that they compare as the exact ones do. */
  function percentages(probability, points) {
    let thresholds, text;
    for (let decimals = 1; decimals < MOST_DECIMALS; decimals += 1) {
      thresholds = Object.fromEntries(Object.entries(points).map(([name, edge]) => [name, thresholdPercent(edge, decimals)]));
      for (text of [percent(probability), decimalPercent(probability, decimals)]) {
        const agrees = ([name, edge]) => agree(text, thresholds[name], probability >= edge);
        if (Object.entries(points).every(agrees)) return { probability: text, thresholds };
      }
    }
    return { probability: text, thresholds };
  }

  const odds = (share) => share / (1 - share);

  /** The same prediction at another prevalence: Bayes' rule as a factor on the odds. */
  function atPrevalence(value, assumed, wanted) {
    if (assumed === wanted) return value;
    const ratio = odds(wanted) / odds(assumed);
    return (value * ratio) / (value * ratio + 1 - value);
  }

  /** A probability and its thresholds at another prevalence; it stays on its side of each. */
  function withThresholds(value, points, assumed, wanted) {
    const moved = Object.fromEntries(Object.entries(points).map(([name, edge]) => [name, atPrevalence(edge, assumed, wanted)]));
    const edges = Object.entries(points);
    const below = edges.filter(([, edge]) => edge <= value).map(([name]) => moved[name]);
    const above = edges.filter(([, edge]) => edge > value).map(([name]) => nextBelow(moved[name]));
    return [Math.min(Math.max(atPrevalence(value, assumed, wanted), ...below), ...above), moved];
  }

  /** Share of positive ones among the nearest test images, weighted to a prevalence. */
  function evidenceShare({ images, positives, testShare }, prevalence) {
    const positive = (positives * prevalence) / testShare;
    const negative = ((images - positives) * (1 - prevalence)) / (1 - testShare);
    return positive / (positive + negative);
  }

  /** That share of 100 images, never none and never all. */
  const ofHundred = (share) => Math.min(Math.max(Number(fixed(100 * share, 0)), 1), 99);

  /** A prevalence as a percentage with the decimals that it has, at most six digits. */
  function prevalencePercent(prevalence) {
    const value = 100 * prevalence;
    const exponent = Number(value.toExponential(5).split("e")[1]);
    return `${Number(fixed(value, Math.max(5 - exponent, 0)))}${NO_BREAK}%`;
  }

  /** A text with the values that it names in braces; a name without a value stays. */
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  /** Probability, thresholds and their percentages of a row or card ({probability, points, assumed}) at a prevalence. */
  function at(numbers, prevalence) {
    const [probability, points] = withThresholds(numbers.probability, numbers.points, numbers.assumed, prevalence);
    return { probability, points, shown: percentages(probability, points) };
  }

  return Object.freeze({
    NO_BREAK, at, atPrevalence, evidenceShare, fill, fixed, ofHundred, percent, percentages, prevalencePercent,
    sharePercent, thresholdPercent, withThresholds,
  });
})();
