// Sweeps: the best so far, parallel coordinates, what was stopped and why.

const MOST_TRIALS = 100; // that a table lists

const openSweeps = async () => {
  const { sweeps } = await ask("/api/sweeps");
  const list = element("sweep-list");
  if (!sweeps.length) {
    list.replaceChildren(make("p", { className: "note" }, "This project has no sweeps."));
    return;
  }
  const ids = sweeps.map(({ sweep }) => sweep);
  if (list.dataset.ids !== JSON.stringify(ids)) {
    for (const chart of list.querySelectorAll(".chart")) removeChart(chart);
    list.dataset.ids = JSON.stringify(ids);
    list.replaceChildren(...ids.map(sweepPart));
  }
  await bokehReady;
  for (const { sweep, error } of sweeps) {
    const part = [...list.children].find(({ dataset }) => dataset.sweep === sweep);
    if (error) setText(part.querySelector("p"), `It can't be read: ${error}`);
    else await showSweep(sweep);
  }
};

const sweepPart = (id) => {
  const part = make("article", { className: "sweep" });
  part.dataset.sweep = id;
  const chart = (label) => {
    const holder = make("div", { className: "chart sweep-chart" });
    holder.setAttribute("role", "img");
    holder.setAttribute("aria-label", label);
    return holder;
  };
  part.append(
    make("h3", {}, id),
    make("p"),
    chart("The objective of each trial, and the best so far; the table below has them"),
    make("p", { className: "note" }, "○ trial, × trial stopped early, line: best so far."),
    chart("Each trial as a line through its parameters and its objective; the table below has them"),
    make("p", { className: "note" }, "A line is a trial: the better, the stronger. Stopped trials are dashed."),
    make("p", { className: "importance" }),
    make("h4", {}, "Trials"),
    make("div", { className: "wide tall", tabIndex: 0, role: "group", ariaLabel: `Trials of ${id}` }, make("table", { className: "dense" })),
    make("p", { className: "note" }),
  );
  return part;
};

const shownSweeps = new Map(); // what each shows, by its id

const showSweep = async (id) => {
  const found = await ask("/api/sweep", { sweep: id });
  const part = [...element("sweep-list").children].find(({ dataset }) => dataset.sweep === id);
  const key = JSON.stringify(found);
  if (!part || (shownSweeps.get(id) === key && part.dataset.isDrawn)) return;
  shownSweeps.set(id, key);
  part.dataset.isDrawn = "true";
  const about = part.querySelector("p");
  const states = Object.entries(found.states ?? {}).map(([state, count]) => `${counted(count)} ${state}`);
  setText(about, `${[found.method, found.metric && `${found.goal} ${found.metric}`].filter(Boolean).join(", ")}: ${counted(found.planned)} trials planned; ` +
    [...states, ...(found.stopped_early ? [`${counted(found.stopped_early)} stopped early`] : [])].join(", "));
  if (found.best) about.append("; best so far: ", runLink(found.best.run, `trial ${found.best.trial}`), ` with ${short(found.best.objective)}, by the best value of each run`);
  const trials = found.trials.map((trial) => ({ ...trial, objective: numberOf(trial.objective), stopped_early: trial.is_stopped, best_so_far: numberOf(trial.best_so_far) }));
  const [progress, parallel] = part.querySelectorAll(".chart");
  const measured = trials.filter(({ objective }) => Number.isFinite(objective));
  for (const chart of [progress, parallel]) chart.hidden = !measured.length;
  if (measured.length) {
    await showChart(trialChart(trials.filter(({ trial }) => typeof trial === "number")), progress);
    await showChart(parallelChart(found, measured), parallel);
  }
  const shares = (found.importance ?? []).map(({ name, mean }) => `${name} ${Math.round(100 * mean)} %`);
  setText(part.querySelector(".importance"), shares.length ? `Share of the variance by parameter: ${shares.join(", ")}.` : "");
  const names = found.parameters.map(({ name }) => name);
  const sign = found.goal === "maximize" ? -1 : 1;
  const sorted = [...trials].sort((one, other) => compare(one.objective, other.objective, sign) || one.trial - other.trial);
  const rows = sorted.slice(0, MOST_TRIALS).map((trial) => [
    runLink(trial.run, String(trial.trial)), stateMark(trial.state), short(trial.objective), trial.why ?? "", ...names.map((name) => short(own(trial.parameters, name))),
  ]);
  const kept = part.querySelector("table");
  fillTable(kept, ["trial", "state", found.metric ? `best ${found.metric}` : "objective", "stopped because", ...names], rows, [2]);
  setText(part.lastChild, trials.length > MOST_TRIALS ? `The best ${MOST_TRIALS} of ${counted(trials.length)} trials.` : "");
};

