
// What is chosen, for all spaces together, and the colours of the points.

const state = {
  hover: -1, // an image
  pinned: -1,
  seen: -1, // the last of these
  selected: null, // Uint8Array [count], or null: no selection
  shown: new Uint8Array(count).fill(1), // after the filters
  hiddenClasses: new Set(),
  mistakes: false,
  unsure: 1, // the share of the images that are least sure
  colorBy: 'class',
  images: false,
  sphere: false,
  regions: true,
  time: 0, // where the slider is, among the times of the traces; a fraction is between two
  epoch: Infinity, // a fraction is between two epochs; Infinity: the end of the training
};

/** The share of the images of which the spaces are less sure: of each, the least sure counts. */
const sureness = (() => {
  const shares = data.spaces.filter((space) => space.lead).map((space) => ranks(space.lead));
  return shares.length > 0 ? ranks(shares[0].map((_, i) => Math.min(...shares.map((share) => share[i])))) : null;
})();

/** Shows what the filters leave. */
function filter() {
  for (let i = 0; i < count; i++) {
    const isShown = !state.hiddenClasses.has(data.images.labels[i]) &&
      (!state.mistakes || data.spaces.some((space) => isMistake(space, i))) &&
      (state.unsure >= 1 || sureness[i] < state.unsure);
    state.shown[i] = isShown ? 1 : 0;
  }
  update();
}

/** Chooses an image; -1: none. */
function pin(i) {
  state.pinned = i;
  byId('status').textContent = i < 0 ? '' : describe(i);
  showDetail();
  drawFronts();
}

function hover(i) {
  if (i === state.hover) return;
  state.hover = i;
  showDetail();
  drawFronts();
}

/** Chooses images [count]; null: lets go. */
function select(chosen) {
  state.selected = chosen;
  update();
}

/** Whether an image is among those in the table. */
function isListed(i) { return state.shown[i] === 1 && (state.selected === null || state.selected[i] === 1); }

/** Shows a changed choice everywhere. */
function update() {
  for (const view of views) view.draw();
  showCount();
  showTable();
  showDetail();
}

/** The colours of the pictures, which follow those of the page. */
const theme = {};

function setTheme(dark) {
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  const style = getComputedStyle(document.documentElement);
  const color = (name) => [1, 3, 5].map((at) => parseInt(style.getPropertyValue(name).trim().slice(at, at + 2), 16));
  theme.dark = dark;
  theme.paper = color('--paper');
  theme.ink = color('--ink');
  theme.quiet = color('--quiet');
  theme.classes = data.classes.map((c) => (dark ? readable(c.color, theme.paper, theme.ink, 2) : c.color));
  theme.ramp = RAMP.map((c) => (dark ? readable(c, theme.paper, theme.ink, 2) : c));
  theme.texts = theme.classes.map((c) => readable(c, theme.paper, theme.ink, 4.5));
  theme.faint = mix(theme.ink, theme.paper, 0.85);
}

/** The metric that gives the colours of a space; undefined: none. */
function colorMetric(space) { return space.metrics.find(({ name }) => name === state.colorBy); }

/** A function from a point of a space to its colour. */
function colorOf(space, predicted) {
  const right = theme.dark ? [110, 114, 128] : [178, 180, 190], wrong = [217, 105, 0];
  const { labels } = data.images;
  switch (state.colorBy) {
    case 'class': return (i) => theme.classes[labels[i]];
    case 'prediction': return (i) => theme.classes[(predicted ?? labels)[i]];
    case 'mistakes': return (i) => (predicted && predicted[i] !== labels[i] ? wrong : right);
  }
  const metric = colorMetric(space);
  if (!metric) return () => right;
  const [low, high] = metricRange(metric);
  return (i) => ramp((metric.values[i] - low) / (high - low || 1), theme.ramp);
}

/** What 1 % and 99 % of the values of a metric are below. */
function metricRange(metric) {
  metric.range ??= (() => {
    const sorted = metric.values.filter((x) => !Number.isNaN(x)).sort();
    const at = (share) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
    return [at(0.01), at(0.99)];
  })();
  return metric.range;
}
