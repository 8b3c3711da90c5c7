// Ledgers of tries: what was fixed before the first, the incumbents, all tries, and each edit on demand.

const TRY_MARKS = { kept: "✓", discarded: "✕", undecided: "≈", refused: "⊘", failed: "!", running: "▶", interrupted: "‖" };

const tryMark = (state) => {
  const mark = make("span", {}, TRY_MARKS[state] ?? "·");
  mark.setAttribute("aria-hidden", "true");
  const shown = make("span", { className: "try-state" }, mark, ` ${state}`);
  shown.dataset.state = state;
  return shown;
};

const percent = (share) => `${Number((100 * share).toPrecision(3))} %`;
const signed = (text) => (text.startsWith("−") || !/[1-9]/.test(text) ? text : `+${text}`);
/** Formats a difference with its sign and four digits: one try that collapsed takes none from the others. */
const difference = (value) => signed(exact(Number(value.toPrecision(4))));
const plural = (count, noun, others = `${noun}s`) => `${counted(count)} ${count === 1 ? noun : others}`;

/** The columns of the table of tries: heading, whether it has numbers, by what it is sorted, and its name in the filter. */
const TRY_COLUMNS = [
  ["try", true, (row) => row.number, "try"],
  ["reason", false, (row) => row.why, "reason"],
  ["verdict", false, (row) => row.state, "verdict"],
  ["better by", true, (row) => row.effect, "effect"],
  ["95 % interval", true, (row) => row.low, "low"],
  ["pairs", true, (row) => row.pairs, "pairs"],
  ["holdout", true, (row) => row.holdout, "holdout"],
  ["gap", true, (row) => row.gap, "gap"],
  ["run time", true, (row) => row.wall_s, "seconds"],
  ["CPU time", true, (row) => row.cpu_s, "cpu"],
  ["began", true, (row) => row.started_at, "began"],
  ["variant", false, (row) => row.variant, "variant"],
  ["because", false, (row) => row.sentence, "because"],
];

/** A ledger on the page. `host` reads the details of a try, and makes links to runs and variants. */
class LedgerPart {
  constructor(host, title) {
    Object.assign(this, { host, view: null, sortedBy: "try", isDescending: true, rows: new Map(), open: new Map(), layout: "", chartsKey: "" });
    const note = (text) => make("p", { className: "note" }, text);
    const wide = (label) => {
      const holder = make("div", { className: "wide tall", tabIndex: 0 }, make("table", { className: "dense" }));
      holder.setAttribute("role", "group");
      holder.setAttribute("aria-label", label);
      return holder;
    };
    const chart = () => {
      const holder = make("div", { className: "chart try-chart" });
      holder.setAttribute("role", "img");
      return holder;
    };
    this.summary = make("p");
    this.damage = make("div");
    this.now = make("div", { className: "try-now" });
    this.facts = make("dl", { className: "facts small" });
    this.budget = make("p", { className: "try-budget" });
    this.incumbents = wide("Incumbents");
    [this.effects, this.values] = [chart(), chart()];
    this.effectNote = note("");
    this.valueNote = note("");
    this.table = wide("Tries");
    this.table.firstChild.classList.add("try-table");
    this.filter = make("input", { type: "search", placeholder: "words, pairs>5, verdict=kept" });
    this.state = make("select", {}, make("option", { value: "" }, "all"));
    this.count = make("span", { className: "note" });
    this.count.setAttribute("role", "status");
    const pages = make("div", { className: "controls" });
    pages.setAttribute("role", "group");
    pages.setAttribute("aria-label", "Pages of the table of tries");
    this.pager = newPager(pages, [50, 200, 1000], () => this.showTable());
    const showFirst = () => {
      this.pager.start = 0;
      this.showTable();
    };
    this.filter.addEventListener("input", showFirst);
    this.state.addEventListener("change", showFirst);
    const controls = make("div", { className: "controls" }, make("label", {}, "filter ", this.filter), make("label", {}, "verdict ", this.state), this.count);
    this.body = make("div", {},
      this.now, make("h4", {}, "Fixed before the first try"), this.facts,
      make("h4", {}, "Chance of a false keep"), this.budget,
      make("h4", {}, "Tries"), this.effects, this.effectNote, controls, this.table, pages,
      make("h4", {}, "Incumbents"), this.values, this.valueNote, this.incumbents);
    this.element = make("article", { className: "ledger" }, make("h3", {}, title), this.damage, this.summary, this.body);
  }