/** Returns a chart with an axis for each parameter and one for the objective, and a line for each trial. */
const parallelChart = ({ parameters, metric, goal }, trials) => {
  const { series: [blue], quiet, line, text } = colours();
  const axes = [...parameters.map(parallelAxis(trials)), objectiveAxis(trials, metric)];
  const chart = newChart({ height: 300, x_range: new Bokeh.Range1d({ start: -0.3, end: axes.length - 0.7 }), y_range: new Bokeh.Range1d({ start: -0.18, end: 1.12 }), tools: [] });
  chart.yaxis.visible = false;
  chart.ygrid.visible = false;
  chart.xaxis.ticker = new Bokeh.FixedTicker({ ticks: axes.map((_, at) => at) });
  chart.xaxis.major_label_overrides = new Map(axes.map(({ name }, at) => [at, name]));
  chart.segment(axes.map((_, at) => at), 0, axes.map((_, at) => at), 1, { line_color: line });
  const label = (y, texts) => chart.text(axes.map((_, at) => at), axes.map(() => y), texts,
    { text_color: quiet, text_font_size: "12px", text_align: "center", text_baseline: "middle" });
  label(-0.09, axes.map(({ low }) => low));
  label(1.07, axes.map(({ high }) => high));
  const objective = axes.at(-1);
  const isBetterHigh = goal === "maximize";
  const strength = (trial) => { const at = objective.place(trial); return 0.15 + 0.8 * (isBetterHigh ? at : 1 - at) ** 2; };
  const source = new Bokeh.ColumnDataSource({
    data: {
      xs: trials.map(() => axes.map((_, at) => at)),
      ys: trials.map((trial) => axes.map((axis) => axis.place(trial))),
      alpha: trials.map(strength),
      dash: trials.map((trial) => (trial.stopped_early ? "dashed" : "solid")),
      trial: trials.map(({ trial }) => trial),
      objective: trials.map((trial) => trial.objective),
    },
  });
  const lines = chart.multi_line({ field: "xs" }, { field: "ys" }, { source, line_color: blue, line_alpha: { field: "alpha" }, line_dash: { field: "dash" }, line_width: 1.5 });
  chart.add_tools(new Bokeh.HoverTool({ renderers: [lines], line_policy: "interp", tooltips: [["trial", "@trial"], ["objective", "@objective"]] }));
  chart.xaxis.major_label_text_color = text;
  return chart;
};

/** Returns a function that describes the axis of a parameter: from 0 to 1, as the space scales it. */
const parallelAxis = (trials) => ({ name, kind, scale, low, high, values }) => {
  const of = (trial) => own(trial.parameters, name);
  if (kind !== "number" || low === null || low === undefined || !(high > low)) {
    const all = (values ?? [...new Set(trials.map(of).map(exact))]).map(exact);
    const step = all.length > 1 ? 1 / (all.length - 1) : 0;
    return { name, low: all[0] ?? "", high: all.length > 1 ? all.at(-1) : "", place: (trial) => (all.length > 1 ? all.indexOf(exact(of(trial))) * step : 0.5) };
  }
  const scaled = scale === "log" && low > 0 ? Math.log : (value) => value;
  const [start, end] = [scaled(low), scaled(high)];
  return { name, low: short(low), high: short(high), place: (trial) => (typeof of(trial) === "number" ? (scaled(of(trial)) - start) / (end - start) : NaN) };
};

const objectiveAxis = (trials, metric) => {
  const all = trials.map(({ objective }) => objective);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return { name: metric ?? "objective", low: short(low), high: short(high), place: ({ objective }) => (high > low ? (objective - low) / (high - low) : 0.5) };
};
