
// What stands beside and below the plots: the image, the training, the filters, the table.

const NEAR = 8; // nearest images

/** Shows the image under the pointer, else the one that is kept, else the last of them. */
function showDetail() {
  const detail = byId('detail');
  const focused = [...detail.querySelectorAll('button')].indexOf(document.activeElement);
  const i = [state.hover, state.pinned, state.seen].find((k) => k >= 0) ?? -1;
  state.seen = i;
  if (i < 0) {
    detail.replaceChildren(element('h2', {}, 'Image'), element('p', { className: 'quiet' }, 'Hover over a point, or press N in a picture.'));
    return;
  }
  const label = data.images.labels[i];
  detail.replaceChildren(
    element('h2', {}, `Image ${i}`, i === state.pinned ? ' (kept)' : ''),
    element('div', { className: 'head' }, thumbnail(data.images, i, 112),
      element('p', {}, classMark(label), element('br'), element('span', { className: 'quiet' }, 'true class'))),
    ...(state.epoch === Infinity ? [] : [element('p', { className: 'quiet' }, 'At the end of the training:')]),
    ...data.spaces.map((space) => spaceDetail(space, i)),
  );
  if (focused >= 0) detail.querySelectorAll('button')[focused]?.focus({ preventScroll: true });
}

/** An image in words. */
function describe(i) {
  const decided = data.spaces.filter((space) => space.predicted).map((space) => `${spaceName(space)}: ${className(space.predicted[i])}`);
  return [`Image ${i}`, className(data.images.labels[i]), ...decided].join(', ');
}

function spaceName(space) { return `${space.title} ${space.dim}-D`; }

/** What a space says of an image at the end of the training. */
function spaceDetail(space, i) {
  const list = element('dl');
  const row = (name, ...value) => list.append(element('dt', {}, name), element('dd', {}, ...value));
  if (space.predicted) row('decided', classMark(space.predicted[i], isMistake(space, i)));
  if (space.score) {
    row('score', short(space.score[i]));
    row('second', classMark(space.second[i]), ` ${short(space.score[i] - space.lead[i])}`);
  }
  for (const { name, values } of space.metrics) if (values !== space.lead) row(name, short(values[i]));
  const made = element('div', {}, ...(data.spaces.length > 1 ? [element('strong', {}, spaceName(space))] : []), list);
  const point = space.points.subarray(i * space.width, (i + 1) * space.width);
  made.append(nearImages('nearest', data.images, nearest(space.points, space.width, point, NEAR, i), true));
  if (space.reference) made.append(nearImages(`nearest of ${data.reference.labels.length} training images`, data.reference, nearest(space.reference, space.width, point, NEAR, -1), false));
  return made;
}

/** Thumbnails with frames in the colours of their classes; those that can be chosen are buttons. */
function nearImages(title, images, indices, canChoose) {
  const row = element('div', { className: 'near' }, ...indices.map((k) => {
    const frame = element('button', { type: 'button', disabled: !canChoose, title: `${k}: ${className(images.labels[k])}`, onclick: () => { pin(k); } }, thumbnail(images, k, 26));
    frame.style.borderColor = css(theme.classes[images.labels[k]]);
    return frame;
  }));
  return element('div', {}, element('span', { className: 'quiet' }, title), row);
}

/** The name of a class with its colour. */
function classMark(k, isWrong = false) {
  const swatch = element('span', { className: 'swatch' });
  swatch.style.background = css(theme.classes[k]);
  return element('span', { className: isWrong ? 'wrong' : '' }, swatch, className(k));
}

function showCount() {
  const shown = state.shown.reduce((sum, x) => sum + x, 0);
  byId('count').textContent = `${shown} of ${count} images`;
}

/** What the colours mean, where they are not those of the classes. */
function showScale() {
  const scale = byId('scale');
  scale.hidden = state.colorBy === 'class' || state.colorBy === 'prediction';
  if (scale.hidden) return;
  if (state.colorBy === 'mistakes') {
    const color = colorOf(data.spaces[0], Int32Array.of(data.images.labels[0], data.images.labels[1] ^ 1));
    const mark = (i, text) => {
      const swatch = element('span', { className: 'swatch' });
      swatch.style.background = css(color(i));
      return element('span', {}, swatch, text);
    };
    scale.replaceChildren(mark(0, 'right '), mark(1, 'wrong'));
    return;
  }
  scale.replaceChildren(...data.spaces.filter(colorMetric).map((space) => {
    const [low, high] = metricRange(colorMetric(space));
    const bar = element('span', { className: 'ramp' });
    bar.style.background = `linear-gradient(to right, ${theme.ramp.map(css)})`;
    return element('span', {}, `${spaceName(space)}: ${short(low)}`, bar, `${short(high)} `);
  }));
}

