// Charts by Bokeh in the colours of the page.

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  return { text: read("text"), quiet: read("quiet"), line: read("line"), page: read("page"), series: read("series").split(" ") };
};

// Bokeh's names of dashes, and the same for SVG.
const DASHES = { solid: "", dashed: "6 3", dotted: "2 2", dashdot: "6 2 2 2" };

/** The colour and the dashes of the curve at a place: a new dash once all colours are taken. */
const styleOf = (place) => {
  const { series } = colours();
  const dashes = Object.keys(DASHES);
  return { colour: series[place % series.length], dash: dashes[Math.floor(place / series.length) % dashes.length] };
};

/** An empty chart: dragging zooms, and so does the wheel with Ctrl; a double click resets. */
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

const views = new Map(); // of the charts, by the element that they are shown in

/** Shows a chart in an element, in place of what it shows. */
const showChart = async (chart, place) => {
  const shownBefore = views.get(place);
  if (shownBefore) {
    Bokeh.documents.splice(Bokeh.documents.indexOf(shownBefore.model.document), 1);
    shownBefore.remove();
  }
  place.replaceChildren();
  views.set(place, await Bokeh.Plotting.show(chart, place));
};

/** Moves the range of steps by a share of itself. */
const moveAlong = (range, share) => {
  const by = (range.end - range.start) * share;
  range.setv({ start: range.start + by, end: range.end + by });
};

/** Makes the range of steps smaller or larger around a step. */
const zoomAround = (range, middle, factor) => {
  const [start, end] = [range.start, range.end];
  range.setv({ start: middle + (start - middle) * factor, end: middle + (end - middle) * factor });
};
