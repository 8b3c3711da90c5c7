// Bokeh charts in the colours of the page.

let palette = null; // is read again after a change between dark and light

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  palette ??= { text: read("text"), quiet: read("quiet"), line: read("line"), page: read("page"), series: read("series").split(" ") };
  return palette;
};

// Bokeh's names of dashes, each with SVG's stroke-dasharray.
const DASHES = { solid: "", dashed: "6 3", dotted: "2 2", dashdot: "6 2 2 2" };

/** Returns colour and dashes of the curve at `place`; dashes change once all colours are used. */
const styleOf = (place) => {
  const { series } = colours();
  const dashes = Object.keys(DASHES);
  return { colour: series[place % series.length], dash: dashes[Math.floor(place / series.length) % dashes.length] };
};

/** Creates an empty chart: dragging or Ctrl and the wheel zoom, a double click resets. */
const newChart = (settings) => {
  const { text, quiet, line } = colours();
  const chart = Bokeh.Plotting.figure({
    tools: [new Bokeh.BoxZoomTool(), new Bokeh.WheelZoomTool({ modifiers: { ctrl: true } })],
    toolbar_location: null,
    sizing_mode: "stretch_width",
    background_fill_color: null,
    border_fill_color: null,
    outline_line_color: null,
    x_range: new Bokeh.DataRange1d({ range_padding: 0.02 }),
    ...settings,
  });
  for (const axis of [chart.xaxis, chart.yaxis]) {
    axis.axis_line_color = line;
    axis.major_tick_line_color = line;
    axis.minor_tick_line_color = null;
    axis.major_label_text_color = quiet;
    axis.axis_label_text_color = text;
    axis.axis_label_text_font_style = "normal";
    axis.major_label_text_font = axis.axis_label_text_font = getComputedStyle(document.body).fontFamily;
    axis.major_label_text_font_size = axis.axis_label_text_font_size = "13px";
  }
  chart.xgrid.grid_line_color = null;
  chart.ygrid.grid_line_color = line;
  chart.on_event("doubletap", () => resetZoom(chart));
  return chart;
};

const resetZoom = (chart) => chart.reset.emit();

const views = new Map(); // Bokeh's view of the chart in each element

/** Removes the chart that an element contains. */
const removeChart = (container) => {
  const previous = views.get(container);
  if (!previous) return;
  Bokeh.documents.splice(Bokeh.documents.indexOf(previous.model.document), 1);
  previous.remove();
  views.delete(container);
};

/** Shows a chart in an element in place of the one that it contains. */
const showChart = async (chart, container) => {
  removeChart(container);
  container.replaceChildren();
  views.set(container, await Bokeh.Plotting.show(chart, container));
};

/** Moves a range by a share of its length. */
const moveAlong = (range, share) => {
  const by = (range.end - range.start) * share;
  range.setv({ start: range.start + by, end: range.end + by });
};

/** Scales a range around a fixed value. */
const zoomAround = (range, fixed, factor) => {
  const [start, end] = [range.start, range.end];
  range.setv({ start: fixed + (start - fixed) * factor, end: fixed + (end - fixed) * factor });
};
