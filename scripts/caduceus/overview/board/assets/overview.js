// What stands above the table: how many runs are in each state, warnings, SLURM.

const ORDER = ["running", "failed", "damaged", "interrupted", "queued", "to export", "to do", "skipped", "finished", "being read"];

rankings.state = (state) => ORDER.indexOf(state);
table.sortedBy = "state"; // what runs and what failed comes first

/** Counts the runs by state; a number chooses the runs of its state in the table. */
const showCounts = () => {
  const counts = new Map();
  board.runs.forEach((run, place) => {
    if (!data.gone.has(place)) counts.set(run.state, (counts.get(run.state) ?? 0) + 1);
  });
  const list = element("counts");
  const states = [...new Set([...ORDER, ...counts.keys()])].filter((state) => counts.get(state));
  if (list.dataset.states !== JSON.stringify(states)) {
    list.dataset.states = JSON.stringify(states);
    list.replaceChildren(...states.map((state) => {
      const choose = make("button", { type: "button", className: "link" });
      choose.addEventListener("click", () => chooseState(state));
      return make("div", {}, make("dt", {}, stateMark(state)), make("dd", {}, choose));
    }));
  }
  [...list.querySelectorAll("button")].forEach((button, at) => setText(button, counted(counts.get(states[at]))));
  board.running = counts.get("running") ?? 0;
  showTitle();
};

/** Names the page after the view, with how many runs are running. */
const showTitle = () => {
  const heading = view.name === null || view.name === "runs" ? "" : document.querySelector(`main > [data-view="${view.name}"] h2`).textContent;
  document.title = [board.running ? `▶ ${board.running}` : "", heading, board.project, "board"].filter(Boolean).join(" · ");
};

const chooseState = (state) => {
  const select = element("run-state");
  select.value = select.value === state ? "" : state;
  showFirstRuns();
};

const showWarnings = (warnings) => {
  element("warnings").replaceChildren(...warnings.map((line) => make("p", { className: "failed" }, line)));
};

const showSlurm = () => {
  const jobs = board.runs.filter((run, place) => run.slurm && !data.gone.has(place));
  element("slurm").hidden = !board.slurm?.error && !jobs.length;
  if (element("slurm").hidden) return;
  const { error, asked_at: askedAt } = board.slurm ?? {};
  setText(element("slurm-note"), error ? `SLURM doesn't answer: ${error}` : `${counted(jobs.length)} ${jobs.length === 1 ? "job" : "jobs"}; asked ${timeText(askedAt)}.`);
  const rows = jobs.slice(0, 200).map(({ run, name, slurm }) => [runLink(run, name), slurm.job, slurm.state, slurm.reason ?? ""]);
  fillTable(element("slurm-table"), ["run", "job", "state", "reason"], rows);
  if (jobs.length > 200) element("slurm-note").append(` The first 200 are listed; the table of runs has the column SLURM.`);
};

const runLink = (run, text = run) => make("a", { href: `#run/${encodeURIComponent(run)}` }, text ?? run);

/** Fills a table; cells are texts or elements, and those of the columns in `isNumber` are aligned right. */
const fillTable = (filled, head, rows, isNumber = []) => {
  const style = (at) => ({ className: isNumber.includes(at) ? "number" : "" });
  const cells = (row) => row.map((cell, at) => make("td", style(at), cell));
  filled.replaceChildren(
    make("thead", {}, make("tr", {}, ...head.map((name, at) => make("th", { scope: "col", ...style(at) }, name)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row)))),
  );
};

/** Says to those who don't see the table which runs changed their state. */
const announce = (changed) => {
  if (!changed.length) return;
  const states = new Map();
  for (const { state, name } of changed) states.set(state, [...(states.get(state) ?? []), name]);
  const lines = [...states].map(([state, names]) => (names.length < 3 ? `${names.join(", ")}: ${state}` : `${names.length} runs: ${state}`));
  setText(element("told"), lines.join("; "));
};
