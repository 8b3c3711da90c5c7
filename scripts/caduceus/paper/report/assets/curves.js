// The learning curves: a chart, a slider that selects a step, and a legend with the values there.

const MOST_AT_FIRST = 12; // visible variants; more are hard to distinguish

const curves = {
  metric:
    data.metrics.find((metric) => data.main.includes(metric)) ??
    data.metrics.find((metric) => /^(val|eval|test)/.test(metric)) ?? // prefer these to counters
    data.metrics[0],
  axis: null, // the chosen one, if the metric has it; else the metric's first
  isLog: false,
  withSingles: false,
  visible: new Set([...data.variants.keys()].slice(0, MOST_AT_FIRST)),
  chosenRuns: new Set(), // indices of the runs selected in the table of runs
  averages: new Map(), // curves of the metric by variant
  layers: {}, // the source and renderer of each kind of curve in the chart
  steps: [],
  step: 0, // index of the selected step in `steps`
};
const AXES = { _step: "step", _runtime: "time (s)" }; // names of axes that aren't metrics
const axisOf = (metric) => (data.axes[metric].includes(curves.axis) ? curves.axis : data.axes[metric][0]);
const levels = new Map(); // indices of variants by group and experiment, the levels of the legend
data.variants.forEach(({ group, experiment }, place) => {
  const name = [group, experiment].filter(Boolean).join(" · ");
  levels.set(name, [...(levels.get(name) ?? []), place]);
});
const variantOf = new Map(data.variants.flatMap(({ runs }, place) => runs.map((run) => [run, place])));
const rows = new Map(); // rows of the legend by variant

/** Draws a new chart: after a change of metric, scale or colours. */
const drawCurves = async () => {
  const { metric, isLog } = curves;
  const axis = axisOf(metric);
  const averages = await readCurves("averages", metric, axis);
  if (metric !== curves.metric || axis !== axisOf(metric) || isLog !== curves.isLog) return; // superseded by a later change
  const label = AXES[axis] ?? axis;
  element("step-name").textContent = label;
  curves.averages = averages;
  curves.steps = [...new Set([...averages.values()].flatMap(({ steps }) => [...steps]))].sort((a, b) => a - b);
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
  const { metric, layers } = curves;
  const visible = [...curves.visible].filter((place) => curves.averages.has(place));
  layers.bands.source.data = columnsOf(visible.map(bandOf));
  layers.averages.source.data = columnsOf(visible.map((place) => lineOf(place, curves.averages.get(place))));
  updateLegend();
  const chosen = [...curves.chosenRuns];
  const runs = curves.withSingles ? [...curves.visible].flatMap((place) => data.variants[place].runs) : [];
  const singles = runs.length || chosen.length ? await readCurves("singles", metric, axisOf(metric)) : new Map();
  if (layers !== curves.layers) return; // superseded by a new chart
  const draw = (places) => columnsOf(places.filter((run) => singles.has(run)).map((run) => runOf(run, singles.get(run))));
  layers.singles.source.data = draw(runs);
  layers.chosen.source.data = draw(chosen);
};

/** Returns curves as the columns of a Bokeh source. */
const columnsOf = (drawn) => {
  const names = ["xs", "ys", "colour", "dash", "name", "state"];
  return Object.fromEntries(names.map((name) => [name, drawn.map((curve) => curve[name] ?? "")]));
};

/** Replaces values that a logarithmic axis can't show. */
const drawable = (values) => (curves.isLog ? values.map((value) => (value > 0 ? value : NaN)) : values);

const lineOf = (place, { steps, series }) => {
  const { colour, dash } = styleOf(place);
  return { xs: [...steps], ys: [...drawable(series[0])], colour, dash };
};

const bandOf = (place) => {
  const { steps, series: [value, low, high] } = curves.averages.get(place);
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
  const about = { name: columns.get("name")[run] ?? runIds[run], state: columns.get("state")[run] };
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
  curves.frame = requestAnimationFrame(updateLegend);
};

