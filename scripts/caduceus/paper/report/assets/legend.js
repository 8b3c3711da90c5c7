// The legend of the learning curves: a page of variants, with their values at the selected step.

const legend = {
  pager: newPager(element("legend-pages") ?? make("div"), data.legendSizes ?? [100, 500], () => updateCurves()),
  rows: new Map(), // row, box and cells of the listed variants
  levels: [], // boxes of the listed groups and experiments
  sign: 0, // 1 lists the least value at the selected step first, -1 the greatest, 0 goes by the plan
};

const swatch = (place) => {
  const { dash } = styleOf(place);
  const space = "http://www.w3.org/2000/svg";
  const line = document.createElementNS(space, "line");
  const attributes = { x1: 0, x2: 26, y1: 5, y2: 5, "stroke-width": 3, "stroke-dasharray": DASHES[dash] };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(line);
  return drawing;
};

const colourSwatches = () => {
  for (const [place, { row }] of legend.rows) row.querySelector("line").setAttribute("stroke", styleOf(place).colour);
};

const levelOf = (place) => [variants[place].group, variants[place].experiment].filter(Boolean).join(" · ");

/** Returns the variants that have the metric and match all words of the filter, those of a level together. */
const matchingVariants = () => {
  const words = element("variant-filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = ({ group, experiment, name }) => {
    const text = `${group} ${experiment} ${name}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const levels = new Map();
  variants.forEach((variant, place) => {
    if (!curves.averages.has(place) || !matches(variant)) return;
    const level = levelOf(place);
    if (!levels.has(level)) levels.set(level, []);
    levels.get(level).push(place);
  });
  return [...levels.values()].flat();
};

/** Returns the matching variants in the chosen order, those of a level together. */
const orderedVariants = async () => {
  const matching = matchingVariants();
  if (!legend.sign) return matching;
  const read = await curves.averages.read(matching);
  const order = new Map(matching.map((place, at) => [levelOf(place), at]));
  const values = new Map(matching.map((place) => [place, valuesAt(read.get(place))[0] ?? null]));
  return matching.sort((one, other) =>
    order.get(levelOf(one)) - order.get(levelOf(other)) ||
    compare(values.get(one), values.get(other), legend.sign) || one - other);
};

/** Returns the values of a curve at the selected step: statistic, ends of its interval, n. */
const valuesAt = ({ steps, series }) => {
  const at = lastAtMost(steps, curves.steps[curves.step]);
  return at < 0 ? [] : series.map((each) => each[at]);
};

/** Lists a page of variants, and returns it. */
const listLegend = (ordered) => {
  const listed = legend.pager.part(ordered);
  const shown = [...legend.rows.keys()];
  const isSame = listed.length === shown.length && listed.every((place, at) => place === shown[at]);
  if (isSame && legend.shownSign === legend.sign) return listed;
  legend.shownSign = legend.sign;
  legend.rows.clear();
  legend.levels = [];
  const hasLevels = new Set([...variants.keys()].map(levelOf)).size > 1;
  const body = make("tbody");
  let last = null;
  for (const place of listed) {
    if (hasLevels && levelOf(place) !== last) body.append(levelRow(last = levelOf(place)));
    body.append(legendRow(place));
  }
  const number = (text) => make("th", { className: "number", scope: "col" }, text);
  const head = make("tr", {}, make("th", { scope: "col" }, "variant"), valueHead(), number("interval"), number("n"));
  element("legend").replaceChildren(make("thead", {}, head), body);
  colourSwatches();
  return listed;
};

/** Returns the head of the values, which orders the variants by them. */
const valueHead = () => {
  const arrow = { 0: "", 1: " ↑", "-1": " ↓" }[legend.sign];
  const sort = make("button", { type: "button", className: "sort" }, `value${arrow}`);
  sort.addEventListener("click", async () => {
    legend.sign = { 0: -1, "-1": 1, 1: 0 }[legend.sign];
    legend.pager.start = 0;
    await updateCurves();
    document.querySelector("#legend .sort").focus();
  });
  const cell = make("th", { className: "number", scope: "col" }, sort);
  cell.setAttribute("aria-sort", { 0: "none", 1: "ascending", "-1": "descending" }[legend.sign]);
  return cell;
};

const levelRow = (level) => {
  const box = make("input", { type: "checkbox", value: level });
  box.addEventListener("change", () => setVisible(inLevel(level), box.checked));
  legend.levels.push(box);
  const label = make("th", { colSpan: 4, scope: "rowgroup" }, make("label", {}, box, level));
  return make("tr", { className: "level" }, label);
};

/** Returns the matching variants of a level, on all pages. */
const inLevel = (level) => matchingVariants().filter((place) => levelOf(place) === level);

const legendRow = (place) => {
  const box = make("input", { type: "checkbox" });
  box.addEventListener("change", () => setVisible([place], box.checked));
  const cells = ["value", "interval", "n"].map(() => make("td", { className: "number" }));
  const name = make("th", { scope: "row" }, make("label", {}, box, swatch(place), variants[place].name));
  const row = make("tr", {}, name, ...cells);
  legend.rows.set(place, { row, box, cells });
  return row;
};

const setVisible = (places, isVisible) => {
  for (const place of places) curves.visible[isVisible ? "add" : "delete"](place);
  updateCurves();
};

/** Shows which variants are drawn, and the values of those that are listed. */
const updateLegend = () => {
  for (const [place, { row, box }] of legend.rows) {
    box.checked = curves.visible.has(place);
    row.classList.toggle("is-hidden", !box.checked);
  }
  for (const box of legend.levels) {
    const places = inLevel(box.value);
    const count = places.filter((place) => curves.visible.has(place)).length;
    box.checked = count === places.length;
    box.indeterminate = count > 0 && count < places.length;
  }
  const drawn = [...curves.visible].filter((place) => curves.averages.has(place)).length;
  const bands = drawn > MOST_BANDS ? `; bands are drawn of up to ${MOST_BANDS}` : "";
  const runs = curves.chosenRuns.size ? `; dotted: ${curves.chosenRuns.size} from the table of runs` : "";
  element("variant-count").textContent = `${counted(drawn)} of ${counted(curves.averages.size)} shown${bands}${runs}`;
  updateValues();
};

/** Shows the values of the listed variants at the selected step. */
const updateValues = () => {
  const listed = [...legend.rows.keys()].filter((place) => curves.read.has(place));
  const values = new Map(listed.map((place) => [place, valuesAt(curves.read.get(place))]));
  const format = columnFormat([...values.values()].map(([value]) => value));
  for (const [place, { cells }] of legend.rows) {
    const [value, low, high, n] = values.get(place) ?? [];
    cells[0].textContent = format(value);
    cells[1].textContent = low < high ? `[${format(low)}, ${format(high)}]` : "–";
    cells[2].textContent = exact(n);
  }
};
