// All there is of one run.

const shown = { id: null, about: null, charts: null, system: null };
const DONE = new Set(["finished", "failed", "skipped"]);

const openRun = async (id) => {
  const isAnother = shown.id !== id;
  Object.assign(shown, { id, about: isAnother ? null : shown.about });
  const run = runOfId(id);
  const isKnown = run && !data.gone.has(board.places.get(id));
  const always = ["run-console", "run-parameters"];
  for (const section of document.querySelectorAll('[data-view="run"] > section:not(#run)')) {
    if (!isKnown || always.includes(section.id)) section.hidden = !isKnown;
    else if (isAnother) section.hidden = true; // until what it holds is known
  }
  if (!isKnown) {
    element("run-title").textContent = id;
    element("run-state-line").textContent = "There is no such run.";
    element("run-facts").replaceChildren();
    element("run-notes").replaceChildren();
    return;
  }
  showRunHead();
  showValues();
  await Promise.all([refreshRun, () => openConsole(id), refreshRunCharts].map(asking));
};

/** Shows what the list of runs says of the run, which is there at once and changes often. */
const showRunHead = () => {
  const run = runOfId(shown.id);
  if (!run) return;
  const { live, state } = run;
  setText(element("run-title"), run.name ?? run.run);
  const line = element("run-state-line");
  const key = JSON.stringify([state, run.about]);
  if (line.dataset.key !== key) {
    line.dataset.key = key;
    line.replaceChildren(stateMark(state), run.about ? ` · ${run.about}` : "");
  }
  const diverged = (live.diverged ?? []).map((name) => `${name} isn't finite any more.`);
  const notes = [...(run.notes ?? []), ...(shown.about?.notes ?? []), ...(shown.about?.damage ?? []), ...diverged];
  const container = element("run-notes");
  if (container.dataset.key !== JSON.stringify(notes)) {
    container.dataset.key = JSON.stringify(notes);
    container.replaceChildren(...[...new Set(notes)].map((note) => make("p", { className: "failed" }, note)));
  }
  const about = shown.about ?? {};
  showFacts(element("run-facts"), {
    progress: progressText(run),
    "time left": state === "running" ? leftText(live.left_s) : null,
    time: duration(columns.get("runtime_s")[board.places.get(run.run)]),
    "last row": state === "running" ? ageText(live.updated_at) : null,
    attempts: String(run.attempts),
    host: run.host,
    started: timeText(run.started_at),
    SLURM: columns.get("slurm")[board.places.get(run.run)],
    experiment: run.experiment,
    variant: run.variant,
    seed: run.seed === null ? null : String(run.seed),
    "W&B": about.url,
    program: about.program,
    command: about.command,
    commit: about.commit && `${about.commit.slice(0, 12)}${about.is_dirty ? ", with changes" : ""}`,
    tags: (about.tags ?? []).join(", "),
    description: about.description,
    folder: about.folder,
  });
};

/** Asks for what the list of runs doesn't say. */
const refreshRun = async () => {
  const { id } = shown;
  const about = await ask("/api/run", { run: id });
  if (id !== shown.id) return; // superseded
  shown.about = about;
  showRunHead();
  showValues();
  showAttempts(about);
  await Promise.all([offerMedia(id, about.media), offerTables(id, about.tables)]);
};

const showValues = () => {
  const run = runOfId(shown.id);
  const rows = (object) => Object.entries(object ?? {}).map(([name, value]) => [name, exact(value)]);
  const head = (text) => make("tr", { className: "level" }, make("th", { colSpan: 2, scope: "rowgroup" }, text));
  const part = (text, found) => (found.length ? [make("tbody", {}, head(text), ...found.map(([name, value]) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", { className: "text" }, value))))] : []);
  const results = { ...run.live.last, ...Object.fromEntries(Object.entries(shown.about?.summary ?? {}).filter(([name]) => !name.startsWith("_"))) };
  element("run-values").replaceChildren(...part("parameters", rows(run.parameters)), ...part("last values", rows(results)));
  element("run-compare").href = `#compare/${encodeURIComponent(shown.id)}`;
};

const showAttempts = ({ attempts, artifacts }) => {
  element("run-attempts").hidden = !attempts.length;
  const head = ["attempt", "state", "error", "host", "started", "time", "CPU", "peak memory (GB)", "GPUs", "resumed from", "ended by"];
  const rows = attempts.map((each) => [
    String(each.attempt), each.state, each.error ?? "", each.host ?? "", timeText(each.started_at), duration(each.wall_s), duration(each.cpu_s),
    each.peak_memory_gb === null ? "–" : short(each.peak_memory_gb), (each.gpus ?? []).join(", "),
    each.resumed_from === null ? "–" : `step ${each.resumed_from}`,
    each.signal ? `signal ${each.signal}` : each.exit_code === null ? "–" : `exit ${each.exit_code}`,
  ]);
  const files = (artifacts ?? []).map(({ name, type, files: count, bytes }) => `${name} (${type}, ${short(count)} files, ${short(bytes)} bytes)`);
  fillTable(element("attempt-table"), head, rows);
  element("attempt-table").createCaption().textContent = files.length ? `Artifacts: ${files.join("; ")}` : "";
};

const refreshRunCharts = async () => {
  const { id } = shown;
  const { metrics } = await ask("/api/metrics", { run: id });
  if (id !== shown.id) return; // superseded
  const place = board.places.get(id);
  for (const [part, charts, isSystem] of [["run-metrics", shown.charts, false], ["run-system", shown.system, true]]) {
    const found = metrics.filter((each) => each.is_system === isSystem);
    element(part).hidden = !found.length;
    charts.show(place, found);
  }
};

/** Shows what changed of the run, if it is shown. */
const followRun = throttled(async () => {
  if (shown.id === null || view.name !== "run" || !runOfId(shown.id)) return;
  await Promise.all([readConsole, refreshRunCharts, refreshRun].map(asking));
}, 1500);

const closeRun = () => {
  shown.id = null;
  output.turn++;
  for (const charts of [shown.charts, shown.system]) charts.clear();
};

const startRun = () => {
  shown.charts = new RunCharts(document.querySelector("#run-metrics .grid"));
  shown.system = new RunCharts(document.querySelector("#run-system .grid"));
  startConsole();
  startMedia();
  // A program prints without logging rows, too.
  setInterval(() => {
    const run = shown.id !== null && runOfId(shown.id);
    if (!run || view.name !== "run" || document.hidden || DONE.has(run.state)) return;
    showRunHead();
    followConsole();
  }, 2000);
};

const followConsole = throttled(async () => {
  if (shown.id !== null && output.run === shown.id) await readConsole();
}, 1500);
