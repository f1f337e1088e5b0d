
// Mouse, touch and keyboard on the plot of a view.

const STEP = 5; // degrees that an arrow key turns
const SHIFT = 25; // pixels that an arrow key moves

function listen(view) {
  const { plot } = view;
  const pointers = new Map();
  let dragged = 0; // pixels since a pointer went down

  const at = (event) => {
    const box = plot.getBoundingClientRect();
    return [event.clientX - box.left - plot.clientLeft, event.clientY - box.top - plot.clientTop];
  };
  const reach = (event) => (event.pointerType === 'touch' ? 24 : 12);

  plot.addEventListener('pointerdown', (event) => {
    plot.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
    dragged = 0;
    if (pointers.size > 1) view.lasso = null; // two fingers zoom
    else if (event.button === 0 && (byId('lasso').checked || event.shiftKey)) view.lasso = [at(event)];
  });

  plot.addEventListener('pointermove', (event) => {
    const [x, y] = at(event);
    if (!pointers.has(event.pointerId)) {
      const found = view.pick(x, y, reach(event));
      plot.classList.toggle('onpoint', found >= 0);
      hover(found);
      showTip(view, found);
      return;
    }
    const before = pointers.get(event.pointerId);
    const [dx, dy] = [x - before[0], y - before[1]];
    dragged += Math.hypot(dx, dy);
    hideTip(view);
    if (pointers.size === 2) {
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      const apart = (place) => Math.max(1, Math.hypot(place[0] - other[0], place[1] - other[1]));
      view.move(dx / 2, dy / 2);
      view.zoomAt(apart([x, y]) / apart(before), (x + other[0]) / 2, (y + other[1]) / 2);
    } else if (view.lasso) {
      view.lasso.push([x, y]);
      view.drawFront();
    } else if (view.is3D && event.buttons === 1 && !event.ctrlKey) {
      view.turn(dx * 0.4, dy * 0.4);
    } else {
      view.move(dx, dy);
    }
    pointers.set(event.pointerId, [x, y]);
  });

  plot.addEventListener('pointerup', (event) => {
    if (!pointers.delete(event.pointerId)) return; // it went down elsewhere
    const polygon = view.lasso;
    view.lasso = null;
    if (dragged > 5) {
      if (polygon) selectInside(view, polygon);
      return;
    }
    const found = view.pick(...at(event), reach(event));
    if (found < 0 && state.pinned < 0) select(null);
    pin(found === state.pinned ? -1 : found);
    showTip(view, state.pinned); // a finger does not hover
  });

  plot.addEventListener('pointercancel', (event) => {
    pointers.delete(event.pointerId);
    view.lasso = null;
  });

  plot.addEventListener('pointerleave', (event) => {
    if (event.pointerType === 'touch') return;
    hover(-1);
    hideTip(view);
  });

  plot.addEventListener('contextmenu', (event) => event.preventDefault());

  plot.addEventListener('wheel', (event) => {
    event.preventDefault();
    view.zoomAt(1.0015 ** -event.deltaY, ...at(event));
    hideTip(view);
  }, { passive: false });

  plot.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = keyAction(view, event);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** What a key does; undefined: nothing. */
function keyAction(view, event) {
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const arrow = arrows[event.key];
  if (arrow && view.is3D && !event.shiftKey) return () => view.turn(STEP * arrow[0], STEP * arrow[1]);
  if (arrow) return () => view.move(-SHIFT * arrow[0], -SHIFT * arrow[1]);
  const middle = [view.width / 2, view.height / 2];
  return {
    '+': () => view.zoomAt(1.25, ...middle),
    '=': () => view.zoomAt(1.25, ...middle),
    '-': () => view.zoomAt(0.8, ...middle),
    '0': () => { view.reset(); view.draw(); },
    n: () => pinNext(1),
    p: () => pinNext(-1),
    Escape: () => { pin(-1); select(null); },
  }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
}

/** Chooses the next image that is listed, or the one before. */
function pinNext(step) {
  let i = state.pinned < 0 && step < 0 ? 0 : state.pinned;
  for (let tried = 0; tried < count; tried++) {
    i = (i + step + count) % count;
    if (isListed(i)) { pin(i); return; }
  }
}

/** Chooses what is in a polygon; nothing, if that is empty. */
function selectInside(view, polygon) {
  const chosen = view.inside(polygon);
  select(chosen.includes(1) ? chosen : null);
}

function showTip(view, i) {
  const { tip } = view;
  if (i < 0) { hideTip(view); return; }
  view.tipOf = i;
  tip.replaceChildren(thumbnail(data.images, i, 72), element('div', {}, `image ${i}`, element('br'), className(data.images.labels[i]), ...tipRule(view, i)));
  tip.hidden = false;
  const [x, y] = [view.x[i], view.y[i]];
  tip.style.left = `${Math.max(0, Math.min(view.width - tip.offsetWidth, x > view.width / 2 ? x - tip.offsetWidth - 14 : x + 14))}px`;
  tip.style.top = `${Math.max(0, Math.min(view.height - tip.offsetHeight, y + 14))}px`;
}

function tipRule(view, i) {
  if (!view.predicted) return [];
  const isWrong = view.predicted[i] !== data.images.labels[i];
  return [element('br'), element('span', { className: isWrong ? 'wrong' : '' }, `decided ${className(view.predicted[i])}`)];
}

function hideTip(view) { view.tip.hidden = true; }
