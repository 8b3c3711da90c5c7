// The table of runs: sorting, filters, and a page of its rows at a time.

const columnNames = () => data.columns.map(({ name }) => name);
const table = {
  columns: columnNames().filter((name) => columnOf.get(name).isShown && !["run", "error"].includes(name)),
  sortedBy: null,
  isDescending: false,
  groupedBy: null,
  rows: new Map(), // the row and cells of each run that is shown
  groups: [], // the head of each group that is shown, and its runs
  layout: "", // says what besides values is shown: rows, columns and their order
  only: null, // indices of the runs that a link selected; null for all
  turn: 0, // counts the changes, the last of which is shown
  pager: newPager(element("run-pages"), [50, 200, 1000], () => showRuns()),
};
const labels = { runtime_s: "seconds", started_at: "started", git_commit: "commit" };
const labelOf = (column) => labels[column] ?? column.replace(/^(summary|config)\./, "");
const isNumeric = (column) => columnOf.get(column).isNumber;
const nameOf = (run) => columns.get("name")[run] ?? columns.get("run")[run];

/** Functions that draw the cells of a column; the others show their value. */
const drawnCells = { name: (cell, run) => cell.firstChild ?? cell.append(openButton(run, cell.parentElement)) };

const rankings = {}; // functions that return by what the values of a column are sorted, instead of themselves

const formats = new Map(); // functions that format the values of a column
const formatOf = (column) => {
  if (!formats.has(column)) formats.set(column, columnFormat(columns.get(column)));
  return formats.get(column);
};

let texts = null; // all values of each run, for the filter
const readTexts = async () => {
  const names = columnNames();
  await readColumns(names);
  const all = names.map((name) => columns.get(name));
  texts ??= Array.from({ length: data.runs }, (_, run) => all.map((values) => values[run] ?? "").join(" ").toLowerCase());
};

const inOrder = new Intl.Collator("en", { numeric: true });
const rankOf = (value) => (typeof value === "number" ? 0 : value === null || value === undefined ? 2 : 1);

/** Compares two values; numbers come before text, and text before none, in both directions. */
const compare = (one, other, sign) => {
  const rank = rankOf(one);
  if (rank !== rankOf(other)) return rank - rankOf(other);
  return sign * (rank === 0 ? one - other : inOrder.compare(String(one), String(other)));
};

const matchingRuns = () => {
  const query = element("run-filter").value.trim();
  const matches = query ? filterOf(query) : () => true;
  const [state, group] = [element("run-state").value, element("run-group").value];
  const [states, groups] = [columns.get("state"), columns.get("group")];
  const found = [];
  for (let run = 0; run < data.runs; run++) {
    if ((!table.only || table.only.has(run)) &&
      !data.gone.has(run) &&
      (!state || states[run] === state) &&
      (!group || groups[run] === group) &&
      matches(run, query && texts[run])) found.push(run);
  }
  const orders = [];
  const ranked = (column) => (rankings[column] ? columns.get(column).map(rankings[column]) : columns.get(column));
  if (table.groupedBy) orders.push([ranked(table.groupedBy), 1]);
  if (table.sortedBy) orders.push([ranked(table.sortedBy), table.isDescending ? -1 : 1]);
  if (!orders.length) return found;
  const order = (one, other) => {
    for (const [values, sign] of orders) {
      const found = compare(values[one], values[other], sign);
      if (found) return found;
    }
    return one - other;
  };
  return found.sort(order);
};

const showRuns = async () => {
  const turn = ++table.turn;
  await readColumns([...table.columns, ...[table.groupedBy, table.sortedBy].filter(Boolean)]);
  if (element("run-filter").value.trim()) await readTexts();
  if (turn !== table.turn) return; // superseded by a later change
  const found = matchingRuns();
  const part = table.pager.part(found);
  const groups = table.groupedBy && part.map((run) => columns.get(table.groupedBy)[run]);
  const layout = JSON.stringify([part, groups, table.pager.start, table.columns, table.sortedBy, table.isDescending, table.groupedBy]);
  if (layout !== table.layout) drawRuns(part, found);
  table.layout = layout;
  for (const run of table.rows.keys()) fillRow(run);
  for (const { cell, runs } of table.groups) setText(cell, groupText(runs));
  const count = element("run-count");
  const text = `${counted(found.length)} of ${counted(data.runs - data.gone.size)} runs`;
  if (!table.only) setText(count, text);
  else {
    count.textContent = text;
    const back = make("button", { type: "button", className: "link" }, "show all");
    back.addEventListener("click", () => chooseRuns(null));
    count.append(", selected by a link: ", back);
  }
};

