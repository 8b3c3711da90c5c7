// The charts of tries: by how much each is better, and the metrics of the incumbents.

const TRY_MARKERS = { kept: ["circle", true], discarded: ["x", false], undecided: ["triangle", false], failed: ["x", false] };

/** Returns the range that shows the bulk of the tries and all that were kept; a try that collapsed would hide the others. */
const effectRange = (measured, minEffect) => {
  const all = measured.flatMap(({ effect, low, high }) => [effect, low ?? effect, high ?? effect]).sort((one, other) => one - other);
  const at = (share) => all[Math.round(share * (all.length - 1))];
  const reach = 1.5 * (at(0.75) - at(0.25));
  const kept = measured.filter(({ state }) => state === "kept").flatMap(({ effect, low, high }) => [effect, low ?? effect, high ?? effect]);
  const start = Math.min(0, ...kept, Math.max(all[0], at(0.25) - reach));
  const end = Math.max(0, minEffect, ...kept, Math.min(all.at(-1), at(0.75) + reach));
  const margin = 0.08 * (end - start) || 1;
  return [start - margin, end + margin];
};

/** Returns the chart of the tries that have an effect, and whether some lie beyond it. */
const effectChart = (measured, { metric, min_effect: minEffect, tries }) => {
  const { series: [blue, orange], quiet, text } = colours();
  const [start, end] = effectRange(measured, minEffect);
  const last = tries.at(-1).number;
  const chart = newChart({ height: 270, x_axis_label: "try", y_axis_label: `better by, ${metric}`, x_range: new Bokeh.Range1d({ start: 0.4, end: last + 0.6 }), y_range: new Bokeh.Range1d({ start, end }) });
  chart.xaxis.ticker = new Bokeh.AdaptiveTicker({ mantissas: [1, 2, 5], min_interval: 1, num_minor_ticks: 0 });
  const level = (location, dash) => chart.add_layout(new Bokeh.Span({ location, dimension: "width", line_color: text, line_dash: dash, line_width: 1 }));
  level(0, []);
  if (minEffect) level(minEffect, [5, 4]);
  const colourOf = (state) => (state === "kept" ? blue : state === "undecided" ? orange : quiet);
  const bars = measured.filter(({ low, high }) => low !== null && high !== null);
  const edge = 0.04 * (end - start);
  const within = (value, by = 0) => Math.max(start + by, Math.min(end - by, value));
  const x = ({ number }) => number;
  chart.segment(bars.map(x), bars.map(({ low }) => within(low)), bars.map(x), bars.map(({ high }) => within(high)), { line_color: bars.map(({ state }) => colourOf(state)), line_width: 1.5 });
  const isOut = ({ effect }) => effect < start || effect > end;
  const glyphs = [];
  const scatter = (chosen, marker, isFilled, colour, size) => {
    if (!chosen.length) return;
    const source = new Bokeh.ColumnDataSource({
      data: {
        x: chosen.map(x),
        y: chosen.map(({ effect }) => within(effect, edge)),
        effect: chosen.map(({ effect }) => short(effect)),
        why: chosen.map(({ why }) => brief(why, 80)),
        state: chosen.map(({ state }) => state),
        interval: chosen.map((each) => intervalText(each)),
      },
    });
    glyphs.push(chart.scatter({ field: "x" }, { field: "y" }, { marker, size, line_color: colour, fill_color: isFilled ? colour : null, line_width: 1.5, source }));
  };
  for (const [state, [marker, isFilled]] of Object.entries(TRY_MARKERS)) {
    scatter(measured.filter((row) => row.state === state && !isOut(row)), marker, isFilled, colourOf(state), state === "kept" ? 10 : 8);
  }
  scatter(measured.filter((row) => row.effect < start), "inverted_triangle", false, quiet, 9);
  scatter(measured.filter((row) => row.effect > end), "triangle_dot", false, quiet, 9);
  const tooltips = [["try", "@x"], ["reason", "@why"], ["verdict", "@state"], ["better by", "@effect"], ["95 % interval", "@interval"]];
  chart.add_tools(new Bokeh.HoverTool({ renderers: glyphs, tooltips }));
  const isClipped = measured.some((row) => isOut(row)) || bars.some(({ low, high }) => low < start || high > end);
  return { chart, isClipped };
};

/** Returns the chart of the incumbents' metrics, as steps over the tries. */
const valueChart = (incumbents, { metric, holdout, tries }) => {
  const { series: [blue, orange], quiet } = colours();
  const last = tries.at(-1)?.number ?? 0;
  const chart = newChart({ height: 270, x_axis_label: "try", y_axis_label: holdout && holdout !== metric ? `${metric}, ${holdout}` : metric, x_range: new Bokeh.Range1d({ start: -0.4, end: last + 0.4 }) });
  chart.xaxis.ticker = new Bokeh.AdaptiveTicker({ mantissas: [1, 2, 5], min_interval: 1, num_minor_ticks: 0 });
  const steps = (name, colour, marker, dash) => {
    const known = incumbents.filter((each) => typeof each[name] === "number");
    if (!known.length) return [];
    const [xs, ys] = [known.map(({ number }) => number), known.map((each) => each[name])];
    chart.step([...xs, last], [...ys, ys.at(-1)], "after", { line_color: colour, line_width: 2, line_dash: dash });
    const source = new Bokeh.ColumnDataSource({ data: { x: xs, y: ys, label: known.map(({ number }) => (number ? `try ${number}` : "the first incumbent")), value: ys.map(short) } });
    return [chart.scatter({ field: "x" }, { field: "y" }, { marker, size: 8, line_color: colour, fill_color: marker === "circle" ? colour : null, source })];
  };
  const gaps = incumbents.filter(({ search, holdout: held }) => typeof search === "number" && typeof held === "number");
  chart.segment(gaps.map(({ number }) => number), gaps.map(({ search }) => search), gaps.map(({ number }) => number), gaps.map((each) => each.holdout), { line_color: quiet, line_dash: "dotted", line_width: 1.5 });
  const glyphs = [...steps("search", blue, "circle", "solid"), ...steps("holdout", orange, "square", "dashed")];
  chart.add_tools(new Bokeh.HoverTool({ renderers: glyphs, tooltips: [["incumbent", "@label"], ["value", "@value"]] }));
  return chart;
};
