// Two runs beside each other, with their differences marked.

const compared = { one: null, other: null };

const openCompare = (one, other) => {
  Object.assign(compared, { one: one ?? null, other: other ?? null });
  element("compare-one").value = one ?? "";
  element("compare-other").value = other ?? "";
  const options = board.runs.filter((_, place) => !data.gone.has(place)).map(({ run, name }) => make("option", { value: run }, name ?? run));
  element("run-names").replaceChildren(...options);
  showCompared();
};

/** Returns the values of a run by name: parameters, results, and what ran where. */
const valuesOf = ({ parameters, live, ...run }) => new Map([
  ...Object.entries(parameters ?? {}).map(([name, value]) => [`parameter ${name}`, value]),
  ...Object.entries(live.last ?? {}).map(([name, value]) => [`last ${name}`, value]),
  ...["experiment", "variant", "seed", "state", "about", "attempts", "host", "group"].map((name) => [name, run[name]]),
  ["rows", live.rows],
  ["time", duration(columns.get("runtime_s")[board.places.get(run.run)])],
]);

const showCompared = () => {
  const [one, other] = [compared.one, compared.other].map((id) => (id === null ? undefined : runOfId(id)));
  element("compare-curves").hidden = !one || !other;
  const filled = element("compare-table");
  if (!one || !other) {
    const missing = [compared.one, compared.other].filter((id) => id && !runOfId(id));
    setText(element("compare-count"), missing.length ? `There is no run ${missing.join(", ")}.` : "Choose two runs.");
    filled.replaceChildren();
    return;
  }
  const [left, right] = [valuesOf(one), valuesOf(other)];
  const names = [...new Set([...left.keys(), ...right.keys()])];
  const isSame = (name) => JSON.stringify(left.get(name) ?? null) === JSON.stringify(right.get(name) ?? null);
  const differing = names.filter((name) => !isSame(name));
  const listed = element("compare-differences").checked ? differing : names;
  setText(element("compare-count"), `${counted(differing.length)} of ${counted(names.length)} values differ`);
  const cell = (value) => make("td", { className: "text" }, exact(value === "" ? null : value));
  const row = (name) => {
    const mark = make("td", {}, isSame(name) ? "" : "≠");
    if (!isSame(name)) mark.setAttribute("aria-label", "differs");
    return make("tr", { className: isSame(name) ? "" : "differs" }, mark, make("th", { scope: "row" }, name), cell(left.get(name)), cell(right.get(name)));
  };
  const title = ({ run, name }) => make("th", { scope: "col" }, runLink(run, name ?? run));
  filled.replaceChildren(
    make("thead", {}, make("tr", {}, make("td"), make("th", { scope: "col" }, "value"), title(one), title(other))),
    make("tbody", {}, ...listed.map(row)),
  );
};

const goToCompared = () => {
  const ids = [element("compare-one").value, element("compare-other").value].map((id) => id.trim());
  location.hash = `#compare/${ids.map(encodeURIComponent).join("/")}`;
};

/** Offers to compare the runs whose curves are chosen in the table, if they are two. */
const offerComparison = () => {
  element("compare-chosen").hidden = curves.chosenRuns.size !== 2;
};

const startCompare = () => {
  for (const id of ["compare-one", "compare-other"]) element(id).addEventListener("change", goToCompared);
  element("compare-differences").addEventListener("change", showCompared);
  element("compare-chosen").addEventListener("click", () => {
    const ids = [...curves.chosenRuns].map((place) => board.runs[place].run);
    location.hash = `#compare/${ids.map(encodeURIComponent).join("/")}`;
  });
  element("compare-curves").addEventListener("click", () => {
    curves.chosenRuns = new Set([compared.one, compared.other].map((id) => board.places.get(id)));
    location.hash = "#runs";
    showRuns();
  });
  element("run-table").addEventListener("change", offerComparison);
};