/** Draws the rows anew, and leaves the focus where it is. */
const drawRuns = (part, found) => {
  const focused = focusedPlace();
  const { start } = table.pager;
  const head = make("tr", { ariaRowIndex: "1" }, make("th", { scope: "col" }, "curve"), ...table.columns.map(headCell));
  const body = make("tbody");
  table.rows = new Map();
  table.groups = [];
  const groupOf = (run) => columns.get(table.groupedBy)[run] ?? null;
  part.forEach((run, at) => {
    if (table.groupedBy && (at === 0 || groupOf(run) !== groupOf(part[at - 1]))) {
      const cell = make("th", { colSpan: table.columns.length + 1, scope: "rowgroup" });
      table.groups.push({ cell, runs: found.filter((each) => groupOf(each) === groupOf(run)) });
      body.append(make("tr", { className: "level" }, cell));
    }
    body.append(runRow(run, start + at + 2));
  });
  element("run-table").ariaRowCount = String(found.length + 1);
  element("run-table").replaceChildren(make("thead", {}, head), body);
  focused?.();
};

/** Describes a group of runs: its value, their number and states. */
const groupText = (runs) => {
  const states = new Map();
  for (const run of runs) states.set(columns.get("state")[run], (states.get(columns.get("state")[run]) ?? 0) + 1);
  const counts = [...states].map(([state, count]) => `${counted(count)} ${state}`).join(", ");
  return `${labelOf(table.groupedBy)} ${exact(columns.get(table.groupedBy)[runs[0]])}: ${counts}`;
};

/** Returns a function that moves the focus to where it is now in the table; nothing if it is elsewhere. */
const focusedPlace = () => {
  const focused = document.activeElement;
  const row = focused?.closest("#run-table tr");
  if (!row) return null;
  const inside = (each) => [...each.querySelectorAll("a, button, input")];
  const place = inside(row).indexOf(focused);
  const run = [...table.rows].find(([, shown]) => shown.row === row)?.[0];
  return () => inside(run === undefined ? element("run-table").tHead : table.rows.get(run)?.row ?? element("run-table").tHead)[place]?.focus();
};

/** Shows the first page of the runs, after a change of which runs or in which order. */
const showFirstRuns = () => {
  table.pager.start = 0;
  return showRuns();
};

const headCell = (column) => {
  const isSorted = table.sortedBy === column;
  const arrow = isSorted ? (table.isDescending ? " ↓" : " ↑") : "";
  const sort = make("button", { type: "button", className: "sort" }, labelOf(column) + arrow);
  sort.addEventListener("click", () => {
    table.isDescending = isSorted && !table.isDescending;
    table.sortedBy = column;
    showFirstRuns();
  });
  const cell = make("th", { scope: "col", className: isNumeric(column) ? "number" : "" }, sort);
  cell.setAttribute("aria-sort", !isSorted ? "none" : table.isDescending ? "descending" : "ascending");
  return cell;
};

const runRow = (run, place) => {
  const box = make("input", { type: "checkbox" });
  box.setAttribute("aria-label", `Draw the curve of ${nameOf(run)}`);
  box.addEventListener("change", () => {
    curves.chosenRuns[box.checked ? "add" : "delete"](run);
    updateCurves();
  });
  const cells = table.columns.map((column) => make("td", { className: isNumeric(column) ? "number" : "" }));
  const row = make("tr", { ariaRowIndex: String(place) }, make("td", {}, box), ...cells);
  table.rows.set(run, { row, box, cells });
  return row;
};

