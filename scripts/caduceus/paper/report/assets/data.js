// The data of the page: an index, and blocks that are decoded when they are first needed.

const data = JSON.parse(element("data").textContent);
data.gone = new Set(); // indices of runs that went away, which only those of a board do
const early = new Set([...document.querySelectorAll(".block")].map(({ id }) => id));
// The browser is still reading the blocks that follow this script.
const loaded = new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));

const readText = async (id) => {
  if (!early.has(id)) await loaded;
  return element(id).textContent;
};
const readJson = async (id) => JSON.parse(await readText(id));

const columns = new Map(); // values of the runs by column, of those that have been read
const columnOf = new Map(data.columns.map((column, place) => [column.name, { ...column, place }]));

/** Reads columns of the table of runs. */
const readColumns = (names) => Promise.all(names.filter((name) => !columns.has(name)).map(async (name) => {
  const { values, distinct, codes } = await readJson(`column-${columnOf.get(name).place}`);
  columns.set(name, values ?? codes.map((code) => distinct[code]));
}));

/** Unpacks numbers that packing.py packed: its bytes are transposed and compressed. */
const unpack = async (packed, Kind) => {
  const compressed = Uint8Array.fromBase64?.(packed) ?? Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
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

const MOST_CHUNKS = 64; // that are kept decoded, about 1 MB each
const chunks = new Map(); // promises of decoded chunks by the id of their block, the last used last

const readChunk = (id, stepBytes) => {
  const found = chunks.get(id) ?? decodeChunk(id, stepBytes);
  chunks.delete(id);
  chunks.set(id, found);
  if (chunks.size > MOST_CHUNKS) chunks.delete(chunks.keys().next().value);
  return found;
};

const decodeChunk = async (id, stepBytes) => {
  const [steps, values] = (await readText(id)).trim().split(" ");
  return Promise.all([unpack(steps, stepBytes === 4 ? Float32Array : Float64Array), unpack(values, Float32Array)]);
};

/** The curves of a metric on an axis by owner, a variant or a run; their points are decoded when they are read. */
class Curves {
  constructor(id, { owners, lengths, curves: counts, steps, series, ticks }) {
    Object.assign(this, { id, stepBytes: steps, series, ticks, places: new Map() });
    let curve = 0;
    counts.forEach((count, chunk) => {
      for (let start = 0, end = curve + count; curve < end; start += lengths[curve++]) {
        this.places.set(owners[curve], [chunk, start, lengths[curve]]);
      }
    });
  }

  get size() {
    return this.places.size;
  }

  has(owner) {
    return this.places.has(owner);
  }

  /** Returns the steps and series of the curves of those of the owners that have one. */
  async read(owners) {
    const found = [...new Set(owners)].filter((owner) => this.has(owner));
    const needed = [...new Set(found.map((owner) => this.places.get(owner)[0]))];
    const decoded = new Map(await Promise.all(needed.map(async (chunk) =>
      [chunk, await readChunk(`${this.id}-${chunk}`, this.stepBytes[chunk])])));
    return new Map(found.map((owner) => {
      const [chunk, start, length] = this.places.get(owner);
      const [steps, values] = decoded.get(chunk);
      const slice = (at) => values.subarray(this.series * start + at * length, this.series * start + (at + 1) * length);
      return [owner, { steps: steps.subarray(start, start + length), series: Array.from({ length: this.series }, (_, at) => slice(at)) }];
    }));
  }
}

/** Returns the curves of a metric; kind is "averages" or "singles". */
const readCurves = async (kind, metric, axis) => {
  const id = `${kind}-${data.metrics.indexOf(metric)}-${data.axes[metric].indexOf(axis)}`;
  return new Curves(id, await readJson(id));
};
