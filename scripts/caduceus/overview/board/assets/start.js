// Starts the page: the table first, then the curves. `dataset.ready` says that all is drawn.

/** Reads everything, and follows what changes after it. */
const loadOverview = async () => {
  const found = await ask("/api/overview");
  board.project = found.project;
  board.behind_s = found.now - Date.now() / 1000;
  board.slurm = found.slurm;
  board.isReading = found.is_reading;
  setText(element("project"), found.project);
  storeExperiments(found.experiments);
  const ids = new Set(found.runs.map(({ run }) => run));
  board.runs.forEach((run, place) => ids.has(run.run) || forget(place));
  for (const run of found.runs) {
    storeRun(run);
    learnNames(run);
  }
  showWarnings(found.warnings);
  const isFirst = !table.isStarted;
  if (isFirst) {
    makeColumns();
    const first = firstColumns();
    table.columns = columnNames().filter((name) => first.has(name));
    table.isStarted = true;
    await startRuns();
  } else remakeColumns();
  element("reading").hidden = !board.isReading;
  showTouched([], true);
  if (isFirst) await showView();
  follow(found.sequence);
  if (!isFirst && view.name === "tries") refreshTriesSoon();
  refreshMetricsSoon();
};

/** Offers the columns of the table that there are now. */
const offerColumns = () => {
  document.querySelector("#run-columns .choices").replaceChildren();
  makeChoices();
};

const repaint = () => {
  palette = null;
  if (curves.chart) {
    colourSwatches();
    drawCurves();
  }
  for (const charts of [shown.charts, shown.system]) charts.repaint();
  shownSweeps.clear();
  if (view.name === "sweeps") openSweeps();
  shownLedger.part?.view?.tries && shownLedger.part.showCharts(true);
};

const start = async () => {
  startRun();
  startCompare();
  element("draw-listed").addEventListener("click", () => {
    curves.visible = new Set(matchingRuns().map((run) => variantOf.get(run)));
    if (curves.chart) refreshCurvesSoon();
    element("curves-title").scrollIntoView();
  });
  element("run-columns").addEventListener("toggle", ({ target }) => target.open && offerColumns());
  addEventListener("hashchange", showView);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  // What was gathered while the page was hidden is shown by the next frame; charts wait for this.
  document.addEventListener("visibilitychange", () => document.hidden || refreshCurvesSoon());
  setInterval(() => {
    if (document.hidden || view.name !== "runs") return;
    for (const place of table.rows.keys()) {
      if (board.runs[place].state !== "running") continue;
      readRun(place); // its time goes on, whether it logs or not
      fillRow(place);
    }
  }, 5000);
  bokehReady.then(() => Bokeh.logger.set_level("error"));
  await reload();
  await bokehReady;
  document.documentElement.dataset.ready = "true";
};

start();
