// Elements of the page, and numbers as text.

const element = (id) => document.getElementById(id);

/** Creates an element with properties and children; strings become text, never HTML. */
const make = (tag, properties = {}, ...children) => {
  const created = Object.assign(document.createElement(tag), properties);
  created.append(...children);
  return created;
};

/** Changes the text of an element only if it is another, so that nothing is announced or laid out anew. */
const setText = (changed, text) => {
  if (changed.textContent !== text) changed.textContent = text;
};

/** Formats a count of things. */
const counted = (count) => count.toLocaleString("en");

/** Formats a value with all digits; a dash for none. */
const exact = (value) => {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value).replace(/^-/, "−");
};

/** Formats a value with at most six significant digits. */
const short = (value) => exact(typeof value === "number" ? Number(value.toPrecision(6)) : value);

/** Returns a function that formats the numbers of a column with the same number of decimals. */
const columnFormat = (values) => {
  const sizes = values.filter((value) => typeof value === "number" && value).map(Math.abs);
  const [least, greatest] = [sizes.reduce((a, b) => Math.min(a, b), Infinity), sizes.reduce((a, b) => Math.max(a, b), 0)];
  const decimals = Math.max(0, 3 - Math.floor(Math.log10(greatest)));
  if (sizes.every(Number.isInteger) || least < 10 ** -decimals || greatest >= 1e6) return short;
  return (value) => (typeof value === "number" ? exact(value.toFixed(decimals)) : exact(value));
};

/** Formats seconds. */
const duration = (seconds) => {
  if (seconds === null || seconds === undefined) return "–";
  const size = Math.abs(seconds);
  if (size < 60) return `${Math.round(seconds)} s`;
  if (size < 3600) return `${Math.round(seconds / 60)} min`;
  return size < 48 * 3600 ? `${(seconds / 3600).toPrecision(3)} h` : `${(seconds / 86400).toPrecision(3)} d`;
};

/** Formats a time, given in seconds since 1970. */
const timeText = (seconds) => (seconds ? new Date(seconds * 1000).toLocaleString("en-CA", { dateStyle: "short", timeStyle: "medium", hour12: false }) : "–");

/** Shows facts by name; those without a value are left out, and only texts that changed are touched. */
const showFacts = (list, facts) => {
  const found = Object.entries(facts).filter(([, text]) => text);
  const names = JSON.stringify(found.map(([name]) => name));
  if (list.dataset.names !== names) {
    list.dataset.names = names;
    list.replaceChildren(...found.map(([name]) => make("div", {}, make("dt", {}, name), make("dd"))));
  }
  [...list.querySelectorAll("dd")].forEach((cell, at) => setText(cell, found[at][1]));
};
