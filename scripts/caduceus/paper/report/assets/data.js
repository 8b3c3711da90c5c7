// What the page holds: its JSON, and curves that are unpacked when they are first needed.

const data = JSON.parse(document.getElementById("data").textContent);
const columns = new Map(data.runs.map(({ name, values }) => [name, values]));
const runIds = columns.get("run");

const element = (id) => document.getElementById(id);

/** A new element with properties and children; text is never taken for HTML. */
const make = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

/** A value as text, all its digits; a dash for none. */
const exact = (value) => {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value).replace(/^-/, "−");
};

/** A value with six digits at most. */
const shown = (value) => exact(typeof value === "number" ? Number(value.toPrecision(6)) : value);

/** How to show the numbers of a column, so that their points stand below each other. */
const alike = (values) => {
  const sizes = values.filter((value) => typeof value === "number" && value).map(Math.abs);
  const [least, greatest] = [Math.min(...sizes), Math.max(...sizes)];
  const decimals = Math.max(0, 3 - Math.floor(Math.log10(greatest)));
  if (sizes.every(Number.isInteger) || least < 10 ** -decimals || greatest >= 1e6) return shown;
  return (value) => (typeof value === "number" ? exact(value.toFixed(decimals)) : exact(value));
};

/** The numbers that packing.py packed. */
const unpack = async (packed, Kind) => {
  const zipped = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("deflate"));
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

const unpacked = new Map();

/** The curves of a metric by owner: steps and series; kind is "averages" or "singles". */
const readCurves = (kind, metric) => {
  const id = `${kind}-${data.metrics.indexOf(metric)}`;
  if (!unpacked.has(id)) unpacked.set(id, decode(id));
  return unpacked.get(id);
};

const decode = async (id) => {
  const { owners, lengths, steps, values } = JSON.parse(element(id).textContent);
  const [allSteps, allValues] = [await unpack(steps, Float64Array), await unpack(values, Float32Array)];
  const series = allSteps.length ? allValues.length / allSteps.length : 0;
  const curves = new Map();
  let start = 0;
  owners.forEach((owner, place) => {
    const length = lengths[place];
    const cut = (at) => allValues.subarray(series * start + at * length, series * start + (at + 1) * length);
    const found = Array.from({ length: series }, (_, at) => cut(at));
    curves.set(owner, { steps: allSteps.subarray(start, start + length), series: found });
    start += length;
  });
  return curves;
};
