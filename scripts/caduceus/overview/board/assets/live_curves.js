// The curves of runs and variants, which are asked for when they are drawn and go on from where they were.

const MOST_POINTS = 1000; // of a curve that is asked for
const MOST_KEPT = 6; // metrics whose curves are kept
const RUNS_AT_ONCE = 50;
const VARIANTS_AT_ONCE = 25;

const bokehReady = new Promise((resolve) => {
  if (window.Bokeh) resolve();
  else element("bokeh").addEventListener("load", resolve, { once: true });
});

const inParts = (all, size) => Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));

const joined = (one, other) => {
  const both = new one.constructor(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
};

/** Says what a curve was read of: it is read again once this changes. */
const stampOf = ({ state, live }) => `${state} ${live.epoch} ${live.rows} ${live.samples}`;

/** Says whether a run may have rows or samples of the system; how many isn't known of all that have ended. */
const hasBegun = ({ state, live }) => (live.rows !== 0 || live.samples !== 0) && !["to do", "queued"].includes(state);

const errors = new Map(); // the last error of each curve that couldn't be read

/** The curves of single runs of a metric on an axis; each goes on where the last answer ended. */
class RunCurves {
  constructor(metric, axis) {
    Object.assign(this, { metric, axis, curves: new Map(), size: 0 });
  }

  has(place) {
    return hasBegun(board.runs[place]);
  }

  /** Returns the steps and series of the curves of those of the runs that have one. */
  async read(places) {
    const wanted = [...new Set(places)].filter((place) => !data.gone.has(place) && this.has(place));
    const changed = wanted.filter((place) => this.curves.get(place)?.stamp !== stampOf(board.runs[place]));
    await Promise.all(inParts(changed, RUNS_AT_ONCE).map((part) => this.fetch(part)));
    return new Map(wanted.filter((place) => this.curves.get(place)?.steps.length).map((place) => [place, this.curves.get(place)]));
  }

  async fetch(places) {
    const stamps = new Map(places.map((place) => [board.runs[place].run, [place, stampOf(board.runs[place])]]));
    const runs = places.map((place) => {
      const { run } = board.runs[place];
      const known = this.curves.get(place);
      return known && !known.isLong ? { run, epoch: known.epoch, from: known.to } : { run };
    });
    const { metric, axis } = this;
    for (const found of (await askFor("/api/curves", { metric, axis, points: MOST_POINTS, runs })).curves) {
      const [place, stamp] = stamps.get(found.run) ?? [];
      if (place !== undefined) this.store(place, stamp, found);
    }
  }

  store(place, stamp, found) {
    errors[found.error ? "set" : "delete"](found.run, found.error);
    if (found.error) return;
    const known = this.curves.get(place);
    // Two questions may have asked for the same rows; the second answer adds nothing.
    if (!found.is_whole && known?.to !== found.from) return;
    let [steps, values] = [numbers(found.x, Float64Array), numbers(found.y, Float32Array)];
    if (!found.is_whole) [steps, values] = [joined(known.steps, steps), joined(known.series[0], values)];
    this.curves.set(place, {
      stamp,
      steps,
      series: [values],
      epoch: found.epoch,
      to: found.to,
      segments: found.segments ?? [],
      isLong: steps.length > 2 * MOST_POINTS, // is asked for as a whole next time
      isThinned: found.is_thinned,
      notFinite: found.not_finite,
    });
  }
}

/** The average curves of variants of a metric on an axis. */
class AverageCurves {
  constructor(metric, axis) {
    Object.assign(this, { metric, axis, averages: new Map(), ticks: [], turn: 0 });
  }

  stamp(place) {
    const { name, runs } = variants[place];
    return [name, ...runs.filter((run) => !data.gone.has(run)).map((run) => stampOf(board.runs[run]))].join();
  }

  has(place) {
    const isKnown = this.averages.get(place);
    if (isKnown && isKnown.stamp === this.stamp(place)) return isKnown.steps.length > 0;
    const { runs } = variants[place];
    return runs.some((run) => !data.gone.has(run) && ["finished", "running"].includes(board.runs[run].state) && hasBegun(board.runs[run]));
  }

  get size() {
    return variants.filter((_, place) => this.has(place)).length;
  }

  async read(places) {
    const wanted = [...new Set(places)].filter((place) => this.has(place));
    const changed = wanted.filter((place) => this.averages.get(place)?.stamp !== this.stamp(place));
    await Promise.all(inParts(changed, VARIANTS_AT_ONCE).map((part) => this.fetch(part)));
    return new Map(wanted.filter((place) => this.averages.get(place)?.steps.length).map((place) => [place, this.averages.get(place)]));
  }

  async fetch(places) {
    const { metric, axis } = this;
    const turn = ++this.turn;
    const stamps = places.map((place) => this.stamp(place));
    const asked = places.map((place) => ({ experiment: variants[place].experiment, variant: variants[place].name }));
    const answer = await askFor("/api/averages", { metric, axis, points: MOST_POINTS / 2, variants: asked });
    answer.averages.forEach((found) => {
      const at = asked.findIndex(({ experiment, variant }) => experiment === found.experiment && variant === found.variant);
      if (at < 0 || this.averages.get(places[at])?.turn > turn) return; // a later answer was faster
      errors[found.error ? "set" : "delete"](`${found.experiment} ${found.variant}`, found.error);
      const read = (name) => numbers(found[name] ?? "", Float32Array);
      const series = found.count ? ["mean", "low", "high", "n"].map(read) : [];
      const steps = numbers(found.count ? found.x : "", Float64Array);
      this.averages.set(places[at], { turn, stamp: stamps[at], steps, series, repeated: (found.repeated ?? []).length });
    });
    const repeated = [...this.averages.values()].reduce((sum, each) => sum + each.repeated, 0);
    const note = repeated ? `; ${counted(repeated)} ${repeated === 1 ? "run has" : "runs have"} the rows of another seed, which count once` : "";
    setText(element("curve-method"), answer.method + note);
  }

  /** Finds the places of the slider: the steps of the curves that are drawn. */
  async findTicks() {
    const drawn = [...(await this.read([...curves.visible])).values()];
    const all = [...new Set(drawn.flatMap(({ steps }) => [...steps]))].sort((one, other) => one - other);
    const stride = Math.max(1, Math.ceil(all.length / MOST_POINTS));
    this.ticks = all.filter((_, at) => at % stride === 0 || at === all.length - 1);
  }
}

const kept = new Map(); // curves by kind, metric and axis, the last used last

/** Returns the curves of a metric; kind is "averages" or "singles". */
const readCurves = async (kind, metric, axis) => {
  const key = JSON.stringify([kind, metric, axis]);
  const found = kept.get(key) ?? (kind === "averages" ? new AverageCurves(metric, axis) : new RunCurves(metric, axis));
  kept.delete(key);
  kept.set(key, found);
  if (kept.size > 2 * MOST_KEPT) kept.delete(kept.keys().next().value);
  if (kind === "averages") await found.findTicks();
  return found;
};

/** Draws what has come since, in the chart that is there. */
const refreshCurves = async () => {
  if (!curves.chart) return;
  const { metric } = curves;
  const averages = await readCurves("averages", metric, axisOf(metric));
  if (metric !== curves.metric) return;
  const isLast = curves.step >= curves.steps.length - 1;
  const at = curves.steps[curves.step];
  curves.averages = averages;
  curves.steps = averages.ticks;
  element("step").max = Math.max(curves.steps.length - 1, 0);
  selectStep(isLast ? curves.steps.length - 1 : nearestStep(at), !isLast);
  await updateCurves();
  showCurveErrors();
};

const showCurveErrors = () => {
  const lines = [...errors].slice(0, 3).map(([name, error]) => `${name}: ${error}`);
  const more = errors.size > 3 ? ` and ${errors.size - 3} more` : "";
  setText(element("curve-errors"), errors.size ? `Not read: ${lines.join("; ")}${more}.` : "");
};

/** Says how late a metric is shown at first: after an experiment's own come those of a test, others, and the system's. */
const metricRank = ({ name, is_system: isSystem }) => {
  if (isSystem) return 3;
  if (board.mains.includes(name)) return 0;
  return /^(val|eval|test)/.test(name) ? 1 : 2;
};

let isMetricChosen = false; // by the user

/** Learns which metrics there are, and offers new ones. */
const refreshMetrics = async () => {
  const { metrics } = await ask("/api/metrics");
  const before = JSON.stringify(data.axes);
  data.metrics = metrics.map(({ name }) => name);
  data.axes = Object.fromEntries(metrics.map(({ name, axes }) => [name, axes]));
  setText(element("no-curves"), board.isReading ? "Reading the runs: their curves come." : "No run has logged numbers yet.");
  // Rows of the system may come first: what is shown gives way to what would have been shown at first.
  const shown = metrics.find(({ name }) => name === curves.metric);
  const [first] = [...metrics].sort((one, other) => metricRank(one) - metricRank(other));
  const isOther = !shown || (!isMetricChosen && metricRank(first) < metricRank(shown));
  if (JSON.stringify(data.axes) === before && !isOther) return;
  const menu = element("metric");
  const option = ({ name }) => make("option", { value: name }, name);
  const group = (label, found) => (found.length ? [make("optgroup", { label }, ...found.map(option))] : []);
  menu.replaceChildren(...group("metrics", metrics.filter((each) => !each.is_system)), ...group("system", metrics.filter((each) => each.is_system)));
  const isStart = curves.metric === null;
  if (isOther) curves.metric = first?.name ?? null;
  menu.value = curves.metric;
  element("no-curves").hidden = metrics.length > 0;
  element("curve-part").hidden = !metrics.length;
  if (!metrics.length) return;
  await bokehReady;
  for (const place of table.rows.keys()) fillRow(place); // their curves can be chosen now
  if (isStart) {
    await startCurves();
    menu.addEventListener("change", () => { isMetricChosen = true; });
    refreshCurvesSoon(); // rows may have come while the chart was made
  } else {
    offerAxes();
    if (isOther) await drawCurves();
  }
};