/** Shows the values of a run in its row, and changes nothing else. */
const fillRow = (run) => {
  const { box, cells } = table.rows.get(run);
  Object.assign(box, { checked: curves.chosenRuns.has(run), disabled: !data.metrics.length });
  table.columns.forEach((column, at) => {
    const draw = drawnCells[column];
    if (draw) draw(cells[at], run);
    else setText(cells[at], formatOf(column)(columns.get(column)[run]));
  });
};

/** Returns the run's name as a button that shows all its values below its row. */
const openButton = (run, row) => {
  const open = make("button", { type: "button", className: "link" }, nameOf(run));
  open.setAttribute("aria-expanded", "false");
  open.addEventListener("click", async () => {
    await readColumns(columnNames());
    const isOpen = row.nextSibling?.classList.contains("details");
    open.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) row.nextSibling.remove();
    else row.after(detailRow(run));
  });
  return open;
};

const detailRow = (run) => {
  const list = make("dl");
  for (const name of columnNames()) {
    const value = columns.get(name)[run];
    if (value === null || value === "") continue;
    list.append(make("div", {}, make("dt", {}, name), make("dd", {}, exact(value))));
  }
  return make("tr", { className: "details" }, make("td", { colSpan: table.columns.length + 1 }, list));
};

/** Shows only these runs, given as ranges of indices; null shows all. */
const chooseRuns = (ranges) => {
  table.only = ranges === null ? null : new Set(ranges.split(" ").filter(Boolean).flatMap((range) => {
    const [first, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  }));
  for (const id of ["run-filter", "run-state", "run-group"]) element(id).value = "";
  return showFirstRuns();
};

const makeChoices = () => {
  const choices = document.querySelector("#run-columns .choices");
  for (const { name, isEmpty } of data.columns) {
    if (isEmpty) continue;
    const box = make("input", { type: "checkbox", checked: table.columns.includes(name) });
    box.addEventListener("change", () => {
      const chosen = new Set(table.columns);
      chosen[box.checked ? "add" : "delete"](name);
      table.columns = columnNames().filter((column) => chosen.has(column));
      showRuns();
    });
    choices.append(make("label", {}, box, ` ${name}`));
  }
};

/** Offers options, pairs of value and text, after the first one; a menu that has them already isn't touched. */
const offerOptions = (select, offered, chosen) => {
  const key = JSON.stringify(offered);
  if (select.dataset.offered !== key) {
    select.dataset.offered = key;
    select.replaceChildren(select.options[0], ...offered.map(([value, text]) => make("option", { value }, text)));
  }
  select.value = offered.some(([value]) => value === chosen) ? chosen : "";
};

/** Offers the values of a column to choose runs by; the first option is all. */
const offerValues = (name) => {
  const select = element(`run-${name}`);
  const values = [...new Set(columns.get(name))].filter(Boolean);
  offerOptions(select, values.map((value) => [value, value]), select.value);
  select.parentElement.hidden = values.length < 2;
};

/** Offers the columns to group runs by: those that several runs share. */
const offerGroupings = () => {
  const select = element("run-grouping");
  const names = ["experiment", "variant", "group", "state", "host", ...columnNames().filter((name) => name.startsWith("config."))];
  const offered = names.filter((name) => columnOf.get(name)?.varies);
  offerOptions(select, offered.map((name) => [name, labelOf(name)]), table.groupedBy);
  select.parentElement.hidden = !offered.length;
};

const startRuns = async () => {
  await readColumns(columnNames().filter((name) => columnOf.get(name).isShown));
  for (const name of ["state", "group"]) {
    offerValues(name);
    element(`run-${name}`).addEventListener("change", showFirstRuns);
  }
  offerGroupings();
  element("run-grouping").addEventListener("change", ({ target }) => {
    table.groupedBy = target.value || null;
    showFirstRuns();
  });
  // Columns with the same value in all runs are left out at first.
  table.columns = table.columns.filter((name) => !["group", "experiment"].includes(name) || columnOf.get(name).varies);
  element("run-filter").addEventListener("input", showFirstRuns);
  for (const link of document.querySelectorAll("[data-runs]")) {
    link.addEventListener("click", () => chooseRuns(link.dataset.runs));
  }
  makeChoices();
  return showRuns();
};