const PAGE = 100; // rows of the table that are added at once
let rows = PAGE;

/** Lists the images that are shown and selected. */
function showTable() {
  const listed = [];
  for (let i = 0; i < count; i++) if (isListed(i)) listed.push(i);
  byId('table-title').textContent = state.selected ? `Selection: ${listed.length} images` : `Images: ${listed.length}`;
  byId('table-text').textContent = summary(listed);
  byId('more').hidden = listed.length <= rows;
  document.querySelector('#table thead').replaceChildren(element('tr', {}, ...['', 'image', 'class', ...data.spaces.flatMap(tableHead)].map((text) => element('th', { scope: 'col' }, text))));
  document.querySelector('#table tbody').replaceChildren(...listed.slice(0, rows).map(tableRow));
}

/** How many images of each class are listed, and how many mistakes. */
function summary(listed) {
  const counts = new Map();
  for (const i of listed) counts.set(data.images.labels[i], (counts.get(data.images.labels[i]) ?? 0) + 1);
  const classes = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([k, n]) => `${className(k)}: ${n}`);
  const mistakes = data.spaces.filter((space) => space.predicted).map((space) =>
    `${data.spaces.length > 1 ? `${spaceName(space)}: ` : ''}${listed.filter((i) => isMistake(space, i)).length} mistakes`);
  return [classes.join(', ') + (counts.size > 12 ? ', …' : ''), ...mistakes].filter(Boolean).join('. ') + '.';
}

function tableHead(space) {
  const name = data.spaces.length > 1 ? `${spaceName(space)}: ` : '';
  return [...(space.predicted ? [`${name}decided`] : []), ...(space.score ? ['score', 'lead'] : []), 'norm'];
}

function tableRow(i) {
  const find = element('button', { type: 'button', onclick: () => pin(i) }, `${i}`);
  const cells = [thumbnail(data.images, i, 26), find, classMark(data.images.labels[i])];
  for (const space of data.spaces) {
    if (space.predicted) cells.push(classMark(space.predicted[i], isMistake(space, i)));
    if (space.score) cells.push(short(space.score[i]), short(space.lead[i]));
    cells.push(short(space.norms[i]));
  }
  return element('tr', {}, ...cells.map((cell) => element('td', {}, cell)));
}

/** Colours of the lines of curves, which are of spaces and not of classes. */
const LINE_COLORS = [[0x00, 0x72, 0xb2], [0xd5, 0x5e, 0x00], [0x00, 0x9e, 0x73], [0xcc, 0x79, 0xa7], [0xe6, 0x9f, 0x00], [0x56, 0xb4, 0xe9]];

