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
