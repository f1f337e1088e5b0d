'use strict';

// Numbers and colours: functions that know nothing of the page.

/** The numbers of a base64 string of little-endian bytes; null for null. */
function decode(base64, Type) {
  if (base64 === null) return null;
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Type(bytes.buffer);
}

/** The integers of a base64 string: of a byte each behind a colon, else of four. */
function decodeIntegers(base64) {
  if (base64 === null) return null;
  return base64[0] === ':' ? Int32Array.from(decode(base64.slice(1), Uint8Array)) : decode(base64, Int32Array);
}

function norm(points, dim, i) {
  let sum = 0;
  for (let k = i * dim; k < (i + 1) * dim; k++) sum += points[k] ** 2;
  return Math.sqrt(sum);
}

/** The rows of a matrix along three axes; with two columns, the third coordinate is 0. */
function placed(rows, dim, axes) {
  const n = rows.length / dim;
  const places = new Float32Array(3 * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < 3; j++) {
      let sum = 0;
      if (axes) for (let k = 0; k < dim; k++) sum += axes[j * dim + k] * rows[i * dim + k];
      else if (j < dim) sum = rows[i * dim + j];
      places[3 * i + j] = sum;
    }
  }
  return places;
}

/** Divides each row of three by its norm, or by that of the whole row where more dimensions are behind it, unless that is 0. */
function normalize(places, norms) {
  for (let i = 0; i < places.length / 3; i++) {
    const length = (norms ? norms[i] : norm(places, 3, i)) || 1;
    for (let j = 0; j < 3; j++) places[3 * i + j] /= length;
  }
  return places;
}

/** The indices of the count rows that are nearest to a point, nearest first, but one. */
function nearest(rows, dim, point, count, except) {
  const found = [];
  for (let i = 0; i < rows.length / dim; i++) {
    if (i === except) continue;
    let distance = 0;
    for (let k = 0; k < dim; k++) distance += (rows[i * dim + k] - point[k]) ** 2;
    if (found.length === count && distance >= found[count - 1].distance) continue;
    let place = found.length;
    while (place > 0 && found[place - 1].distance > distance) place--;
    found.splice(place, 0, { i, distance });
    if (found.length > count) found.pop();
  }
  return found.map((f) => f.i);
}

/** The share of the values that are lower, for each value. */
function ranks(values) {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
  const shares = new Float32Array(values.length);
  order.forEach((i, place) => { shares[i] = place / values.length; });
  return shares;
}

/** Whether a point is in a polygon [[x, y], ...]. */
function isInside(polygon, x, y) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i], [xj, yj] = polygon[j];
    if ((yi > y) !== (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** The indices 0 to depths.length - 1 from the far to the near, by depths in [0, 1]. */
function byDepth(depths) {
  const bins = 2048;
  const starts = new Uint32Array(bins + 1);
  const bin = (depth) => Math.min(bins - 1, Math.max(0, Math.floor(depth * bins)));
  for (const depth of depths) starts[bin(depth) + 1]++;
  for (let b = 0; b < bins; b++) starts[b + 1] += starts[b];
  const order = new Uint32Array(depths.length);
  for (let i = 0; i < depths.length; i++) order[starts[bin(depths[i])]++] = i;
  return order;
}

/** The indices 0 to n - 1, shuffled, always in the same way. */
function shuffled(n) {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  let random = 1;
  for (let i = n - 1; i > 0; i--) {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    const j = Math.floor(random / 2 ** 32 * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** About n round values from low to high. */
function ticks(low, high, n) {
  let step = 10 ** Math.floor(Math.log10((high - low) / n));
  for (const factor of [5, 2]) {
    if ((high - low) / (step * factor) >= n - 1) { step *= factor; break; }
  }
  const values = [];
  for (let i = Math.ceil(low / step); i * step <= high && values.length < 10 * n; i++) values.push(i * step);
  const decimals = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return values.map((value) => ({ value, text: minus((value + 0).toFixed(decimals)) }));
}

function minus(text) { return text.replace('-', '−'); }

/** A number for people. */
function short(x) {
  if (Number.isNaN(x)) return 'none';
  return minus(Math.abs(x) >= 1e4 || (x !== 0 && Math.abs(x) < 1e-3) ? x.toExponential(2) : Number(x.toPrecision(4)).toString());
}

function mix(a, b, share) { return a.map((x, k) => x + (b[k] - x) * share); }

function css(color) { return `rgb(${color.map(Math.round).join(' ')})`; }

/** The relative luminance of a colour, as WCAG has it. */
function luminance(color) {
  const [r, g, b] = color.map((x) => {
    const share = x / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** The colour, or as much nearer to ink as it needs for a contrast to paper. */
function readable(color, paper, ink, ratio) {
  let share = 0;
  while (share < 1 && contrast(mix(color, ink, share), paper) < ratio) share += 0.05;
  return mix(color, ink, Math.min(1, share));
}

/** The share of paper in the colour of a point at the far end: more, and classes look alike. */
const FADE = 0.15;

/** The colour of a point at a depth from 0, far, to 1. */
function faded(color, paper, near) { return mix(color, paper, FADE * (1 - near)); }

/** Colours from low to high: parts of viridis. */
const RAMP = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

/** The colour of a share from 0 to 1; gray for NaN. */
function ramp(share, colors) {
  if (Number.isNaN(share)) return [128, 128, 128];
  const at = Math.min(1, Math.max(0, share)) * (colors.length - 1);
  const k = Math.min(colors.length - 2, Math.floor(at));
  return mix(colors[k], colors[k + 1], at - k);
}
