// What is kept at each of the 1,001 places of one handle. Python counts it once (widgets/cube.py); while the handle moves
// the page looks it up here and asks nobody.

const PLACES = 1001;
const TYPES = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array, float64: Float64Array };

async function inflate(view) {
  const stream = new Blob([view]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

// Steps from place to place, back into counts. Each row of PLACES items begins with the count at place 0, from which a
// lower handle only loses and an upper one only gains.
function summed(steps, isLow) {
  const counts = new Float64Array(steps.length);
  for (let start = 0; start < steps.length; start += PLACES) {
    let sum = counts[start] = steps[start];
    for (let i = start + 1; i < start + PLACES; i++) counts[i] = sum += isLow ? -steps[i] : steps[i];
  }
  return counts;
}

async function readCube(content, view) {
  const buffer = await inflate(view);
  const isLow = content.key.endsWith(":low");
  const cube = { key: content.key, version: content.version, fixed: content.fixed, tokens: null, bars: new Map() };
  for (const [name, type, length, at] of content.parts) {
    const items = new TYPES[type](buffer, at, length);
    if (name.startsWith("bars:")) cube.bars.set(name.slice(5), summed(items, isLow));
    else if (name === "cuts" || name === "quantiles" || name === "weight") cube[name] = items;
    else cube[name] = summed(items, isLow);
  }
  return cube;
}

// The one cube that the page holds. `ask` fetches the one of a handle if it isn't there, `get` gives it if it is still
// true; `onready` hears when one has come.
function makeCubes(model, onready) {
  let cube = null, asked = null;
  const version = () => model.get("live").version;
  const keyOf = (score, side) => `${score}:${side}`;
  const get = (score, side) => (cube && cube.key === keyOf(score, side) && cube.version === version() ? cube : null);
  const ask = (score, side, charts) => {
    const wanted = `${keyOf(score, side)}@${version()}`;
    if (get(score, side) || asked === wanted) return;
    asked = wanted;
    model.send({ type: "cube", score, side, charts });
  };
  const receive = async (content, buffers) => {
    if (!content || content.type !== "cube") return;
    const read = await readCube(content, buffers[0]);
    if (asked === `${read.key}@${read.version}`) asked = null;
    if (read.version !== version()) return;
    cube = read;
    onready();
  };
  // Python says of which handle the cube still holds: that of the handle that was moved, where nothing else changed.
  const follow = () => {
    const { version: now, holds } = model.get("live");
    if (cube && holds && cube.key === holds && cube.version === now - 1) cube.version = now;
    else if (cube && cube.version !== now) cube = null;
  };
  const onmessage = (content, buffers) => { receive(content, buffers); };
  model.on("msg:custom", onmessage);
  return { ask, get, follow, close: () => model.off("msg:custom", onmessage) };
}

function short(value) {
  for (const [size, suffix] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(value) >= size) return Number((value / size).toPrecision(4)) + suffix;
  }
  return String(Number(value.toPrecision(4)));
}
