// The data of the page: its JSON, and curves that are unpacked when they are first needed.

const data = JSON.parse(document.getElementById("data").textContent);
const columns = new Map(data.runs.map(({ name, values }) => [name, values]));
const runIds = columns.get("run");

const element = (id) => document.getElementById(id);

/** Creates an element with properties and children; strings become text, never HTML. */
const make = (tag, properties = {}, ...children) => {
  const created = Object.assign(document.createElement(tag), properties);
  created.append(...children);
  return created;
};

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
  const [least, greatest] = [Math.min(...sizes), Math.max(...sizes)];
  const decimals = Math.max(0, 3 - Math.floor(Math.log10(greatest)));
  if (sizes.every(Number.isInteger) || least < 10 ** -decimals || greatest >= 1e6) return short;
  return (value) => (typeof value === "number" ? exact(value.toFixed(decimals)) : exact(value));
};

/** Unpacks numbers that packing.py packed: its bytes are transposed and compressed. */
const unpack = async (packed, Kind) => {
  const compressed = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = Kind.BYTES_PER_ELEMENT;
  const count = planes.length / size;
  const bytes = new Uint8Array(planes.length);
  for (let plane = 0; plane < size; plane++) {
    for (let place = 0; place < count; place++) {
      bytes[place * size + plane] = planes[plane * count + place];
    }
  }
  return new Kind(bytes.buffer);
};

const decoded = new Map(); // promises of curves, by the id of their element

/** Returns the steps and series of a metric's curves by owner; kind is "averages" or "singles". */
const readCurves = (kind, metric, axis) => {
  const id = `${kind}-${data.metrics.indexOf(metric)}-${data.axes[metric].indexOf(axis)}`;
  if (!decoded.has(id)) decoded.set(id, decode(id));
  return decoded.get(id);
};

const decode = async (id) => {
  const { owners, lengths, steps, values } = JSON.parse(element(id).textContent);
  const [allSteps, allValues] = [await unpack(steps, Float64Array), await unpack(values, Float32Array)];
  const series = allSteps.length ? allValues.length / allSteps.length : 0;
  const curves = new Map();
  let start = 0;
  owners.forEach((owner, place) => {
    const length = lengths[place];
    const slice = (at) => allValues.subarray(series * start + at * length, series * start + (at + 1) * length);
    const own = Array.from({ length: series }, (_, at) => slice(at));
    curves.set(owner, { steps: allSteps.subarray(start, start + length), series: own });
    start += length;
  });
  return curves;
};
