
// The page begins here.

const prefersDark = matchMedia('(prefers-color-scheme: dark)');
setTheme(prefersDark.matches);

const views = [...document.querySelectorAll('.plot')].map((plot, k) => new View(data.spaces[k], plot));

function redraw() {
  for (const view of views) view.drawNow();
  showCurves();
  showScale();
  showClasses();
  showTable();
  showDetail();
}

function showClasses() {
  const fieldset = byId('classes');
  for (const old of fieldset.querySelectorAll('label')) old.remove();
  fieldset.append(...data.classes.map((_, k) => element('label', {},
    element('input', { type: 'checkbox', autocomplete: 'off', checked: !state.hiddenClasses.has(k), onchange: (event) => {
      if (event.target.checked) state.hiddenClasses.delete(k);
      else state.hiddenClasses.add(k);
      filter();
    } }), classMark(k))));
}

function hideClasses(hidden) {
  state.hiddenClasses = new Set(hidden);
  showClasses();
  filter();
}

function fillColors() {
  const hasRule = data.spaces.some((space) => space.predicted);
  const names = [...new Set(data.spaces.flatMap((space) => space.metrics.map(({ name }) => name)))];
  byId('color-by').append(...['class', ...(hasRule ? ['prediction', 'mistakes'] : []), ...names].map((name) => element('option', { value: name }, name)));
}

/** Calls a function with the state of a checkbox when that changes. */
function onCheck(id, action) { byId(id).addEventListener('change', (event) => action(event.target.checked)); }

function start() {
  fillColors();
  byId('mistakes-label').hidden = !data.spaces.some((space) => space.predicted);
  if (data.spaces.length > 1) byId('mistakes-label').append(' (of any space)');
  byId('unsure-label').hidden = sureness === null;
  byId('regions-label').hidden = !data.spaces.some((space) => space.regions);
  byId('index').max = count - 1;
  byId('player').hidden = times.length < 2;
  byId('time').max = times.length - 1;

  byId('color-by').addEventListener('change', (event) => { state.colorBy = event.target.value; showScale(); update(); });
  onCheck('lasso', (checked) => { for (const { plot } of views) plot.classList.toggle('lasso', checked); });
  onCheck('images', (checked) => { state.images = checked; update(); });
  onCheck('regions', (checked) => { state.regions = checked; update(); });
  onCheck('sphere', (checked) => {
    state.sphere = checked;
    for (const view of views) view.setEpoch();
    update();
  });
  onCheck('mistakes', (checked) => { state.mistakes = checked; filter(); });
  byId('reset').addEventListener('click', () => { for (const view of views) { view.reset(); view.draw(); } });
  byId('all').addEventListener('click', () => hideClasses([]));
  byId('none').addEventListener('click', () => hideClasses(data.classes.keys()));
  byId('unsure').addEventListener('input', (event) => {
    state.unsure = event.target.value / 100;
    byId('unsure-text').textContent = state.unsure < 1 ? `${event.target.value} %` : 'all';
    filter();
  });
  byId('search').addEventListener('submit', (event) => { event.preventDefault(); pin(byId('index').valueAsNumber); });
  byId('more').addEventListener('click', () => { rows += PAGE; showTable(); });
  byId('time').addEventListener('input', (event) => { stopPlaying(); setTime(event.target.valueAsNumber); });
  byId('play').addEventListener('click', play);

  for (const view of views) {
    listen(view);
    new ResizeObserver(() => view.draw()).observe(view.plot);
  }
  prefersDark.addEventListener('change', () => { setTheme(prefersDark.matches); redraw(); });
  window.addEventListener('beforeprint', () => { setTheme(false); redraw(); });
  window.addEventListener('afterprint', () => { setTheme(prefersDark.matches); redraw(); });
  window.addEventListener('load', redraw); // the thumbnails are there

  setTime(Math.max(0, times.length - 1));
  byId('training').hidden = times.length < 2 && byId('curves').children.length === 0;
  showCount();
  redraw();
  performance.mark('drawn');
  if (window.parent !== window) window.parent.postMessage('drawn', '*'); // to frame.html
}

start();
