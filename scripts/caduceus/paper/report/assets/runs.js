// The table of runs: sorting, filters, and a part of its rows at a time.

const ROWS_AT_A_TIME = 50;
const ALWAYS = ["name", "group", "experiment", "variant", "seed", "state"];

const resultColumns = data.runs.map(({ name }) => name).filter((name) => name.startsWith("summary."));
const mainColumns = data.main.map((name) => `summary.${name}`).filter((name) => columns.has(name));
const table = {
  columns: [...ALWAYS, ...(mainColumns.length ? mainColumns : resultColumns.slice(0, 3)), "runtime_s"],
  sortedBy: null,
  isDescending: false,
  only: null, // ids of the runs that a link selected; null for all
  limit: ROWS_AT_A_TIME,
};
const labels = { runtime_s: "seconds", started_at: "started", git_commit: "commit" };
const labelOf = (column) => labels[column] ?? column.replace(/^(summary|config)\./, "");
const isNumeric = new Map(
  data.runs.map(({ name, values }) => [name, values.some((value) => typeof value === "number")]),
);
const formats = new Map(data.runs.map(({ name, values }) => [name, columnFormat(values)]));
const texts = runIds.map((_, run) => data.runs.map(({ values }) => values[run] ?? "").join(" ").toLowerCase());

/** Compares two values; numbers come before text, and text before none, in both directions. */
const compare = (one, other, sign) => {
  const rank = (value) => (typeof value === "number" ? 0 : value === null ? 2 : 1);
  if (rank(one) !== rank(other)) return rank(one) - rank(other);
  if (rank(one) === 0) return sign * (one - other);
  return sign * String(one).localeCompare(String(other), "en", { numeric: true });
};

const matchingRuns = () => {
  const words = element("run-filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const [state, group] = [element("run-state").value, element("run-group").value];
  const found = [...runIds.keys()].filter((run) =>
    (!table.only || table.only.has(runIds[run])) &&
    (!state || columns.get("state")[run] === state) &&
    (!group || columns.get("group")[run] === group) &&
    words.every((word) => texts[run].includes(word)));
  if (table.sortedBy) {
    const values = columns.get(table.sortedBy);
    const sign = table.isDescending ? -1 : 1;
    found.sort((one, other) => compare(values[one], values[other], sign) || one - other);
  }
  return found;
};

const showRuns = () => {
  const found = matchingRuns();
  const head = make("tr", {}, make("th", { scope: "col" }, "curve"), ...table.columns.map(headCell));
  element("run-table").replaceChildren(
    make("thead", {}, head),
    make("tbody", {}, ...found.slice(0, table.limit).map(runRow)),
  );
  const count = element("run-count");
  count.textContent = `${found.length} of ${runIds.length} runs`;
  if (table.only) {
    const back = make("button", { type: "button", className: "link" }, "show all");
    back.addEventListener("click", () => chooseRuns(null));
    count.append(", selected by a link: ", back);
  }
  const more = element("run-more");
  more.hidden = found.length <= table.limit;
  more.textContent = `Show all ${found.length}`;
};

const headCell = (column) => {
  const isSorted = table.sortedBy === column;
  const arrow = isSorted ? (table.isDescending ? " ↓" : " ↑") : "";
  const sort = make("button", { type: "button", className: "sort" }, labelOf(column) + arrow);
  sort.addEventListener("click", () => {
    table.isDescending = isSorted && !table.isDescending;
    table.sortedBy = column;
    showRuns();
    document.querySelectorAll("#run-table .sort")[table.columns.indexOf(column)].focus();
  });
  const cell = make("th", { scope: "col", className: isNumeric.get(column) ? "number" : "" }, sort);
  cell.setAttribute("aria-sort", !isSorted ? "none" : table.isDescending ? "descending" : "ascending");
  return cell;
};

const runRow = (run) => {
  const box = make("input", { type: "checkbox", checked: curves.chosenRuns.has(run), disabled: !data.metrics.length });
  box.setAttribute("aria-label", `Draw the curve of ${columns.get("name")[run]}`);
  box.addEventListener("change", () => {
    curves.chosenRuns[box.checked ? "add" : "delete"](run);
    updateCurves();
  });
  const row = make("tr", {}, make("td", {}, box));
  for (const column of table.columns) {
    const value = columns.get(column)[run];
    const cell = make("td", { className: isNumeric.get(column) ? "number" : "" });
    cell.append(column === "name" ? openButton(run, row) : formats.get(column)(value));
    row.append(cell);
  }
  return row;
};

/** Returns the run's name as a button that shows all its values below its row. */
const openButton = (run, row) => {
  const open = make("button", { type: "button", className: "link" }, columns.get("name")[run] ?? runIds[run]);
  open.setAttribute("aria-expanded", "false");
  open.addEventListener("click", () => {
    const isOpen = row.nextSibling?.classList.contains("details");
    open.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) row.nextSibling.remove();
    else row.after(detailRow(run));
  });
  return open;
};

const detailRow = (run) => {
  const list = make("dl");
  for (const { name, values } of data.runs) {
    if (values[run] === null || values[run] === "") continue;
    list.append(make("div", {}, make("dt", {}, name), make("dd", {}, exact(values[run]))));
  }
  return make("tr", { className: "details" }, make("td", { colSpan: table.columns.length + 1 }, list));
};

/** Shows only these runs; null shows all. */
const chooseRuns = (ids) => {
  table.only = ids && new Set(ids);
  for (const id of ["run-filter", "run-state", "run-group"]) element(id).value = "";
  table.limit = ROWS_AT_A_TIME;
  showRuns();
};

const makeChoices = () => {
  const choices = document.querySelector("#run-columns .choices");
  for (const { name, values } of data.runs) {
    if (values.every((value) => value === null || value === "")) continue;
    const box = make("input", { type: "checkbox", checked: table.columns.includes(name) });
    box.addEventListener("change", () => {
      const chosen = new Set(table.columns);
      chosen[box.checked ? "add" : "delete"](name);
      table.columns = data.runs.map((column) => column.name).filter((column) => chosen.has(column));
      showRuns();
    });
    choices.append(make("label", {}, box, ` ${name}`));
  }
};

const startRuns = () => {
  for (const name of ["state", "group"]) {
    const values = [...new Set(columns.get(name))];
    const select = element(`run-${name}`);
    select.append(...values.map((value) => make("option", {}, value)));
    select.parentElement.hidden = values.length < 2;
    select.addEventListener("change", showRuns);
  }
  // Columns with the same value in all runs are left out at first.
  const varies = (name) => new Set(columns.get(name)).size > 1;
  table.columns = table.columns.filter((name) => !["group", "experiment"].includes(name) || varies(name));
  element("run-filter").addEventListener("input", showRuns);
  element("run-more").addEventListener("click", () => { table.limit = Infinity; showRuns(); });
  for (const link of document.querySelectorAll("[data-runs]")) {
    link.addEventListener("click", () => chooseRuns(link.dataset.runs.split(" ")));
  }
  makeChoices();
  showRuns();
};