const updateLegend = () => {
  const step = curves.steps[curves.step];
  const values = new Map([...curves.averages].map(([place, { steps, series }]) => {
    const at = lastAtMost(steps, step);
    return [place, at < 0 ? [] : series.map((each) => each[at])];
  }));
  const format = columnFormat([...values.values()].map(([value]) => value));
  for (const [place, { row, box, cells }] of rows) {
    const [value, low, high, n] = values.get(place) ?? [];
    cells[0].textContent = format(value);
    cells[1].textContent = low < high ? `[${format(low)}, ${format(high)}]` : "–";
    cells[2].textContent = exact(n);
    box.checked = curves.visible.has(place);
    row.hidden = !isListed(place);
    row.classList.toggle("is-hidden", !box.checked);
  }
  for (const box of document.querySelectorAll("#legend .level input")) {
    const places = levels.get(box.value).filter(isListed);
    box.closest("tr").hidden = !places.length;
    const count = places.filter((place) => curves.visible.has(place)).length;
    box.checked = count === places.length;
    box.indeterminate = count > 0 && count < places.length;
  }
  const runs = curves.chosenRuns.size ? `; dotted: ${curves.chosenRuns.size} from the table of runs` : "";
  const drawn = [...curves.averages.keys()].filter((place) => curves.visible.has(place));
  element("variant-count").textContent = `${drawn.length} of ${curves.averages.size} shown${runs}`;
};

const swatch = (place) => {
  const { dash } = styleOf(place);
  const space = "http://www.w3.org/2000/svg";
  const line = document.createElementNS(space, "line");
  const attributes = { x1: 0, x2: 26, y1: 5, y2: 5, "stroke-width": 3, "stroke-dasharray": DASHES[dash] };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(line);
  return drawing;
};

const colourSwatches = () => {
  for (const [place, { row }] of rows) row.querySelector("line").setAttribute("stroke", styleOf(place).colour);
};

const setVisible = (places, isVisible) => {
  for (const place of places) curves.visible[isVisible ? "add" : "delete"](place);
  updateCurves();
};

const makeLegend = () => {
  const number = (text) => make("th", { className: "number", scope: "col" }, text);
  const head = make("tr", {}, make("th", { scope: "col" }, "variant"), number("value"), number("interval"), number("n"));
  const body = make("tbody");
  for (const [level, places] of levels) {
    if (levels.size > 1) {
      const box = make("input", { type: "checkbox", value: level });
      box.addEventListener("change", () => setVisible(places.filter(isListed), box.checked));
      const label = make("th", { colSpan: 4, scope: "rowgroup" }, make("label", {}, box, level));
      body.append(make("tr", { className: "level" }, label));
    }
    for (const place of places) body.append(legendRow(place));
  }
  element("legend").replaceChildren(make("thead", {}, head), body);
};

const legendRow = (place) => {
  const box = make("input", { type: "checkbox" });
  box.addEventListener("change", () => setVisible([place], box.checked));
  const cells = ["value", "interval", "n"].map(() => make("td", { className: "number" }));
  const name = make("th", { scope: "row" }, make("label", {}, box, swatch(place), data.variants[place].name));
  const row = make("tr", {}, name, ...cells);
  rows.set(place, { row, box, cells });
  return row;
};

/** Whether a variant has the metric and matches all words of the filter. */
const isListed = (place) => {
  const words = element("variant-filter").value.toLowerCase().split(/\s+/);
  const { group, experiment, name } = data.variants[place];
  const text = `${group} ${experiment} ${name}`.toLowerCase();
  return curves.averages.has(place) && words.every((word) => text.includes(word));
};

/** Offers the axes of the metric. */
const offerAxes = () => {
  const options = data.axes[curves.metric].map((axis) => make("option", { value: axis }, AXES[axis] ?? axis));
  element("axis").replaceChildren(...options);
  element("axis").value = axisOf(curves.metric);
};

const startCurves = () => {
  makeLegend();
  colourSwatches();
  const metric = element("metric");
  metric.value = curves.metric;
  const listen = (id, event, action) => element(id).addEventListener(event, action);
  offerAxes();
  listen("metric", "change", () => { curves.metric = metric.value; offerAxes(); drawCurves(); });
  listen("axis", "change", ({ target }) => { curves.axis = target.value; drawCurves(); });
  listen("log", "change", ({ target }) => { curves.isLog = target.checked; drawCurves(); });
  listen("singles", "change", ({ target }) => { curves.withSingles = target.checked; updateCurves(); });
  listen("step", "input", ({ target }) => selectStep(Number(target.value), true));
  listen("variant-filter", "input", updateLegend);
  listen("show-all", "click", () => setVisible([...rows.keys()].filter(isListed), true));
  listen("hide-all", "click", () => setVisible([...rows.keys()].filter(isListed), false));
  const zoom = (factor) => zoomAround(curves.chart.x_range, curves.steps[curves.step] ?? 0, factor);
  listen("zoom-in", "click", () => zoom(0.5));
  listen("zoom-out", "click", () => zoom(2));
  listen("earlier", "click", () => moveAlong(curves.chart.x_range, -0.5));
  listen("later", "click", () => moveAlong(curves.chart.x_range, 0.5));
  listen("zoom-reset", "click", () => resetZoom(curves.chart));
  return drawCurves();
};