  /** Shows a ledger; what hasn't changed isn't touched. */
  show(view) {
    this.view = view;
    const damage = JSON.stringify(view.damage);
    if (this.damage.dataset.lines !== damage) {
      this.damage.dataset.lines = damage;
      this.damage.replaceChildren(...view.damage.slice(0, 5).map((line) => make("p", { className: "failed" }, line)),
        ...(view.damage.length > 5 ? [make("p", { className: "note" }, `and ${plural(view.damage.length - 5, "more file")}`)] : []));
    }
    this.body.hidden = this.summary.hidden = !view.tries;
    if (!view.tries) return;
    const counts = Object.keys(TRY_MARKS).map((state) => [state, view.tries.filter((row) => row.state === state).length]).filter(([, count]) => count);
    setText(this.summary, `${view.goal} ${view.metric}: ${[plural(view.tries.length, "try", "tries"), ...counts.map(([state, count]) => `${counted(count)} ${state}`)].join(", ")}.`);
    this.columns = TRY_COLUMNS.filter(([name]) => view.holdout || !["holdout", "gap"].includes(name));
    this.texts = new Map(view.tries.map((row) => [row, this.columns.map(([, , of]) => of(row) ?? "").join(" ").toLowerCase()]));
    offerOptions(this.state, counts.map(([state]) => [state, state]), this.state.value);
    showFacts(this.facts, view.facts);
    this.showBudget();
    this.showNow();
    this.showIncumbents();
    this.showTable();
    this.showCharts();
  }

  showBudget() {
    const { budget, budget_error: error } = this.view;
    if (!budget) return setText(this.budget, error ?? "");
    const { level, spent, at_stake: atStake, left, next } = budget;
    const running = atStake ? ` (${percent(atStake)} of it by a try that is being confirmed: a keep gives it back)` : "";
    if (!this.budget.firstChild?.matches?.("meter")) {
      const bar = make("meter", { min: 0 });
      bar.setAttribute("aria-hidden", "true");
      this.budget.replaceChildren(bar, make("span"));
    }
    Object.assign(this.budget.firstChild, { max: level, value: spent });
    setText(this.budget.lastChild, `Of ${percent(level)} for all tries, ${percent(spent)} are spent${running}; ${percent(left)} are left, of which the next confirmation takes ${percent(next)}.`);
  }

  /** Shows how far the running tries are, without their numbers: those wait for the verdict. */
  showNow() {
    const running = this.view.tries.filter(({ live }) => live);
    const key = JSON.stringify(running);
    if (this.now.dataset.key === key) return;
    this.now.dataset.key = key;
    this.now.replaceChildren(...running.flatMap((row) => this.nowPart(row)));
  }

