// The charts of sweeps: the objective of each trial, and the best so far.

/** Returns the chart of the trials of a sweep. */
const trialChart = (trials) => {
  const { series: [blue, orange], quiet } = colours();
  const chart = newChart({ height: 270, x_axis_label: "trial" });
  chart.xaxis.ticker = new Bokeh.AdaptiveTicker({ mantissas: [1, 2, 5], min_interval: 1, num_minor_ticks: 0 });
  const measured = trials.filter(({ objective }) => typeof objective === "number");
  const points = (chosen, marker, colour) => {
    if (!chosen.length) return [];
    const source = new Bokeh.ColumnDataSource({
      data: {
        x: chosen.map(({ trial }) => trial),
        y: chosen.map(({ objective }) => objective),
        parameters: chosen.map(({ parameters }) => Object.entries(parameters).map(([name, value]) => `${name} ${short(value)}`).join(", ")),
      },
    });
    const style = { marker, size: 7, line_color: colour, fill_color: null, source };
    return [chart.scatter({ field: "x" }, { field: "y" }, style)];
  };
  const best = trials.filter((trial) => typeof trial.best_so_far === "number");
  chart.step(best.map(({ trial }) => trial), best.map((trial) => trial.best_so_far), "after", { line_color: orange, line_width: 2 });
  const complete = points(measured.filter((trial) => !trial.stopped_early), "circle", blue);
  const stopped = points(measured.filter((trial) => trial.stopped_early), "x", quiet);
  const tooltips = [["trial", "@x"], ["objective", "@y"], ["parameters", "@parameters"]];
  chart.add_tools(new Bokeh.HoverTool({ renderers: [...complete, ...stopped], tooltips }));
  return chart;
};

const drawSweep = async (container) => {
  const { trials } = await readJson(`sweep-${container.dataset.sweep}`);
  return showChart(trialChart(trials), container);
};

const startSweeps = () => Promise.all([...document.querySelectorAll(".sweep-chart")].map(drawSweep));
