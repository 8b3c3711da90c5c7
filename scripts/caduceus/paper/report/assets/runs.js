// The table of runs: sorting, filters, and a page of its rows at a time.

const names = data.columns.map(({ name }) => name);
const table = {
  columns: names.filter((name) => columnOf.get(name).isShown && !["run", "error"].includes(name)),
  sortedBy: null,
  isDescending: false,
  only: null, // indices of the runs that a link selected; null for all
  turn: 0, // counts the changes, the last of which is shown
  pager: newPager(element("run-pages"), [50, 200, 1000], () => showRuns()),
};
const labels = { runtime_s: "seconds", started_at: "started", git_commit: "commit" };
const labelOf = (column) => labels[column] ?? column.replace(/^(summary|config)\./, "");
const isNumeric = (column) => columnOf.get(column).isNumber;
const nameOf = (run) => columns.get("name")[run] ?? columns.get("run")[run];

const formats = new Map(); // functions that format the values of a column
const formatOf = (column) => {
  if (!formats.has(column)) formats.set(column, columnFormat(columns.get(column)));
  return formats.get(column);
};

let texts = null; // all values of each run, for the filter
const readTexts = async () => {
  await readColumns(names);
  const all = names.map((name) => columns.get(name));
  texts ??= Array.from({ length: data.runs }, (_, run) => all.map((values) => values[run] ?? "").join(" ").toLowerCase());
};

const inOrder = new Intl.Collator("en", { numeric: true });
const rankOf = (value) => (typeof value === "number" ? 0 : value === null ? 2 : 1);

/** Compares two values; numbers come before text, and text before none, in both directions. */
const compare = (one, other, sign) => {
  const rank = rankOf(one);
  if (rank !== rankOf(other)) return rank - rankOf(other);
  return sign * (rank === 0 ? one - other : inOrder.compare(String(one), String(other)));
};

const matchingRuns = () => {
  const words = element("run-filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const [state, group] = [element("run-state").value, element("run-group").value];
  const [states, groups] = [columns.get("state"), columns.get("group")];
  const found = [];
  for (let run = 0; run < data.runs; run++) {
    if ((!table.only || table.only.has(run)) &&
      (!state || states[run] === state) &&
      (!group || groups[run] === group) &&
      words.every((word) => texts[run].includes(word))) found.push(run);
  }
  if (table.sortedBy) {
    const values = columns.get(table.sortedBy);
    const sign = table.isDescending ? -1 : 1;
    found.sort((one, other) => compare(values[one], values[other], sign) || one - other);
  }
  return found;
};

const showRuns = async () => {
  const turn = ++table.turn;
  await readColumns(table.columns);
  if (element("run-filter").value.trim()) await readTexts();
  if (turn !== table.turn) return; // superseded by a later change
  const found = matchingRuns();
  const part = table.pager.part(found);
  const head = make("tr", { ariaRowIndex: "1" }, make("th", { scope: "col" }, "curve"), ...table.columns.map(headCell));
  const body = part.map((run, at) => runRow(run, table.pager.start + at + 2));
  element("run-table").ariaRowCount = String(found.length + 1);
  element("run-table").replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
  const count = element("run-count");
  count.textContent = `${counted(found.length)} of ${counted(data.runs)} runs`;
  if (table.only) {
    const back = make("button", { type: "button", className: "link" }, "show all");
    back.addEventListener("click", () => chooseRuns(null));
    count.append(", selected by a link: ", back);
  }
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
  sort.addEventListener("click", async () => {
    table.isDescending = isSorted && !table.isDescending;
    table.sortedBy = column;
    await showFirstRuns();
    document.querySelectorAll("#run-table .sort")[table.columns.indexOf(column)].focus();
  });
  const cell = make("th", { scope: "col", className: isNumeric(column) ? "number" : "" }, sort);
  cell.setAttribute("aria-sort", !isSorted ? "none" : table.isDescending ? "descending" : "ascending");
  return cell;
};

const runRow = (run, place) => {
  const box = make("input", { type: "checkbox", checked: curves.chosenRuns.has(run), disabled: !data.metrics.length });
  box.setAttribute("aria-label", `Draw the curve of ${nameOf(run)}`);
  box.addEventListener("change", () => {
    curves.chosenRuns[box.checked ? "add" : "delete"](run);
    updateCurves();
  });
  const row = make("tr", { ariaRowIndex: String(place) }, make("td", {}, box));
  for (const column of table.columns) {
    const value = columns.get(column)[run];
    const cell = make("td", { className: isNumeric(column) ? "number" : "" });
    cell.append(column === "name" ? openButton(run, row) : formatOf(column)(value));
    row.append(cell);
  }
  return row;
};

/** Returns the run's name as a button that shows all its values below its row. */
const openButton = (run, row) => {
  const open = make("button", { type: "button", className: "link" }, nameOf(run));
  open.setAttribute("aria-expanded", "false");
  open.addEventListener("click", async () => {
    await readColumns(names);
    const isOpen = row.nextSibling?.classList.contains("details");
    open.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) row.nextSibling.remove();
    else row.after(detailRow(run));
  });
  return open;
};

const detailRow = (run) => {
  const list = make("dl");
  for (const name of names) {
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
      table.columns = names.filter((column) => chosen.has(column));
      showRuns();
    });
    choices.append(make("label", {}, box, ` ${name}`));
  }
};

const startRuns = async () => {
  await readColumns(names.filter((name) => columnOf.get(name).isShown));
  for (const name of ["state", "group"]) {
    const values = [...new Set(columns.get(name))];
    const select = element(`run-${name}`);
    select.append(...values.map((value) => make("option", {}, value)));
    select.parentElement.hidden = values.length < 2;
    select.addEventListener("change", showFirstRuns);
  }
  // Columns with the same value in all runs are left out at first.
  table.columns = table.columns.filter((name) => !["group", "experiment"].includes(name) || columnOf.get(name).varies);
  element("run-filter").addEventListener("input", showFirstRuns);
  for (const link of document.querySelectorAll("[data-runs]")) {
    link.addEventListener("click", () => chooseRuns(link.dataset.runs));
  }
  makeChoices();
  return showRuns();
};
