// What changes while the page is open: the server's events are gathered, and shown once a frame.

const RECONNECT_MS = 3000;
const changes = {
  source: null,
  isConnected: false,
  runs: new Map(), // whole runs that came or changed
  live: new Map(), // what grew of others
  gone: new Set(),
  others: {}, // experiments, warnings, slurm, and what to fetch again
  frame: null,
};

/** Gathers an event; it is shown with the next frame, which doesn't come while the page is hidden. */
const gather = (event) => {
  const found = JSON.parse(event.data);
  board.behind_s = found.now - Date.now() / 1000;
  for (const run of found.runs ?? []) {
    changes.runs.set(run.run, run);
    changes.live.delete(run.run);
    changes.gone.delete(run.run);
  }
  for (const [id, live] of Object.entries(found.live ?? {})) {
    if (changes.runs.has(id)) changes.runs.get(id).live = live;
    else changes.live.set(id, live);
  }
  for (const id of found.gone ?? []) {
    changes.gone.add(id);
    changes.runs.delete(id);
    changes.live.delete(id);
  }
  const { others } = changes;
  for (const name of ["experiments", "warnings", "slurm"]) if (found[name]) others[name] = found[name];
  others.paper ||= found.paper;
  others.tries ||= found.tries?.length > 0;
  others.isReading = found.is_reading;
  others.sweeps = [...(others.sweeps ?? []), ...(found.sweeps ?? [])].slice(0, 100);
  changes.frame ??= requestAnimationFrame(showChanges);
};

/** Shows what was gathered. */
const showChanges = () => {
  const { runs, live, gone, others } = changes;
  Object.assign(changes, { runs: new Map(), live: new Map(), gone: new Set(), others: {}, frame: null });
  const wasReading = board.isReading;
  board.isReading = others.isReading ?? false;
  element("reading").hidden = !board.isReading;
  if (others.experiments) storeExperiments(others.experiments);
  if (others.warnings) showWarnings(others.warnings);
  if (others.slurm) board.slurm = others.slurm;
  const moved = [];
  let isNew = false;
  let hasFirstSample = false;
  const touched = [];
  for (const run of runs.values()) {
    const before = runOfId(run.run);
    if (before && before.state !== run.state) moved.push({ state: run.state, name: run.name ?? run.run });
    touched.push(storeRun(run));
    isNew = learnNames(run) || isNew;
  }
  for (const [id, grown] of live) {
    const run = runOfId(id);
    if (!run) continue;
    hasFirstSample ||= !run.live.samples && grown.samples > 0;
    run.live = grown;
    touched.push(board.places.get(id));
    isNew = learnNames(run) || isNew;
  }
  for (const id of gone) if (board.places.has(id)) forget(board.places.get(id));
  if (isNew) remakeColumns();
  else touched.forEach(readRun);
  showTouched(touched, runs.size + gone.size > 0 || isNew);
  announce(moved);
  if (isNew || hasFirstSample || (wasReading && !board.isReading)) refreshMetricsSoon();
  if (touched.length || gone.size) refreshCurvesSoon();
  if (touched.some((place) => board.runs[place].run === shown.id)) {
    showRunHead();
    followRun();
  }
  if (view.name === "compare" && touched.some((place) => [compared.one, compared.other].includes(board.runs[place].run))) showCompared();
  if (others.paper && view.name === "paper") refreshPaperSoon();
  if (others.tries && view.name === "tries") refreshTriesSoon();
  if (others.sweeps?.length && view.name === "sweeps") refreshSweepsSoon();
};

const forget = (place) => {
  data.gone.add(place);
  curves.chosenRuns.delete(place);
};

const remakeColumns = () => {
  const shownBefore = new Set(table.columns);
  const known = new Set(columnNames());
  makeColumns();
  const first = firstColumns();
  // A column that comes later is shown if it would have been from the start.
  table.columns = columnNames().filter((name) => shownBefore.has(name) || (first.has(name) && !known.has(name)));
};

/** Shows runs that changed in the table; while someone works in it, rows whose values merely grew stay in their order. */
const showTouched = (touched, isOther) => {
  if (!touched.length && !isOther) return;
  texts = null;
  formats.clear();
  if (isOther) showCounts();
  if (view.name !== "runs") {
    table.isBehind = true;
    return;
  }
  const isBusy = element("run-table").matches(":hover, :focus-within");
  if (!isOther && isBusy && table.layout) {
    for (const place of touched) if (table.rows.has(place)) fillRow(place);
    return;
  }
  if (isOther) {
    describeColumns();
    showSlurm();
    for (const name of ["state", "group"]) offerValues(name);
    offerGroupings();
  }
  showRuns();
};

const storeExperiments = (experiments) => {
  board.experiments = experiments;
  board.mains = [...new Set(experiments.map(({ metric }) => metric).filter(Boolean))];
};

const refreshMetricsSoon = throttled(refreshMetrics, 2000);
const refreshPaperSoon = throttled(openPaper, 2000);
const refreshTriesSoon = throttled(() => openTries(), 1000);
const refreshSweepsSoon = throttled(openSweeps, 3000);
const refreshCurvesSoon = throttled(async () => {
  if (view.name === "runs" && !document.hidden) await refreshCurves();
  else view.isBehind = true;
}, 1500);

const showConnection = (isConnected, text = "") => {
  const was = changes.isConnected;
  changes.isConnected = isConnected;
  const place = element("connection");
  place.classList.toggle("lost", !isConnected);
  if (isConnected && was) return;
  setText(place, isConnected ? "live" : text);
};

/** Follows the changes after those that the page shows. */
const follow = (sequence) => {
  changes.source?.close();
  const source = new EventSource(`/api/changes?since=${encodeURIComponent(sequence)}`);
  changes.source = source;
  source.addEventListener("open", () => showConnection(true));
  source.addEventListener("change", gather);
  source.addEventListener("reset", reload);
  source.addEventListener("error", () => {
    const at = new Date().toLocaleTimeString("en-GB");
    showConnection(false, `Connection lost at ${at}: what is shown is of then. Trying again …`);
    if (source.readyState === EventSource.CLOSED) setTimeout(reload, RECONNECT_MS);
  });
};

/** Reads everything anew: at the start, and if the server can't say what changed since. */
const reload = async () => {
  changes.source?.close();
  try {
    await loadOverview();
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    const isReached = !(error instanceof UnreachableError);
    showConnection(false, isReached ? `Refused: ${error.message}. Open the address that caduceus board prints.` : "Connection lost: caduceus board doesn't answer. Trying again …");
    setTimeout(reload, RECONNECT_MS);
  }
};