  nowPart({ number, why, live }) {
    const title = live.is_at_work ? `Now: try ${number}` : `Interrupted: try ${number}`;
    const phase = live.phase === "screening" ? "Screening" : "Confirmation";
    const decided = `${phase}: ${live.there} of ${live.next} pairs are there; it is decided after ${listOr(live.looks)} pairs, by ${live.phase === "screening" ? "whether it is promising at all" : "a sequential test on seeds that neither side has had"}. Its numbers wait for the verdict.`;
    const goesOn = live.is_at_work ? [] : [make("p", { className: "waits" }, "No `caduceus try` is at work: the same command goes on.")];
    const side = ({ run, state }) => make("td", {}, this.host.run(run, this.host.state(state)));
    const table = make("table", { className: "dense" },
      make("thead", {}, make("tr", {}, ...["seed", "this try", "the incumbent"].map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...live.seeds.map(({ seed, own, incumbent }) => make("tr", {}, make("th", { scope: "row" }, String(seed)), side(own), side(incumbent)))));
    return [make("h4", {}, title), make("p", {}, make("b", {}, why)), make("p", {}, decided), ...goesOn, make("div", { className: "wide" }, table)];
  }

  /** Shows the present incumbent and those before it. */
  showIncumbents() {
    const { incumbents, metric, holdout } = this.view;
    const key = JSON.stringify(incumbents);
    if (this.incumbents.dataset.key === key) return;
    this.incumbents.dataset.key = key;
    const [search, held] = ["search", "holdout"].map((name) => columnFormat(incumbents.map((each) => each[name])));
    const head = ["incumbent", "reason", "better by", "95 % interval", metric, ...(holdout ? [holdout, "gap"] : []), "code"];
    const rows = [...incumbents].reverse().map((each, at) => [
      `${each.number ? `try ${each.number}` : "the first"}${at ? "" : ", present"}`,
      each.why === null ? "the code before the first try" : brief(each.why, 120),
      each.effect === null ? "" : difference(each.effect),
      intervalText(each),
      each.search === null ? "–" : search(each.search),
      ...(holdout ? [each.holdout === null ? "–" : held(each.holdout), gapText(each)] : []),
      each.code,
    ]);
    const isNumber = (at) => at > 1 && at < head.length - 1;
    const cells = (row) => row.map((text, at) => make(at ? "td" : "th", at ? { className: isNumber(at) ? "number" : at === 1 ? "try-reason" : "" } : { scope: "row" }, text));
    this.incumbents.firstChild.replaceChildren(
      make("thead", {}, make("tr", {}, ...head.map((name, at) => make("th", { scope: "col", className: isNumber(at) ? "number" : "" }, name)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row)))));
  }

  matching() {
    const query = this.filter.value.trim();
    const of = new Map(this.columns.map(([heading, , read]) => [heading, read]));
    const named = new Map(this.columns.map(([, , read, name]) => [name, read]));
    const matches = query ? filterOf(query, [...named.keys()], (name) => name, (name, row) => named.get(name)(row)) : () => true;
    const found = this.view.tries.filter((row) => (!this.state.value || row.state === this.state.value) && matches(row, this.texts.get(row)));
    const read = of.get(this.sortedBy) ?? of.get("try");
    const sign = this.isDescending ? -1 : 1;
    return found.sort((one, other) => compare(read(one), read(other), sign) || other.number - one.number);
  }

  showTable() {
    const found = this.matching();
    const part = this.pager.part(found);
    this.holdoutFormat = columnFormat(this.view.tries.map(({ holdout }) => holdout));
    const layout = JSON.stringify([part.map(({ number }) => number), this.columns.map(([name]) => name), this.sortedBy, this.isDescending]);
    if (layout !== this.layout) {
      this.layout = layout;
      const focused = document.activeElement;
      const isHead = focused?.closest?.("thead") && this.table.contains(focused) ? focused.dataset.column : null;
      const table = this.table.firstChild;
      const rows = part.flatMap((row) => [this.rowOf(row), ...(this.open.has(row.number) ? [this.open.get(row.number)] : [])]);
      table.ariaRowCount = String(found.length + 1);
      table.replaceChildren(make("thead", {}, make("tr", {}, ...this.columns.map((column) => this.headCell(column)))), make("tbody", {}, ...rows));
      if (isHead) table.querySelector(`thead [data-column="${CSS.escape(isHead)}"]`)?.focus();
      else if (focused?.isConnected && table.contains(focused)) focused.focus();
    }
    for (const row of part) this.fillRow(row);
    setText(this.count, `${counted(found.length)} of ${plural(this.view.tries.length, "try", "tries")}`);
  }

  headCell([name, isNumber]) {
    const isSorted = this.sortedBy === name;
    const sort = make("button", { type: "button", className: "sort" }, `${name}${isSorted ? (this.isDescending ? " ↓" : " ↑") : ""}`);
    sort.dataset.column = name;
    sort.addEventListener("click", () => {
      this.isDescending = isSorted && !this.isDescending;
      this.sortedBy = name;
      this.pager.start = 0;
      this.showTable();
    });
    const cell = make("th", { scope: "col", className: isNumber ? "number" : "" }, sort);
    cell.setAttribute("aria-sort", !isSorted ? "none" : this.isDescending ? "descending" : "ascending");
    return cell;
  }

