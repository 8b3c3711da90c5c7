// The filter of the runs: words that all match, or comparisons with a column such as rate>0.1.

const COMPARISON = /^([^<>=!]+)(>=|<=|!=|=|>|<)(.+)$/;

/** Compares a value with the text of a filter, as numbers if both are; nothing is compared with none. */
const compares = (value, operator, text) => {
  if (value === null || value === undefined || value === "") return operator === "!=";
  const isNumber = typeof value === "number" && !Number.isNaN(Number(text));
  const [one, other] = isNumber ? [value, Number(text)] : [String(value).toLowerCase(), text];
  if (operator === "=") return one === other;
  if (operator === "!=") return one !== other;
  if (!isNumber) return false;
  return { ">": one > other, "<": one < other, ">=": one >= other, "<=": one <= other }[operator];
};

/** Returns a function that says whether a row matches: it gets the row and its values as text; rows are runs, or what `of` reads. */
const filterOf = (query, names = columnNames(), label = labelOf, of = (column, run) => columns.get(column)[run]) => {
  const tests = query.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const [, name, operator, text] = word.match(COMPARISON) ?? [];
    const compared = name ? names.filter((column) => [column, label(column)].some((each) => each.toLowerCase() === name)) : [];
    if (!compared.length) return (row, all) => all.includes(word); // no column has this name
    return (row) => compared.some((column) => compares(of(column, row), operator, text));
  });
  return (row, all) => tests.every((test) => test(row, all));
};
