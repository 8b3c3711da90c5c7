// The paper's claims, tables and figures as they stand.

const VERDICTS = { supported: "✓", refuted: "✕", "within noise": "≈", undecided: "≈", "not enough runs": "…", "not enough items": "…", "no verdict": "–", failed: "!" };

let paperKey = null;

const openPaper = async () => {
  const found = await ask("/api/paper");
  const key = JSON.stringify(found);
  if (key === paperKey) return;
  paperKey = key;
  const made = found.made_at ? `Made ${timeText(found.made_at)}.` : "";
  const nothing = found.tables.length + found.claims.length + found.figures.length ? "" : "Nothing is made yet: `caduceus build` makes what config.yaml lists under paper.";
  setText(element("paper-note"), [made, nothing].filter(Boolean).join(" "));
  const titled = (title, parts) => (parts.length ? [make("h3", { className: "part" }, title), ...parts] : []);
  element("paper-parts").replaceChildren(
    ...titled("Claims", found.claims.map(claimPart)),
    ...titled("Tables", found.tables.map(tablePart)),
    ...titled("Figures", found.figures.map(figurePart)),
  );
};

const seedsText = ({ planned, there }) => `${counted(there)} of ${counted(planned)} planned seeds are there`;

const claimPart = (claim) => {
  const { verdict, waits } = claim;
  const mark = make("span", {}, waits ? "…" : VERDICTS[verdict] ?? "–");
  mark.setAttribute("aria-hidden", "true");
  const head = make("p", { className: "verdict" }, mark, ` ${waits ? "waits" : verdict ?? "no verdict"}${claim.scale === "toy" ? " (toy)" : ""}`);
  head.dataset.verdict = waits ? "undecided" : verdict ?? "";
  const body = make("div", {}, make("h4", {}, claim.statement), make("p", {}, waits ?? claim.reason ?? ""));
  if (!waits && verdict !== "failed") {
    const interval = claim.low !== null && claim.high !== null ? ` [${short(claim.low)}, ${short(claim.high)}]` : "";
    const facts = make("dl", { className: "facts small" });
    showFacts(facts, {
      effect: claim.effect === null ? null : `${short(claim.effect)}${interval}`,
      p: claim.p === null ? null : claim.p_text,
      n: claim.n === null ? null : String(claim.n),
      seeds: claim.seeds ? `${counted(claim.seeds.there)} of ${counted(claim.seeds.planned)}` : null,
    });
    body.append(facts);
  }
  return make("article", { className: "claim" }, head, body);
};

const failedPart = (what, error) => make("p", { className: "failed" }, make("b", {}, `This ${what} failed.`), ` ${error}`);

const tablePart = (made) => {
  const part = make("figure", {}, make("figcaption", {}, make("h4", {}, made.title ?? made.name)));
  if (made.error) {
    part.append(failedPart("table", made.error));
    return part;
  }
  if (!made.is_final) {
    const seeds = made.seeds ? `: ${seedsText(made.seeds)}` : "";
    part.append(make("p", { className: "waits" }, `Not final${seeds}. Nothing is marked as best before.`));
  }
  const number = { className: "number" };
  const cell = (found) => {
    if (!found) return make("td", number, "–");
    const text = found.is_best ? make("strong", {}, found.text) : found.is_second ? make("ins", {}, found.text) : found.text;
    return make("td", { ...number, title: `n = ${found.n}` }, text, make("span", { className: "mark" }, found.is_tied ? "†" : ""));
  };
  const head = [...made.label_names.map((name) => make("th", { scope: "col" }, name)), ...[...made.headings.map((name) => own(made.titles, name)), "n"].map((name) => make("th", { ...number, scope: "col" }, name))];
  const row = ({ labels: names, cells, n }) => make("tr", {}, ...names.map((name) => make("td", {}, name === null ? "" : exact(name))), ...made.headings.map((heading) => cell(own(cells, heading))), make("td", number, n ? counted(n) : "–"));
  const filled = make("table", { className: "paper" }, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...made.rows.map(row)));
  part.append(make("div", { className: "wide" }, filled), ...(made.notes ?? []).map((note) => make("p", { className: "note" }, note)));
  return part;
};

const figurePart = (made) => {
  const title = made.title ?? made.name;
  if (made.error) return make("figure", {}, make("figcaption", {}, make("h4", {}, title)), failedPart("figure", made.error));
  const image = make("img", { src: made.url, alt: title, decoding: "async" });
  return make("figure", {}, make("div", { className: "paper-sheet" }, image), make("figcaption", {}, title));
};
