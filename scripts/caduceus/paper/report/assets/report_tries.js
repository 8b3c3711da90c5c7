// The ledgers of tries in a report: frozen as they were when it was made.

const ledgers = []; // the parts on the page

/** Returns what makes links and reads details for the ledger at a place. */
const ledgerHost = (place) => ({
  details: (name, number) => readJson(`try-${place}-${number}`),
  run: (run, text) => make("span", {}, `${text} ${run}`),
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
