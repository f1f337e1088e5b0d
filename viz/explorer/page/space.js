
// A view draws one space: in the back regions, axes and spheres, then the points, and in
// front rays, targets, names and what is chosen.

/** How far away the viewer of a 3-D space is, in halves of its width. */
const VIEWER = 7;

class View {
  constructor(space, plot) {
    this.space = space;
    this.plot = plot;
    [this.back, this.points, this.front] = plot.querySelectorAll('canvas');
    this.tip = plot.querySelector('.tip');
    this.renderer = discRenderer(this.points);
    this.is3D = space.drawnDim === 3;
    this.order = shuffled(count);
    this.x = new Float32Array(count); // on the plot, in CSS pixels
    this.y = new Float32Array(count);
    this.near = new Float32Array(count); // 0 at the far end, 1 at the near one
    this.discs = newDiscs(count);
    this.lasso = null;
    if (space.regions) {
      this.regions = element('img', { src: space.regions.picture });
      this.regions.decode().then(() => this.draw());
    }
    this.reset();
    this.setEpoch();
  }

  /** The view at the beginning. */
  reset() {
    this.azimuth = this.space.camera.azimuth;
    this.elevation = this.space.camera.elevation;
    this.zoom = 1;
    this.pan = [0, 0]; // in halves of the width
  }

  turn(dx, dy) {
    this.azimuth -= dx;
    this.elevation = Math.min(90, Math.max(-90, this.elevation + dy));
    this.draw();
  }

  /** Moves by pixels. */
  move(dx, dy) {
    this.pan[0] += dx / this.unit();
    this.pan[1] -= dy / this.unit();
    this.draw();
  }

  /** Zooms so that what is at a pixel stays there. */
  zoomAt(factor, x, y) {
    const before = this.zoom;
    this.zoom = Math.min(500, Math.max(0.2, this.zoom * factor));
    const grown = this.zoom / before;
    const at = [(x - this.width / 2) / this.unit(), (this.height / 2 - y) / this.unit()];
    this.pan = this.pan.map((p, k) => p + at[k] * (1 - grown));
    this.draw();
  }

  /** Pixels of half the width of the frame. */
  unit() { return 0.5 * Math.min(this.width, this.height) * (this.is3D && !this.isSphere() ? 0.6 : 0.97) * this.zoom; }

  frame() {
    return this.isSphere() ? { center: [0, 0, 0], half: 1.2, ray: 1 } : this.space.frame;
  }

  isSphere() { return state.sphere || this.space.sphere; }

  /** Takes the points of state.epoch and, where only directions are left, divides them by their norms. */
  setEpoch() {
    const { space } = this;
    const { trace, width, axes } = space;
    this.traced = trace !== null && state.epoch < trace.epochs.at(-1);
    const onSphere = (places, norms) => (this.isSphere() ? normalize(places, norms) : places);
    this.targets = space.targets && onSphere(placed(space.targets, width, axes), space.targetNorms);
    this.prototypes = onSphere(placed(space.prototypes.points, space.drawnDim, null), space.prototypes.norms);
    this.present = null;
    this.predicted = space.predicted;
    this.places = onSphere(placed(space.points, width, axes), space.dim > 3 && space.norms);
    this.rays = space.vectors && normalize(placed(space.vectors, width, axes), space.vectorNorms);
    if (this.traced) this.setTraced(onSphere);
    this.means = this.classMeans();
  }

