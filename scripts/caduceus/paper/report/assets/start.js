// Starts the page: the table, then the curves, then the sweeps and the tries. `dataset.ready` says that all is drawn.

const readVariants = async () => {
  const found = await readJson("variants");
  found.name.forEach((name, place) => {
    addVariant({ group: found.group[place], experiment: found.experiment[place], name, runs: found.runs[place] });
  });
};

const drawAll = async () => {
  await readVariants();
  await startRuns();
  if (data.metrics.length) await startCurves();
  await startSweeps();
  await startTries();
  document.documentElement.dataset.ready = "true";
};

Bokeh.logger.set_level("error");
drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  palette = null;
  if (data.metrics.length) {
    colourSwatches();
    drawCurves();
  }
  startSweeps();
  for (const part of ledgers) part.showCharts(true);
});
