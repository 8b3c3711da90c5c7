// The views, one of which is shown: the address names it after #, so that links and the browser's buttons work.

const view = { name: null, isBehind: false };
const VIEWS = {
  runs: () => {
    if (table.isBehind) {
      table.isBehind = false;
      showTouched([], true);
    }
    offerComparison();
    if (view.isBehind) refreshCurvesSoon();
    view.isBehind = false;
  },
  run: openRun,
  compare: openCompare,
  sweeps: openSweeps,
  tries: openTries,
  paper: openPaper,
};

const decoded = (part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // not an address that the board made
  }
};

const showView = async () => {
  const [name, ...parts] = location.hash.slice(1).split("/").map(decoded);
  if (name === "main") return; // the link that skips the navigation
  const chosen = Object.hasOwn(VIEWS, name) ? name : "runs";
  const isAnother = view.name !== null;
  const left = view.name === "run" ? board.places.get(shown.id) : undefined;
  if (view.name === "run" && (chosen !== "run" || parts[0] !== shown.id)) closeRun();
  view.name = chosen;
  for (const part of document.querySelectorAll("main > [data-view]")) part.hidden = part.dataset.view !== chosen;
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === (chosen === "run" ? "runs" : chosen)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (isAnother) {
    scrollTo(0, 0);
    // Who comes back from a run goes on at its row.
    const row = chosen === "runs" ? table.rows.get(left)?.row.querySelector("a") : null;
    (row ?? document.querySelector(`main > [data-view="${chosen}"] h2`)).focus();
  }
  element("failure").hidden = true;
  const done = asking(() => VIEWS[chosen](...parts.map((part) => part || undefined)));
  showTitle(); // the heading is there at once
  await done;
};