  /** Takes the points of state.epoch, which the training has on its way. */
  setTraced(onSphere) {
    const { trace, drawnDim } = this.space;
    const first = Math.max(0, trace.epochs.findLastIndex((epoch) => epoch <= state.epoch));
    const [from, to] = trace.epochs.subarray(first, first + 2);
    const share = to > from ? Math.max(0, (state.epoch - from) / (to - from)) : 0;
    const between = (all) => {
      if (!all) return null;
      const size = all.length / trace.epochs.length;
      return Float32Array.from({ length: size }, (_, k) => {
        const value = all[first * size + k];
        return share === 0 ? value : value + share * (all[(first + 1) * size + k] - value);
      });
    };
    const places = onSphere(placed(between(trace.points), drawnDim, null), between(trace.norms));
    this.places = new Float32Array(3 * count);
    this.present = new Uint8Array(count);
    this.predicted = new Int32Array(count);
    trace.indices.forEach((i, k) => {
      this.places.set(places.subarray(3 * k, 3 * k + 3), 3 * i);
      this.present[i] = 1;
      this.predicted[i] = trace.predicted[first * trace.indices.length + k];
    });
    if (this.rays && trace.vectors) this.rays = normalize(placed(between(trace.vectors), drawnDim, null), between(trace.vectorNorms));
  }

  /** The means [classes, 3] of the points of each class; NaN without a point. */
  classMeans() {
    const means = new Float32Array(3 * data.classes.length), counts = new Uint32Array(data.classes.length);
    data.images.labels.forEach((label, i) => {
      if (this.present && !this.present[i]) return;
      counts[label]++;
      for (let j = 0; j < 3; j++) means[3 * label + j] += this.places[3 * i + j];
    });
    return means.map((sum, k) => sum / counts[Math.floor(k / 3)]);
  }

  /** The function that maps three coordinates to [x, y, near] on the plot. */
  projection() {
    const { center, half } = this.frame();
    const unit = this.unit();
    const [cx, cy] = [this.width / 2 + this.pan[0] * unit, this.height / 2 - this.pan[1] * unit];
    if (!this.is3D) {
      return (x, y) => [cx + (x - center[0]) / half * unit, cy - (y - center[1]) / half * unit, 1];
    }
    const { right, up, towards } = this.axes();
    return (x, y, z) => {
      const u = (x - center[0]) / half, v = (y - center[1]) / half, w = (z - center[2]) / half;
      const depth = u * towards[0] + v * towards[1] + w * towards[2];
      const k = unit * VIEWER / Math.max(0.1, VIEWER - depth);
      return [
        cx + k * (u * right[0] + v * right[1]),
        cy - k * (u * up[0] + v * up[1] + w * up[2]),
        Math.min(1, Math.max(0, (depth / 1.2 + 1) / 2)),
      ];
    };
  }