  rowOf({ number }) {
    if (this.rows.has(number)) return this.rows.get(number);
    const cells = this.columns.map(([name, isNumber]) => (name === "reason" ? make("th", { scope: "row", className: "try-reason" }) : make("td", { className: isNumber ? "number" : name === "because" ? "try-because" : "" })));
    const row = make("tr", {}, ...cells);
    row.dataset.try = number;
    this.rows.set(number, row);
    return row;
  }

  fillRow(row) {
    const shown = this.rows.get(row.number);
    const key = JSON.stringify(row);
    if (shown.dataset.key === key) return;
    shown.dataset.key = key;
    if (this.open.has(row.number)) this.readDetails(row.number);
    const texts = {
      try: String(row.number),
      "better by": row.effect === null ? "" : difference(row.effect),
      "95 % interval": intervalText(row),
      pairs: row.pairs === null ? "" : `${row.pairs} ${row.phase === "confirmation" ? "fresh" : "screened"}`,
      holdout: row.holdout_error ? "no value" : row.holdout === null ? "" : this.holdoutFormat(row.holdout),
      gap: row.gap === null ? "" : difference(row.gap),
      "run time": row.wall_s === null ? "" : duration(row.wall_s),
      "CPU time": row.cpu_s === null ? "" : duration(row.cpu_s),
      began: timeText(row.started_at).slice(0, 17),
      because: row.live ? `${row.live.is_at_work ? "" : "interrupted; "}${row.live.phase}, ${row.live.there} of ${row.live.next} pairs` : [row.sentence, row.holdout_error].filter(Boolean).join("; "),
    };
    this.columns.forEach(([name], at) => {
      const cell = shown.cells[at];
      if (name === "reason") this.fillReason(cell, row);
      else if (name === "verdict") cell.replaceChildren(tryMark(row.state));
      else if (name === "variant") cell.replaceChildren(this.host.variant(this.view.experiment, row.variant));
      else setText(cell, texts[name]);
    });
  }

  /** The reason is the button that shows the edit below its row. */
  fillReason(cell, { number, why }) {
    if (!cell.firstChild) {
      const open = make("button", { type: "button", className: "link" });
      open.setAttribute("aria-expanded", "false");
      open.addEventListener("click", () => this.toggle(number, open));
      cell.append(open);
    }
    setText(cell.firstChild, why || "–");
  }

