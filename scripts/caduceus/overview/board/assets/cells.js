// The cells of the table of runs that say more than a value.

const ageText = (seconds) => (seconds ? `${duration(Math.max(0, serverNow() - seconds))} ago` : "–");
const leftText = (seconds) => (seconds === null || seconds === undefined ? "–" : seconds < 0 ? `${duration(-seconds)} over` : duration(seconds));

const MARKS = { finished: "✓", running: "▶", queued: "…", "to do": "○", "to export": "↓", interrupted: "‖", failed: "✕", damaged: "!", skipped: "–" };

/** Returns a state with its mark; colour alone never says it. */
const stateMark = (state) => {
  const mark = make("span", {}, MARKS[state] ?? "·");
  mark.setAttribute("aria-hidden", "true");
  const shown = make("span", { className: "state" }, mark, ` ${state}`);
  shown.dataset.state = state;
  return shown;
};

const progressText = ({ state, live: { step, steps } }) => {
  if (step === null || step === undefined) return "–";
  const all = steps ?? (state === "finished" ? step + 1 : null);
  return all ? `${counted(step + 1)} of ${counted(all)}` : `step ${counted(step)}`;
};

const drawState = (cell, place) => {
  const { state } = board.runs[place];
  if (cell.firstChild?.dataset.state !== state) cell.replaceChildren(stateMark(state));
};

const drawName = (cell, place) => {
  const { run } = board.runs[place];
  if (!cell.firstChild) cell.append(make("a", { href: `#run/${encodeURIComponent(run)}` }));
  setText(cell.firstChild, nameOf(place));
};

const drawProgress = (cell, place) => {
  const run = board.runs[place];
  const { state, live } = run;
  if (!cell.firstChild) {
    const bar = make("meter", { max: 1 });
    bar.setAttribute("aria-hidden", "true");
    cell.append(bar, make("span", { className: "progress-text" }));
  }
  const [bar, text] = cell.children;
  bar.hidden = state !== "running" || !live.steps || live.step === null;
  bar.value = columns.get("progress")[place] ?? 0;
  setText(text, progressText(run));
};

const drawAbout = (cell, place) => {
  if (!cell.firstChild) cell.append(make("span", { className: "about" }));
  const text = columns.get("about")[place] ?? "";
  cell.firstChild.title = text;
  setText(cell.firstChild, text);
};

/** Returns a function that draws a column as text. */
const textCell = (column, format) => (cell, place) => setText(cell, format(columns.get(column)[place]));

Object.assign(labels, { left_s: "time left", about: "note", runtime_s: "time", updated_at: "last row", slurm: "SLURM" });
Object.assign(drawnCells, {
  state: drawState,
  name: drawName,
  progress: drawProgress,
  about: drawAbout,
  left_s: textCell("left_s", leftText),
  runtime_s: textCell("runtime_s", duration),
  updated_at: textCell("updated_at", ageText),
  started_at: textCell("started_at", timeText),
});