  /** Unit vectors to the right and up on the plot, and towards the viewer. */
  axes() {
    const a = this.azimuth * Math.PI / 180, e = this.elevation * Math.PI / 180;
    return {
      right: [-Math.sin(a), Math.cos(a), 0],
      up: [-Math.sin(e) * Math.cos(a), -Math.sin(e) * Math.sin(a), Math.cos(e)],
      towards: [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)],
    };
  }

  /** Whether a point is drawn. */
  isDrawn(i) { return state.shown[i] === 1 && (this.present === null || this.present[i] === 1); }

  /** Draws at the next frame. */
  draw() {
    this.waiting ??= requestAnimationFrame(() => this.drawNow());
  }

  drawNow() {
    this.waiting = null;
    this.resize();
    this.drawBack();
    this.drawPoints();
    this.drawFront();
    if (!this.tip.hidden) showTip(this, this.isDrawn(this.tipOf) ? this.tipOf : -1);
  }

  resize() {
    const { clientWidth, clientHeight } = this.plot;
    const density = window.devicePixelRatio;
    [this.width, this.height, this.density] = [clientWidth, clientHeight, density];
    for (const canvas of [this.back, this.points, this.front]) {
      const width = Math.round(clientWidth * density), height = Math.round(clientHeight * density);
      if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    }
  }

  /** The context of a canvas, empty, in CSS pixels. */
  empty(canvas) {
    const context = canvas.getContext('2d');
    context.setTransform(this.density, 0, 0, this.density, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    return context;
  }

  /** The radius of a point. */
  radius() {
    const n = this.present ? this.space.trace.indices.length : count;
    const side = Math.min(this.width, this.height);
    return Math.min(4.5, 2.2 * (n / 10000) ** -0.2) * (side / 560) ** 0.5 * Math.min(3, this.zoom ** 0.35);
  }

  drawPoints() {
    const project = this.projection();
    for (let i = 0; i < count; i++) {
      [this.x[i], this.y[i], this.near[i]] = project(this.places[3 * i], this.places[3 * i + 1], this.places[3 * i + 2]);
    }
    const { places, colors } = this.discs;
    const color = colorOf(this.space, this.predicted);
    const radius = this.radius() * this.density;
    let n = 0;
    const add = (i, opacity, scale) => {
      const near = this.near[i];
      const tint = this.is3D ? faded(color(i), theme.paper, near) : color(i);
      places[3 * n] = this.x[i] * this.density;
      places[3 * n + 1] = this.y[i] * this.density;
      places[3 * n + 2] = radius * scale * (this.is3D ? 0.6 + 0.8 * near : 1);
      colors[4 * n] = tint[0];
      colors[4 * n + 1] = tint[1];
      colors[4 * n + 2] = tint[2];
      colors[4 * n + 3] = opacity;
      n++;
    };
    const order = this.is3D ? byDepth(this.near) : this.order;
    const { selected } = state;
    if (selected) for (const i of order) if (this.isDrawn(i) && selected[i] === 0) add(i, 28, 1);
    for (const i of order) if (this.isDrawn(i) && (!selected || selected[i] === 1)) add(i, 225, selected ? 1.4 : 1);
    this.renderer.draw(this.discs, n, theme.ink);
  }

  drawBack() {
    const context = this.empty(this.back);
    const project = this.projection();
    const showsRegions = this.regions?.complete && state.regions && !this.isSphere() && !this.traced;
    if (showsRegions) {
      const { center, half } = this.frame();
      const reach = half * this.space.regions.reach;
      const [left, top] = project(center[0] - reach, center[1] + reach), [right, bottom] = project(center[0] + reach, center[1] - reach);
      context.drawImage(this.regions, left, top, right - left, bottom - top);
    }
    if (this.isSphere()) this.drawSphere(context, project);
    else if (this.is3D) this.drawCube(context, project);
    else this.drawGrid(context, showsRegions);
    if (this.traced) {
      context.font = '600 14px system-ui, sans-serif';
      context.fillStyle = css(theme.quiet);
      context.fillText(`epoch ${epochText(state.epoch)}`, 10, 22);
    }
  }

  /** A grid of round numbers over the whole plot. */
  drawGrid(context, overRegions) {
    const { center, half } = this.frame();
    const unit = this.unit();
    const scale = half / unit;
    const middle = [center[0] - this.pan[0] * half, center[1] - this.pan[1] * half];
    const project = this.projection();
    context.font = '11px system-ui, sans-serif';
    context.fillStyle = css(theme.quiet);
    for (const axis of [0, 1]) {
      const reach = [this.width, this.height][axis] / 2 * scale;
      for (const { value, text } of ticks(middle[axis] - reach, middle[axis] + reach, [this.width, this.height][axis] / 110)) {
        const [x, y] = axis === 0 ? project(value, middle[1]) : project(middle[0], value);
        context.strokeStyle = css(mix(theme.faint, theme.ink, value === 0 ? 0.35 : 0));
        context.globalAlpha = overRegions ? 0.5 : 1;
        strokeLine(context, axis === 0 ? [x, 0] : [0, y], axis === 0 ? [x, this.height] : [this.width, y]);
        context.globalAlpha = 1;
        if (axis === 0 && x > 30 && x < this.width - 30) context.fillText(text, x + 3, this.height - 4);
        if (axis === 1 && y > 16 && y < this.height - 20) context.fillText(text, 3, y - 3);
      }
    }
  }

  /** The edges of the cube around a 3-D space. */
  drawCube(context, project) {
    const { center, half } = this.frame();
    const corner = (k) => project(...[1, 2, 4].map((bit, j) => center[j] + (k & bit ? half : -half)));
    context.strokeStyle = css(mix(theme.faint, theme.ink, 0.12));
    for (let k = 0; k < 8; k++) {
      for (const bit of [1, 2, 4]) if (!(k & bit)) strokeLine(context, corner(k), corner(k | bit));
    }
  }

  /** The unit circle, or the circles of latitude and longitude of the unit sphere. */
  drawSphere(context, project) {
    const steps = 72;
    const ring = (at) => {
      context.beginPath();
      for (let k = 0; k <= steps; k++) {
        const [x, y] = project(...at(2 * Math.PI * k / steps));
        context.lineTo(x, y);
      }
      context.stroke();
    };
    context.strokeStyle = css(mix(theme.faint, theme.ink, 0.15));
    if (!this.is3D) {
      ring((t) => [Math.cos(t), Math.sin(t), 0]);
      return;
    }
    for (let k = -2; k <= 2; k++) {
      const z = Math.sin(k * Math.PI / 6), r = Math.cos(k * Math.PI / 6);
      ring((t) => [r * Math.cos(t), r * Math.sin(t), z]);
    }
    for (let k = 0; k < 6; k++) {
      const x = Math.cos(k * Math.PI / 6), y = Math.sin(k * Math.PI / 6);
      ring((t) => [x * Math.cos(t), y * Math.cos(t), Math.sin(t)]);
    }
  }

  drawFront() {
    const context = this.empty(this.front);
    const project = this.projection();
    if (state.images) this.drawImages(context);
    this.drawRays(context, project);
    this.drawTargets(context, project);
    this.drawPrototypes(context, project);
    this.drawNames(context, project);
    this.drawChosen(context);
    if (this.lasso) this.drawLasso(context);
  }

  /** Images in place of points: as many as do not cover each other, the nearest first. */
  drawImages(context) {
    const { images } = data;
    const size = Math.max(20, Math.min(images.height, 32)) * Math.min(2, this.zoom ** 0.3);
    const width = size * images.width / images.height;
    const taken = new Map(); // places by the cell of a grid, which is as large as an image
    const across = 1 << 12; // cells, more than there are
    const cellOf = ([x, y], dx, dy) => (Math.floor(y / (size + 2)) + dy) * across + Math.floor(x / (width + 2)) + dx;
    const isFree = (place) => [0, -1, 1].every((dy) => [0, -1, 1].every((dx) => {
      const other = taken.get(cellOf(place, dx, dy));
      return !other || Math.abs(other[0] - place[0]) >= width + 2 || Math.abs(other[1] - place[1]) >= size + 2;
    }));
    const color = colorOf(this.space, this.predicted);
    const order = this.is3D ? byDepth(this.near).reverse() : this.order;
    context.lineWidth = 2;
    for (const i of order) {
      if (!this.isDrawn(i) || !isListed(i)) continue;
      const [x, y] = [this.x[i], this.y[i]];
      if (x < 0 || y < 0 || x > this.width || y > this.height || !isFree([x, y])) continue;
      taken.set(cellOf([x, y], 0, 0), [x, y]);
      drawImage(context, images, i, x - width / 2, y - size / 2, width, size);
      context.strokeStyle = css(color(i));
      context.strokeRect(x - width / 2, y - size / 2, width, size);
    }
  }

  /** The place on the ray of class k at a share of its length, which ends where a name has room in the frame. */
  onRay(k, share) {
    const { center, half, ray } = this.frame();
    const direction = this.rays.subarray(3 * k, 3 * k + 3);
    let length = ray;
    if (!this.isSphere()) {
      direction.forEach((x, j) => {
        if (x !== 0) length = Math.min(length, Math.max(0, (center[j] + 0.9 * Math.sign(x) * half) / x));
      });
    }
    return Array.from(direction, (x) => x * length * share);
  }

  drawRays(context, project) {
    if (!this.rays) return;
    context.lineCap = 'round';
    data.classes.slice(0, known).forEach((_, k) => {
      for (const [color, width] of [[theme.paper, 3], [theme.texts[k], 1.5]]) {
        context.strokeStyle = css(color);
        context.lineWidth = width;
        strokeLine(context, project(0, 0, 0), project(...this.onRay(k, 1)));
      }
    });
  }

  drawTargets(context, project) {
    if (!this.targets) return;
    data.classes.slice(0, known).forEach((_, k) => {
      const [x, y] = project(...this.targets.subarray(3 * k, 3 * k + 3));
      for (const [color, width] of [[theme.paper, 5], [theme.ink, 2.5]]) {
        context.strokeStyle = css(color);
        context.lineWidth = width;
        strokeLine(context, [x - 6, y - 6], [x + 6, y + 6]);
        strokeLine(context, [x - 6, y + 6], [x + 6, y - 6]);
      }
    });
  }

  /** Prototypes as diamonds in the colours of their classes. */
  drawPrototypes(context, project) {
    this.space.prototypes.labels.forEach((label, i) => {
      const [x, y] = project(...this.prototypes.subarray(3 * i, 3 * i + 3));
      context.beginPath();
      for (const [dx, dy] of [[0, -9], [7, 0], [0, 9], [-7, 0]]) context.lineTo(x + dx, y + dy);
      context.closePath();
      context.lineWidth = 4;
      context.strokeStyle = css(theme.paper);
      context.stroke();
      context.fillStyle = css(theme.classes[label]);
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = css(theme.ink);
      context.stroke();
    });
  }

  /** The names of the classes: at the ends of rays, else at targets, else at class means. */
  drawNames(context, project) {
    if (data.classes.length > 40) return;
    context.font = '600 14px system-ui, sans-serif';
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    data.classes.slice(0, known).forEach(({ name }, k) => {
      if (!this.rays && !this.targets && state.hiddenClasses.has(k)) return;
      const place = this.rays ? this.onRay(k, 1.07) : [...(this.targets ?? this.means).subarray(3 * k, 3 * k + 3)];
      const [x, y] = project(...place);
      if (Number.isNaN(x)) return;
      const at = [x, y - (this.targets && !this.rays ? 16 : 0)];
      context.strokeStyle = css(theme.paper);
      context.lineWidth = 4;
      context.strokeText(name, ...at);
      context.fillStyle = css(theme.texts[k]);
      context.fillText(name, ...at);
    });
  }

  /** Rings around the image under the pointer and the one that is kept. */
  drawChosen(context) {
    for (const [i, width] of [[state.hover, 2], [state.pinned, 3.5]]) {
      if (i < 0 || (this.present && !this.present[i])) continue;
      for (const [color, extra] of [[theme.paper, 3], [theme.ink, 0]]) {
        context.strokeStyle = css(color);
        context.lineWidth = width + extra;
        context.beginPath();
        context.arc(this.x[i], this.y[i], this.radius() + 5, 0, 2 * Math.PI);
        context.stroke();
      }
    }
  }

  drawLasso(context) {
    context.beginPath();
    for (const [x, y] of this.lasso) context.lineTo(x, y);
    context.closePath();
    context.fillStyle = `rgb(${theme.ink.join(' ')} / 0.08)`;
    context.fill();
    context.strokeStyle = css(theme.ink);
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
  }

  /** The drawn point that is nearest to a pixel, within a reach; -1: none. */
  pick(x, y, reach) {
    let found = -1, lowest = reach ** 2;
    for (let i = 0; i < count; i++) {
      const distance = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (distance < lowest && this.isDrawn(i)) [found, lowest] = [i, distance];
    }
    return found;
  }

  /** The drawn points in a polygon [count]. */
  inside(polygon) {
    return Uint8Array.from(this.x, (x, i) => (this.isDrawn(i) && isInside(polygon, x, this.y[i]) ? 1 : 0));
  }
}

function strokeLine(context, from, to) {
  context.beginPath();
  context.moveTo(from[0], from[1]);
  context.lineTo(to[0], to[1]);
  context.stroke();
}

function drawFronts() {
  for (const view of views) view.drawFront();
}
