// Small charts of the metrics of one run, which are drawn once they are in sight.

class RunCharts {
  constructor(container) {
    Object.assign(this, { container, charts: new Map(), turn: 0 });
    this.observer = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) {
        const chart = [...this.charts.values()].find(({ figure }) => figure === target);
        if (chart) chart.isSeen = isIntersecting;
      }
      if (seen.some(({ isIntersecting }) => isIntersecting)) this.update();
    });
  }

  /** Shows the charts of these metrics of a run; those that are there stay. */
  show(place, metrics) {
    if (this.place !== place) this.clear();
    this.place = place;
    for (const { name, axes } of metrics) {
      if (this.charts.has(name)) continue;
      const holder = make("div", { className: "small-chart" });
      holder.setAttribute("role", "img");
      holder.setAttribute("aria-label", name);
      const note = make("span", { className: "note" });
      const figure = make("figure", {}, make("figcaption", {}, `${name} `, note), holder);
      this.charts.set(name, { name, axis: axes[0], holder, note, figure, isSeen: false, chart: null });
      this.container.append(figure);
      this.observer.observe(figure);
    }
    this.update();
  }

  clear() {
    for (const { holder, figure } of this.charts.values()) {
      this.observer.unobserve(figure);
      removeChart(holder);
    }
    this.charts.clear();
    this.container.replaceChildren();
    this.place = null;
  }

  /** Draws charts anew in other colours. */
  repaint() {
    for (const each of this.charts.values()) each.chart = null;
    this.update();
  }

  async update() {
    await bokehReady;
    for (const each of this.charts.values()) if (each.isSeen && this.place !== null) await this.draw(each);
  }

  async draw(each) {
    const { place } = this;
    const found = (await (await readCurves("singles", each.name, each.axis)).read([place])).get(place);
    if (place !== this.place || !this.charts.has(each.name)) return;
    const last = own(board.runs[place].live.last, each.name) ?? found?.series[0].at(-1);
    const lost = found?.notFinite ? `; ${counted(found.notFinite)} values aren't finite` : "";
    setText(each.note, found ? `${short(last)}${lost}` : "no values");
    each.holder.setAttribute("aria-label", `${each.name} over ${AXES[each.axis] ?? each.axis}; last value ${short(last)}`);
    const columns = { x: found?.steps ?? [], y: found?.series[0] ?? [] };
    if (!each.chart) {
      const chart = newChart({ height: 200, x_axis_label: AXES[each.axis] ?? each.axis });
      each.chart = chart;
      each.source = new Bokeh.ColumnDataSource({ data: columns });
      const line = chart.line({ field: "x" }, { field: "y" }, { source: each.source, line_color: colours().series[0], line_width: 1.5 });
      const tooltips = [[AXES[each.axis] ?? each.axis, "@x"], ["value", "@y"]];
      chart.add_tools(new Bokeh.HoverTool({ renderers: [line], mode: "vline", tooltips }));
      each.marked = 0;
      this.mark(each, found);
      await showChart(chart, each.holder);
    } else {
      each.source.data = columns;
      this.mark(each, found);
    }
  }

  /** Marks where attempts after the first began. */
  mark(each, found) {
    const starts = (found?.segments ?? []).slice(1);
    for (const location of starts.slice(each.marked)) {
      each.chart.add_layout(new Bokeh.Span({ location, dimension: "height", line_color: colours().quiet, line_dash: [4, 3], line_width: 1 }));
    }
    each.marked = starts.length;
  }
}
