// Pictures and other media of a run by step, and its logged tables.

const MOST_ITEMS = 200; // of an answer
const shownMedia = { run: null, metric: null, items: [], steps: [], step: null, total: 0 };

const offerMedia = async (run, media) => {
  const shown = media.filter(({ kind }) => kind !== "table");
  element("run-media").hidden = !shown.length;
  if (!shown.length) return;
  const menu = element("media-metric");
  const names = shown.map(({ metric }) => metric);
  if (shownMedia.run !== run || JSON.stringify(names) !== JSON.stringify([...menu.options].map(({ value }) => value))) {
    menu.replaceChildren(...names.map((name) => make("option", { value: name }, name)));
    const kept = shownMedia.run === run && names.includes(shownMedia.metric) ? shownMedia.metric : names[0];
    menu.value = kept;
    if (shownMedia.run !== run || kept !== shownMedia.metric) Object.assign(shownMedia, { run, metric: kept, items: [], steps: [], step: null });
  }
  await readMedia();
};

/** Reads the items that were logged since; the slider follows them if it is at its end. */
const readMedia = async () => {
  const { run, metric, items } = shownMedia;
  let found;
  do {
    found = await ask("/api/media", { run, metric, from: items.length, limit: MOST_ITEMS });
    if (run !== shownMedia.run || metric !== shownMedia.metric) return; // superseded
    items.push(...found.items);
  } while (found.items.length && items.length < found.total);
  const isLast = shownMedia.step === null || shownMedia.step === shownMedia.steps.at(-1);
  shownMedia.steps = [...new Set(items.map(({ step }) => step))];
  if (isLast) shownMedia.step = shownMedia.steps.at(-1) ?? null;
  const slider = element("media-step");
  slider.max = Math.max(0, shownMedia.steps.length - 1);
  slider.value = shownMedia.steps.indexOf(shownMedia.step);
  showMedia();
};

const showMedia = () => {
  const { items, step, metric } = shownMedia;
  setText(element("media-step-value"), step === null ? "–" : counted(step));
  element("media-step").setAttribute("aria-valuetext", `step ${step}`);
  const shown = items.filter((item) => item.step === step);
  const key = JSON.stringify(shown);
  const container = element("media-items");
  if (container.dataset.key === key) return;
  container.dataset.key = key;
  container.replaceChildren(...shown.map((item) => make("figure", {}, mediaOf(item, metric), make("figcaption", { className: "note" }, item.caption ?? ""))));
};

/** Returns the element that shows a file; one that isn't there is said. */
const mediaOf = ({ url, kind, caption, is_there: isThere, width }, name) => {
  if (!url) return make("p", { className: "failed" }, isThere ? "Files of this type aren't shown." : "The file isn't there.");
  if (kind === "image") return make("img", { src: url, alt: caption || name, className: width && width < 128 ? "tiny" : "", decoding: "async" });
  if (kind === "video") return make("video", { src: url, controls: true, preload: "metadata" });
  if (kind === "audio") return make("audio", { src: url, controls: true, preload: "none" });
  return make("a", { href: url, download: "" }, caption || url.split("/").at(-1));
};

const KINDS = { image: /\.(png|jpe?g|gif|webp|svg)$/i, video: /\.(mp4|webm|ogv)$/i, audio: /\.(wav|mp3|ogg|flac)$/i };
const kindOf = (url) => Object.keys(KINDS).find((kind) => KINDS[kind].test(url)) ?? "other";

const logged = { run: null, path: null, tables: [], rows: [] };
let loggedPager = null;

const offerTables = async (run, tables) => {
  element("run-tables").hidden = !tables.length;
  const isSame = logged.run === run && JSON.stringify(logged.tables) === JSON.stringify(tables);
  if (isSame || !tables.length) return;
  const menu = element("logged-name");
  menu.replaceChildren(...tables.map(({ name, path, rows }) => make("option", { value: path }, Number.isInteger(rows) ? `${name} (${counted(rows)} rows)` : name)));
  const isThere = logged.run === run && tables.some(({ path }) => path === logged.path);
  Object.assign(logged, { run, tables, path: isThere ? logged.path : tables[0].path });
  menu.value = logged.path;
  await showTable();
};

const showTable = async () => {
  const { run, path } = logged;
  const { start, size } = loggedPager;
  const found = await ask("/api/table", { run, path, from: start, limit: size });
  if (run !== logged.run || path !== logged.path) return; // superseded
  loggedPager.part({ length: found.total, slice: () => [] });
  const cell = ({ text, url }) => (url ? mediaOf({ url, caption: text, kind: kindOf(url) }, text) : text);
  fillTable(element("logged-table"), found.columns, found.rows.map((row) => row.map(cell)));
};

const startMedia = () => {
  loggedPager = newPager(element("logged-pages"), [20, 50], () => showTable());
  element("media-metric").addEventListener("change", ({ target }) => {
    Object.assign(shownMedia, { metric: target.value, items: [], steps: [], step: null });
    readMedia();
  });
  element("media-step").addEventListener("input", ({ target }) => {
    shownMedia.step = shownMedia.steps[Number(target.value)];
    showMedia();
  });
  element("logged-name").addEventListener("change", ({ target }) => {
    logged.path = target.value;
    loggedPager.start = 0;
    showTable();
  });
};