  async toggle(number, button) {
    const row = this.rows.get(number);
    const isOpen = this.open.has(number);
    button.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) {
      this.open.get(number).remove();
      this.open.delete(number);
      return;
    }
    const cell = make("td", { colSpan: this.columns.length }, make("p", { className: "note" }, "Reading the edit …"));
    const details = make("tr", { className: "details" }, cell);
    this.open.set(number, details);
    row.after(details);
    await this.readDetails(number);
  }

  /** Shows the details of a try below its row, again if they have changed. */
  async readDetails(number) {
    const cell = this.open.get(number).firstChild;
    let parts;
    try {
      const found = await this.host.details(this.view.name, number);
      const key = JSON.stringify(found);
      if (cell.dataset.key === key) return;
      cell.dataset.key = key;
      parts = this.detailParts(found);
    } catch (error) {
      parts = [make("p", { className: "failed" }, `Its details can't be read: ${error.message}`)];
    }
    cell.replaceChildren(...parts);
  }

  detailParts(found) {
    const row = this.view.tries.find(({ number }) => number === found.number);
    const facts = make("dl", { className: "facts small" });
    showFacts(facts, {
      code: found.code,
      against: found.against,
      p: found.p === null ? null : `${found.p_text}, one-sided; kept if at most the part of ${percent(found.level)} that is spent by then`,
      "left out": found.left_out.length ? `${plural(found.left_out.length, "seed")} (${found.left_out.join(", ")}), on which the incumbent failed` : null,
    });
    const parts = [facts];
    if (row && found.why !== row.why) parts.unshift(make("p", { className: "try-why" }, found.why));
    const pairs = found.pairs.map(({ phase, seed, own: run, incumbent }) => make("li", {}, `${phase}, seed ${seed}: `, this.host.run(run, "this try"), ", ", this.host.run(incumbent, "incumbent")));
    const holdout = found.holdout_runs.map((run, at) => make("li", {}, "holdout: ", this.host.run(run, `run ${at + 1}`)));
    if (pairs.length + holdout.length) parts.push(make("details", {}, make("summary", {}, plural(2 * pairs.length + holdout.length, "run")), make("ul", { className: "try-runs" }, ...pairs, ...holdout)));
    parts.push(diffPart(found.diff, `Edit of try ${found.number}`));
    return parts;
  }

  /** Draws the charts if what they show has changed, or anew after a change of colours. */
  async showCharts(isAnew = false) {
    const { tries, incumbents, metric, holdout, min_effect: minEffect, name } = this.view;
    const measured = tries.filter(({ effect }) => typeof effect === "number");
    const valued = incumbents.filter(({ search }) => typeof search === "number");
    this.effects.hidden = this.effectNote.hidden = !measured.length;
    this.values.hidden = this.valueNote.hidden = valued.length < 1 || incumbents.length < 2;
    const key = JSON.stringify([measured.map(({ number, effect, low, high, state }) => [number, effect, low, high, state]), valued, tries.length]);
    if (!isAnew && key === this.chartsKey) return;
    this.chartsKey = key;
    this.effects.setAttribute("aria-label", `By how much each try of ${name} is better than the incumbent of its time; the table below has the numbers`);
    this.values.setAttribute("aria-label", `${metric}${holdout ? ` and ${holdout}` : ""} of each incumbent; the table below has the numbers`);
    const { chart, isClipped } = measured.length ? effectChart(measured, this.view) : {};
    setText(this.effectNote, `Better by, in ${metric}: above 0 is better than the incumbent of its time. ● kept, × discarded, △ undecided; the line through a mark is its 95 % interval, all looks counted.${minEffect ? ` Dashed: ${minEffect}, which has to be exceeded.` : ""}${isClipped ? " ▽ and a line that ends at the edge: beyond the picture." : ""}`);
    setText(this.valueNote, `Solid with ●: ${metric} of the incumbent.${holdout ? ` Dashed with □: ${holdout}; the dotted line between them is the gap.` : ""} Means over the seeds that decided.`);
    if (chart) await showChart(chart, this.effects);
    if (!this.values.hidden) await showChart(valueChart(incumbents, this.view), this.values);
  }
}

const listOr = (items) => (items.length > 1 ? `${items.slice(0, -1).join(", ")} or ${items.at(-1)}` : String(items[0]));
const brief = (text, most) => (text.length > most ? `${text.slice(0, most)} …` : text);
const intervalText = ({ low, high }) => (low === null || high === null ? "" : `${difference(low)} to ${difference(high)}`);
const gapText = ({ search, holdout }) => (search === null || holdout === null ? "–" : difference(holdout - search));

const LINE_KINDS = { "+": ["ins", "added"], "-": ["del", "removed"], "@": ["span", "hunk"], f: ["b", "file"] };

/** Shows an edit: each line with its sign, so that colour alone says nothing. */
const diffPart = ({ file, text, kinds, size, is_cut: isCut, error }, label) => {
  const of = (kind) => [...kinds].filter((each) => each === kind).length;
  const [added, removed] = [of("+"), of("-")];
  const where = isCut ? `; this is its beginning, ${file} has all ${counted(size)} bytes` : `; ${file}`;
  if (error) return make("p", { className: "failed" }, `${error}: ${file}`);
  if (!kinds) return make("p", { className: "note" }, `The edit is empty: ${file}`);
  const lines = text.split("\n").map((line, at) => {
    const [tag, name] = LINE_KINDS[kinds[at]] ?? ["span", ""];
    return make(tag, { className: `line ${name}` }, `${line}\n`);
  });
  const shown = make("pre", { className: "diff", tabIndex: 0 }, ...lines);
  shown.setAttribute("role", "group");
  shown.setAttribute("aria-label", label);
  return make("div", {}, make("p", { className: "note" }, `${plural(added, "line")} added, ${removed} removed${where}`), shown);
};
