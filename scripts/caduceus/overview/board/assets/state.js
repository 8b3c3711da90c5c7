// The runs of the project, as the table, the filter and the curves read them: columns of values by index of the run.

const data = {
  runs: 0, // those that went away too
  gone: new Set(), // indices of runs that went away
  columns: [],
  metrics: [],
  metric: null,
  axes: {},
  legendSizes: [20, 100],
};
const columns = new Map(); // values of the runs by column
const columnOf = new Map();
const readColumns = async () => {}; // all are there

const board = {
  runs: [], // by index, as the server describes them
  places: new Map(), // the index of each run by its id
  experiments: [],
  slurm: null,
  behind_s: 0, // what the server's clock is ahead of this one
  mains: [], // metrics of the experiments
};
const runOfId = (id) => board.runs[board.places.get(id)];
const serverNow = () => Date.now() / 1000 + board.behind_s;

/** The columns that every run has, in the order of the table, and whether the table shows them at first. */
const FIXED = [
  ["state", (run) => run.state, true],
  ["name", (run) => run.name ?? run.run, true],
  ["progress", ({ state, live }) => (live.steps && live.step !== null ? Math.min((live.step + 1) / live.steps, 1) : state === "finished" ? 1 : null), true],
  ["left_s", (run) => (run.state === "running" ? run.live.left_s : null), true],
  ["about", (run) => [run.about, ...(run.notes ?? [])].filter(Boolean).join("; ") || null, true],
];
const LAST = [
  ["attempts", (run) => run.attempts, true],
  ["host", (run) => run.host, true],
  ["runtime_s", (run) => run.runtime_s ?? (run.state === "running" && run.started_at ? serverNow() - run.started_at : null), true],
  ["updated_at", (run) => run.live.updated_at, false],
  ["started_at", (run) => run.started_at, false],
  ["rows", (run) => run.live.rows, false],
  ["step", (run) => run.live.step, false],
  ["slurm", (run) => (run.slurm ? [run.slurm.job, run.slurm.state, run.slurm.reason].filter(Boolean).join(" ") : null), false],
  ["experiment", (run) => run.experiment, false],
  ["variant", (run) => run.variant, false],
  ["seed", (run) => run.seed, false],
  ["group", (run) => run.group, false],
  ["kind", (run) => run.kind, false],
  ["run", (run) => run.run, false],
];
const WORDS = new Map([["NaN", NaN], ["Infinity", Infinity], ["-Infinity", -Infinity]]);
const numberOf = (value) => WORDS.get(value) ?? value;

const own = (object, name) => (object && Object.hasOwn(object, name) ? object[name] : null);
const lastOf = (metric) => [`summary.${metric}`, (run) => own(run.live.last, metric)];
const parameterOf = (name) => [`config.${name}`, (run) => own(run.parameters, name)];

const metricNames = new Set();
const parameterNames = new Set();
let readers = new Map(); // a function that reads each column from a run

/** Reads all columns anew, after runs came that have other columns. */
const makeColumns = () => {
  const metrics = [...metricNames].sort((one, other) => board.mains.includes(other) - board.mains.includes(one));
  readers = new Map([...FIXED, ...metrics.map(lastOf), ...[...parameterNames].map(parameterOf), ...LAST]);
  columns.clear();
  for (const [name, read] of readers) columns.set(name, board.runs.map((run) => read(run) ?? null));
  describeColumns();
};

/** Describes the columns for the table. */
const describeColumns = () => {
  data.columns = [...columns].map(([name, values]) => ({
    name,
    isNumber: values.some((value) => typeof value === "number") && !["updated_at", "started_at"].includes(name),
    isEmpty: values.every((value) => value === null || value === ""),
    varies: values.some((value) => value !== values[0]),
  }));
  columnOf.clear();
  for (const column of data.columns) columnOf.set(column.name, column);
};

/** Returns the columns that the table shows at first. */
const firstColumns = () => {
  const mains = board.mains.map((name) => `summary.${name}`);
  const results = (mains.length ? mains : [...metricNames].map((name) => `summary.${name}`)).slice(0, 3);
  const shown = [...FIXED, ...LAST].filter(([, , isShown]) => isShown).map(([name]) => name);
  return new Set([...shown, ...results]); // names of runs have their parameters
};

/** Learns the names of metrics and parameters of a run; returns whether there are new ones. */
const learnNames = (run) => {
  const before = metricNames.size + parameterNames.size;
  for (const name of Object.keys(run.live.last ?? {})) metricNames.add(name);
  for (const name of Object.keys(run.parameters ?? {})) parameterNames.add(name);
  return metricNames.size + parameterNames.size > before;
};

/** Stores a run that came or changed; its columns are read by `readRun`. */
const storeRun = (run) => {
  let place = board.places.get(run.run);
  if (place === undefined) {
    place = board.runs.length;
    board.places.set(run.run, place);
    data.runs = place + 1;
  }
  data.gone.delete(place);
  board.runs[place] = run;
  storeVariant(place, run);
  return place;
};

const variantPlaces = new Map(); // the index of each variant by its experiment and name

/** Stores a run in its variant; it may have come before the plan that says which one it is. */
const storeVariant = (place, { experiment, variant, run }) => {
  const key = JSON.stringify([experiment, variant ?? run]);
  const about = { group: "", experiment: experiment ?? "", name: variant ?? run };
  const before = variantOf.get(place);
  if (before !== undefined && variantPlaces.get(key) !== before) {
    const { runs } = variants[before];
    if (runs.length === 1 && !variantPlaces.has(key)) {
      variantPlaces.set(key, before);
      Object.assign(variants[before], about);
    } else runs.splice(runs.indexOf(place), 1);
  }
  if (!variantPlaces.has(key)) {
    variantPlaces.set(key, variants.length);
    addVariant({ ...about, runs: [] });
  }
  const at = variantPlaces.get(key);
  if (!variants[at].runs.includes(place)) variants[at].runs.push(place);
  variantOf.set(place, at);
};

const readRun = (place) => {
  for (const [name, read] of readers) columns.get(name)[place] = read(board.runs[place]) ?? null;
};
