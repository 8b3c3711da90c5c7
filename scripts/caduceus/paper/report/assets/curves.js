// The learning curves: a chart, and a slider that selects a step.

const MOST_AT_FIRST = 12; // visible variants; more are hard to distinguish
const MOST_BANDS = 100; // drawn at a time; more cover each other

const curves = {
  metric: data.metric,
  axis: null, // the chosen one, if the metric has it; else the metric's first
  isLog: false,
  smoothing: 0, // weight of what came before, from 0 to below 1
  withSingles: false,
  visible: new Set(), // indices of variants
  chosenRuns: new Set(), // indices of the runs selected in the table of runs
  averages: null, // the curves of the metric by variant
  read: new Map(), // those of them that are drawn or listed
  layers: {}, // the source and renderer of each kind of curve in the chart
  steps: [],
  step: 0, // index of the selected step in `steps`
};
const AXES = { __proto__: null, _step: "step", _runtime: "time (s)" }; // names of axes that aren't metrics
const axisOf = (metric) => (data.axes[metric].includes(curves.axis) ? curves.axis : data.axes[metric][0]);
const variants = []; // group, experiment, name and runs of each
const variantOf = new Map(); // the index of the variant of each run

const addVariant = (variant) => {
  const place = variants.push(variant) - 1;
  for (const run of variant.runs) variantOf.set(run, place);
  if (place < MOST_AT_FIRST) curves.visible.add(place);
};

/** Draws a new chart: after a change of metric, scale or colours. */
const drawCurves = async () => {
  const { metric, isLog } = curves;
  const axis = axisOf(metric);
  const averages = await readCurves("averages", metric, axis);
  if (metric !== curves.metric || axis !== axisOf(metric) || isLog !== curves.isLog) return; // superseded by a later change
  const label = AXES[axis] ?? axis;
  element("step-name").textContent = label;
  curves.averages = averages;
  curves.steps = averages.ticks;
  curves.read = new Map();
  const chart = newChart({ height: 400, x_axis_label: label, y_axis_type: isLog ? "log" : "linear" });
  curves.span = new Bokeh.Span({ level: "overlay", dimension: "height", line_color: colours().quiet, line_width: 1, visible: false });
  chart.add_layout(curves.span);
  chart.on_event("mousemove", ({ x }) => selectStep(nearestStep(x), true));
  // All curves of a kind are one renderer, which is fast however many there are.
  const newLayer = (draw, style) => {
    const source = new Bokeh.ColumnDataSource({ data: columnsOf([]) });
    const renderer = draw.call(chart, { field: "xs" }, { field: "ys" }, { ...style, source });
    return { source, renderer };
  };
  const lines = { line_color: { field: "colour" }, line_dash: { field: "dash" } };
  curves.layers = {
    bands: newLayer(chart.patches, { fill_color: { field: "colour" }, fill_alpha: 0.16, line_color: null }),
    singles: newLayer(chart.multi_line, { ...lines, line_width: 1, line_alpha: 0.45 }),
    averages: newLayer(chart.multi_line, { ...lines, line_width: 2 }),
    chosen: newLayer(chart.multi_line, { line_color: { field: "colour" }, line_dash: { value: [2, 3] }, line_width: 3 }),
  };
  const { singles, chosen } = curves.layers;
  const tooltips = [["run", "@name"], ["state", "@state"], [label, axis === "_step" ? "$snap_x{0}" : "$snap_x"], ["value", "$snap_y"]];
  chart.add_tools(new Bokeh.HoverTool({ renderers: [singles.renderer, chosen.renderer], line_policy: "nearest", tooltips }));
  curves.chart = chart;
  element("step").max = Math.max(curves.steps.length - 1, 0);
  selectStep(curves.steps.length - 1, false);
  await updateCurves();
  await showChart(chart, element("curve-chart"));
};

/** Updates the chart and the legend to the current selection. */
const updateCurves = async () => {
  const { metric, layers, averages } = curves;
  const turn = (curves.turn = {});
  const wanted = [...curves.visible].filter((place) => averages.has(place));
  const ordered = await orderedVariants();
  if (turn !== curves.turn) return; // superseded by a later change
  const listed = listLegend(ordered);
  const read = await averages.read([...wanted, ...listed]);
  const visible = wanted.filter((place) => read.has(place));
  const chosen = [...curves.chosenRuns];
  const runs = curves.withSingles ? visible.flatMap((place) => variants[place].runs) : [];
  const singles = runs.length || chosen.length
    ? await (await readCurves("singles", metric, axisOf(metric))).read([...runs, ...chosen])
    : new Map();
  if (turn !== curves.turn) return;
  curves.read = read;
  layers.bands.source.data = columnsOf(visible.length > MOST_BANDS ? [] : visible.map(bandOf));
  layers.averages.source.data = columnsOf(visible.map((place) => lineOf(place, read.get(place))));
  const draw = (places) => columnsOf(places.filter((run) => singles.has(run)).map((run) => runOf(run, singles.get(run))));
  layers.singles.source.data = draw(runs);
  layers.chosen.source.data = draw(chosen);
  updateLegend();
};

