// Starts the page: the table, then the curves, then the sweeps. `dataset.ready` says that all is drawn.

const drawAll = async () => {
  if (data.metrics.length) await startCurves();
  await startSweeps();
  document.documentElement.dataset.ready = "true";
};

Bokeh.logger.set_level("error");
startRuns();
drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (data.metrics.length) {
    colourSwatches();
    drawCurves();
  }
  startSweeps();
});
