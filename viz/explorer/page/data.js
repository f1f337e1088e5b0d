
// The data of the page.

const data = JSON.parse(document.getElementById('data').textContent);
for (const images of [data.images, data.reference]) images.labels = decodeIntegers(images.labels) ?? new Int32Array(0);
data.spaces.forEach(decodeSpace);

const count = data.images.labels.length;
const known = data.classes.filter(({ unknown }) => !unknown).length; // classes; the one after them is the unknown one

function decodeSpace(space) {
  for (const name of ['points', 'axes', 'norms', 'vectors', 'targets', 'vectorNorms', 'targetNorms', 'score', 'lead', 'reference']) space[name] = decode(space[name], Float32Array);
  for (const name of ['predicted', 'second']) space[name] = decodeIntegers(space[name]);
  space.prototypes = {
    points: decode(space.prototypes.points, Float32Array) ?? new Float32Array(0),
    norms: decode(space.prototypes.norms, Float32Array),
    labels: decodeIntegers(space.prototypes.labels) ?? new Int32Array(0),
  };
  space.metrics = (space.metrics ?? []).map(({ name, values }) => ({ name, values: decode(values, Float32Array) }));
  space.metrics.unshift({ name: 'norm', values: space.norms });
  if (space.lead) space.metrics.splice(1, 0, { name: 'lead of the best score', values: space.lead });
  space.curves ??= [];
  const trace = space.trace;
  if (!trace) return;
  for (const name of ['epochs', 'points', 'vectors', 'norms', 'vectorNorms']) trace[name] = decode(trace[name], Float32Array);
  for (const name of ['indices', 'predicted']) trace[name] = decodeIntegers(trace[name]);
}

/** Whether the space decides an image wrongly. */
function isMistake(space, i) { return space.predicted !== null && space.predicted[i] !== data.images.labels[i]; }

const sheets = document.getElementsByClassName('sheet'); // they come after the script

/** Draws an image into a rectangle, if its sheet is there. */
function drawImage(context, images, i, x, y, width, height) {
  const perSheet = images.across ** 2;
  const sheet = sheets[images.first + Math.floor(i / perSheet)];
  if (!sheet?.complete || sheet.naturalWidth === 0) return;
  const k = i % perSheet;
  context.drawImage(sheet, k % images.across * images.tile, Math.floor(k / images.across) * images.tile, images.width, images.height, x, y, width, height);
}

/** A canvas with an image. */
function thumbnail(images, i, height) {
  const canvas = element('canvas', { className: 'thumb', width: images.width, height: images.height });
  canvas.style.height = `${height}px`;
  canvas.style.width = `${height * images.width / images.height}px`;
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `image ${i}, ${className(images.labels[i])}`);
  drawImage(canvas.getContext('2d'), images, i, 0, 0, images.width, images.height);
  return canvas;
}

function className(i) { return data.classes[i].name; }

/** An element with properties and children. */
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function byId(id) { return document.getElementById(id); }