/** Returns curves as the columns of a Bokeh source. */
const columnsOf = (drawn) => {
  const names = ["xs", "ys", "colour", "dash", "name", "state"];
  return Object.fromEntries(names.map((name) => [name, drawn.map((curve) => curve[name] ?? "")]));
};

/** Replaces values that a logarithmic axis can't show. */
const drawable = (values) => (curves.isLog ? values.map((value) => (value > 0 ? value : NaN)) : values);

/** Returns an exponential moving average without bias towards its start; a gap starts it anew. */
const smoothed = (values, weight = curves.smoothing) => {
  if (!weight) return values;
  let [sum, weights] = [0, 0];
  return values.map((value) => {
    if (!Number.isFinite(value)) {
      [sum, weights] = [0, 0];
      return value;
    }
    sum = sum * weight + value * (1 - weight);
    weights = weights * weight + 1 - weight;
    return sum / weights;
  });
};

const lineOf = (place, { steps, series }) => {
  const { colour, dash } = styleOf(place);
  return { xs: [...steps], ys: [...drawable(smoothed(series[0]))], colour, dash };
};

const bandOf = (place) => {
  const { steps, series } = curves.read.get(place);
  const [value, low, high] = series.slice(0, 3).map((each) => smoothed(each));
  // On a logarithmic axis, a band that reaches below zero ends at the least value.
  const least = Math.min(...value.filter((each) => each > 0));
  const floor = curves.isLog ? low.map((each) => (each > 0 ? each : least)) : low;
  const xs = [], ys = [];
  // NaN separates the patches of a band whose line breaks.
  for (let start = 0, end; start < steps.length; start = end + 1) {
    end = value.findIndex((each, at) => at >= start && Number.isNaN(each));
    end = end < 0 ? steps.length : end;
    const [places, tops, floors] = [steps, drawable(high), floor].map((all) => [...all.slice(start, end)]);
    xs.push(...(start ? [NaN] : []), ...places, ...[...places].reverse());
    ys.push(...(start ? [NaN] : []), ...tops, ...floors.reverse());
  }
  return { xs, ys, colour: styleOf(place).colour };
};

const runOf = (run, curve) => {
  const about = { name: nameOf(run), state: columns.get("state")[run] };
  return { ...lineOf(variantOf.get(run), curve), ...about };
};

/** Returns the index in `steps` of the step nearest to `step`. */
const nearestStep = (step) => {
  const index = lastAtMost(curves.steps, step);
  const next = Math.min(index + 1, curves.steps.length - 1);
  return index < 0 || step - curves.steps[index] > curves.steps[next] - step ? next : index;
};

/** Returns the last index in sorted numbers whose value is at most `limit`; -1 if there is none. */
const lastAtMost = (numbers, limit) => {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

/** Selects the step at `index` for the legend; a line marks it in the chart if the user chose it. */
const selectStep = (index, isChosen) => {
  curves.step = index;
  element("step").value = index;
  element("step-value").textContent = short(curves.steps[index]);
  curves.span.setv({ location: curves.steps[index] ?? 0, visible: isChosen });
  cancelAnimationFrame(curves.frame);
  curves.frame = requestAnimationFrame(updateValues);
};

/** Offers the axes of the metric. */
const offerAxes = () => {
  const options = data.axes[curves.metric].map((axis) => make("option", { value: axis }, AXES[axis] ?? axis));
  element("axis").replaceChildren(...options);
  element("axis").value = axisOf(curves.metric);
};

const startCurves = () => {
  const metric = element("metric");
  metric.value = curves.metric;
  const listen = (id, event, action) => element(id).addEventListener(event, action);
  offerAxes();
  listen("metric", "change", () => { curves.metric = metric.value; offerAxes(); drawCurves(); });
  listen("axis", "change", ({ target }) => { curves.axis = target.value; drawCurves(); });
  listen("log", "change", ({ target }) => { curves.isLog = target.checked; drawCurves(); });
  listen("smoothing", "input", ({ target }) => {
    curves.smoothing = Number(target.value);
    element("smoothing-value").textContent = curves.smoothing ? exact(curves.smoothing) : "none";
    updateCurves();
  });
  listen("singles", "change", ({ target }) => { curves.withSingles = target.checked; updateCurves(); });
  listen("step", "input", ({ target }) => selectStep(Number(target.value), true));
  listen("variant-filter", "input", () => { legend.pager.start = 0; updateCurves(); });
  listen("show-all", "click", () => setVisible(matchingVariants(), true));
  listen("hide-all", "click", () => setVisible(matchingVariants(), false));
  const zoom = (factor) => zoomAround(curves.chart.x_range, curves.steps[curves.step] ?? 0, factor);
  listen("zoom-in", "click", () => zoom(0.5));
  listen("zoom-out", "click", () => zoom(2));
  listen("earlier", "click", () => moveAlong(curves.chart.x_range, -0.5));
  listen("later", "click", () => moveAlong(curves.chart.x_range, 0.5));
  listen("zoom-reset", "click", () => resetZoom(curves.chart));
  return drawCurves();
};
