// The ledgers of tries as they grow: one is shown, chosen by the address.

const shownLedger = { name: null, part: null, key: "", states: new Map() };

const ledgerHostOfBoard = {
  details: (ledger, number) => ask("/api/try", { ledger, number }),
  run: (run, text) => (board.places.has(run) && !data.gone.has(board.places.get(run)) ? runLink(run, text) : make("span", {}, text)),
  state: stateMark,
  variant: (experiment, variant) => {
    const show = make("button", { type: "button", className: "link" }, variant);
    show.setAttribute("aria-label", `runs of variant ${variant}`);
    show.addEventListener("click", () => showRunsOf(experiment, variant));
    return show;
  },
};

/** Shows the runs of a variant, those of tries too, in the table of runs. */
const showRunsOf = (experiment, variant) => {
  const chosen = board.runs.flatMap((run, place) => (run.experiment === experiment && run.variant === variant ? [place] : []));
  chooseRuns(chosen.join(" "));
  location.hash = "#runs";
};

const openTries = async (wanted) => {
  const { ledgers } = await ask("/api/ledgers");
  const asked = wanted ?? shownLedger.name ?? undefined;
  const name = ledgers.includes(asked) ? asked : ledgers[0];
  offerLedgers(ledgers, name);
  const gone = asked === undefined || asked === name ? "" : `There is no ledger ${asked}. `;
  setText(element("tries-note"), gone + (name === undefined ? "This project has no tries: `caduceus try` makes the first." : ""));
  if (name !== shownLedger.name || !shownLedger.part) {
    if (shownLedger.part) for (const chart of shownLedger.part.element.querySelectorAll(".chart")) removeChart(chart);
    Object.assign(shownLedger, { name, part: name === undefined ? null : new LedgerPart(ledgerHostOfBoard, name), key: "", states: new Map() });
    element("ledger").replaceChildren(...(shownLedger.part ? [shownLedger.part.element] : []));
  }
  if (name === undefined) return;
  const view = await ask("/api/ledger", { ledger: name });
  await bokehReady;
  const key = JSON.stringify(view);
  if (name !== shownLedger.name || key === shownLedger.key) return;
  shownLedger.key = key;
  shownLedger.part.show(view);
  announceTries(view);
};

/** Offers the ledgers, if there are several. */
const offerLedgers = (ledgers, name) => {
  const list = element("ledger-list");
  list.hidden = ledgers.length < 2;
  const key = JSON.stringify([ledgers, name]);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.firstElementChild.replaceChildren(...ledgers.map((each) => {
    const link = make("a", { href: `#tries/${encodeURIComponent(each)}` }, each);
    if (each === name) link.setAttribute("aria-current", "page");
    return make("li", {}, link);
  }));
};

/** Says to those who don't see the table which tries have been decided. */
const announceTries = ({ tries }) => {
  const before = shownLedger.states;
  shownLedger.states = new Map((tries ?? []).map(({ number, state }) => [number, state]));
  const news = (tries ?? []).filter(({ number, state }) => before.size && before.get(number) !== state);
  if (news.length) setText(element("told"), news.map(({ number, state }) => `try ${number}: ${state}`).join("; "));
};
