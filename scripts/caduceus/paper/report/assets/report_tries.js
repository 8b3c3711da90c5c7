// The ledgers of tries in a report: frozen as they were when it was made.

const ledgers = []; // the parts on the page

/** Returns a link to the row of a run; a text where the table has no such run. */
const linkToRun = (run, text) => {
  const at = columns.get("run").indexOf(run);
  if (at < 0) return make("span", {}, text);
  const link = make("a", { href: "#runs" }, text);
  link.addEventListener("click", () => chooseRuns(String(at)));
  return link;
};

/** Returns what makes links and reads details for the ledger at a place. */
const ledgerHost = (place) => ({
  details: (name, number) => readJson(`try-${place}-${number}`),
  run: (run, text) => linkToRun(run, `${text} ${run}`),
  variant: (experiment, variant) => make("span", {}, variant),
  state: (state) => make("span", {}, state),
});

const startTries = () => Promise.all([...document.querySelectorAll(".ledger-place")].map(async (holder) => {
  const place = holder.dataset.ledger;
  const view = await readJson(`ledger-${place}`);
  const part = new LedgerPart(ledgerHost(place), view.name);
  holder.replaceWith(part.element);
  ledgers.push(part);
  part.show(view);
}));
