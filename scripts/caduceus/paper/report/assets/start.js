// Starts the page: the table, then the curves, then the sweeps. `dataset.ready` says that all is drawn.

const drawAll = async () => {
  await readVariants();
  await startRuns();
  if (data.metrics.length) await startCurves();
  await startSweeps();
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
});