/** The curves of all spaces with one title as a picture, with a line at an epoch. */
function curvesPicture(title, lines, epoch) {
  const [width, left, bottom, top] = [300, 40, 20, lines.length > 1 ? 24 + 14 * lines.length : 18];
  const height = top + 90 + bottom;
  const all = lines.flatMap((line) => line.values);
  const epochs = Math.max(...lines.map((line) => line.values.length));
  let [low, high] = [Math.min(...all), Math.max(...all)];
  if (high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high))) [low, high] = [low - 0.05 * (Math.abs(low) || 1), high + 0.05 * (Math.abs(high) || 1)];
  const x = (e) => left + (width - left - 10) * (e - 1) / (epochs - 1);
  const y = (value) => top + (height - top - bottom) * (1 - (value - low) / (high - low));
  const svg = svgElement('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `${title} after each epoch` });
  const text = (at, content, anchor = 'start', fill = 'var(--quiet)') => {
    svg.append(svgElement('text', { x: at[0], y: at[1], 'font-size': 11, fill, 'text-anchor': anchor }));
    svg.lastChild.textContent = content;
  };
  for (const { value, text: name } of ticks(low, high, 3)) {
    svg.append(svgElement('line', { x1: left, x2: width - 10, y1: y(value), y2: y(value), stroke: 'var(--line)' }));
    text([left - 5, y(value) + 4], name, 'end');
  }
  lines.forEach(({ name, values }, k) => {
    const color = css(readable(LINE_COLORS[Math.floor(k / 2) % LINE_COLORS.length], theme.paper, theme.ink, 3)); // two lines share a colour, the second is dashed
    svg.append(svgElement('polyline', { points: values.map((value, e) => `${x(e + 1)},${y(value)}`).join(' '), fill: 'none', stroke: color, 'stroke-width': 2, 'stroke-dasharray': k % 2 ? '5 3' : 'none' }));
    if (lines.length === 1) return;
    svg.append(svgElement('line', { x1: left, x2: left + 16, y1: 18 + 14 * k, y2: 18 + 14 * k, stroke: color, 'stroke-width': 2, 'stroke-dasharray': k % 2 ? '5 3' : 'none' }));
    text([left + 21, 22 + 14 * k], name, 'start', 'var(--ink)');
  });
  text([left, 9], title, 'start', 'var(--ink)');
  text([x(1), height - 5], '1', 'middle');
  text([x(epochs), height - 5], `${epochs}`, 'middle');
  if (epoch !== null) svg.append(svgElement('line', { x1: x(epoch), x2: x(epoch), y1: top, y2: height - bottom, stroke: 'var(--ink)', 'stroke-width': 1 }));
  return svg;
}

function svgElement(tag, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** The times of all traces, in epochs, ascending. */
const times = [...new Set(data.spaces.flatMap((space) => [...space.trace?.epochs ?? []]))].sort((a, b) => a - b);

/** A number of epochs for people. */
function epochText(epoch) { return Number.isInteger(epoch) ? `${epoch}` : epoch < 10 ? epoch.toPrecision(2) : epoch.toFixed(1); }

function showCurves() {
  const byTitle = new Map();
  for (const space of data.spaces) {
    for (const { title, lines } of space.curves) {
      if (lines.every(({ values }) => values.length < 2)) continue;
      const named = lines.map(({ name, values }) => ({ name: data.spaces.length === 1 ? name : lines.length === 1 ? spaceName(space) : `${spaceName(space)}: ${name}`, values }));
      byTitle.set(title, [...(byTitle.get(title) ?? []), ...named]);
    }
  }
  const epoch = times.length > 0 ? Math.max(1, Math.min(state.epoch, times.at(-1))) : null;
  byId('curves').replaceChildren(...[...byTitle].map(([title, lines]) => curvesPicture(title, lines, epoch)));
}

/** Shows the spaces at time k of the traces; a fraction is on the way to the next. */
function setTime(k) {
  const first = Math.floor(k), wasEnd = state.epoch === Infinity;
  state.time = k;
  state.epoch = first >= times.length - 1 ? Infinity : times[first] + (k - first) * (times[first + 1] - times[first]);
  byId('time').value = first;
  if (times.length > 0) {
    const traced = data.spaces.find((space) => space.trace && state.epoch < space.trace.epochs.at(-1));
    const at = epochText(times[Math.min(first, times.length - 1)]);
    byId('time-text').textContent = `after ${at} of ${epochText(times.at(-1))} epochs${traced ? ` (${traced.trace.indices.length} of the images)` : ''}`;
    byId('time').setAttribute('aria-valuetext', byId('time-text').textContent);
  }
  showCurves();
  for (const view of views) {
    view.setEpoch();
    view.draw();
  }
  if (wasEnd !== (state.epoch === Infinity)) showDetail();
}

const FRAME_TIME = 400; // milliseconds from one time of the traces to the next when they are played
let playing = null; // when it began, and at which time of the traces

/** Plays the training from where the slider is, from the first time at the end of it; again: stops. */
function play() {
  if (playing) { stopPlaying(); return; }
  playing = { start: performance.now(), from: state.epoch === Infinity ? 0 : state.time };
  byId('play').textContent = 'Stop';
  requestAnimationFrame(playFrame);
}

function playFrame(now) {
  if (!playing) return;
  const k = Math.min(times.length - 1, playing.from + Math.max(0, now - playing.start) / FRAME_TIME);
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  setTime(isCalm ? Math.floor(k) : k);
  if (k >= times.length - 1) stopPlaying();
  else requestAnimationFrame(playFrame);
}

function stopPlaying() {
  playing = null;
  byId('play').textContent = 'Play';
}
