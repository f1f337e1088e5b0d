
// Two ways to draw discs on a canvas. Each has draw(discs, n): of n discs, one after the
// other, the center x and y and the radius in pixels are in discs.places, red, green, blue and
// opacity in discs.colors. Large discs have a rim of the color of ink, so that they stand off.

function newDiscs(n) {
  return { places: new Float32Array(3 * n), colors: new Uint8Array(4 * n) };
}

/** Spaces that are drawn with WebGL: browsers lose canvases when there are more than 8 to 16. */
const MOST_WEBGL = 8;

function discRenderer(canvas) {
  return (data.spaces.length <= MOST_WEBGL && webglDiscs(canvas)) || canvasDiscs(canvas);
}

const VERTEX = `#version 300 es
uniform vec2 size;
in vec3 place;
in vec4 color;
out vec4 tint;
out float radius;
void main() {
  gl_Position = vec4(2.0 * place.x / size.x - 1.0, 1.0 - 2.0 * place.y / size.y, 0.0, 1.0);
  radius = place.z;
  gl_PointSize = 2.0 * radius + 2.0;
  tint = color;
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
uniform vec3 rim;
in vec4 tint;
in float radius;
out vec4 color;
void main() {
  float far = length(gl_PointCoord - 0.5) * (2.0 * radius + 2.0);
  float opacity = tint.a * clamp(radius + 0.5 - far, 0.0, 1.0);
  float edge = 0.35 * clamp(far - radius + 1.5, 0.0, 1.0) * smoothstep(1.5, 4.0, radius);
  color = vec4(mix(tint.rgb, rim, edge) * opacity, opacity);
}`;

/** Draws with WebGL 2; null where it is missing. */
function webglDiscs(canvas) {
  const gl = canvas.getContext('webgl2', { antialias: false, preserveDrawingBuffer: true });
  if (!gl) return null;
  const program = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  const attribute = (name, size, type) => {
    const buffer = gl.createBuffer();
    const at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, size, type, type === gl.UNSIGNED_BYTE, 0, 0);
    return (values) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    };
  };
  const setPlaces = attribute('place', 3, gl.FLOAT), setColors = attribute('color', 4, gl.UNSIGNED_BYTE);
  const size = gl.getUniformLocation(program, 'size'), rim = gl.getUniformLocation(program, 'rim');
  return {
    name: 'WebGL 2',
    draw(discs, n, ink) {
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform2f(size, canvas.width, canvas.height);
      gl.uniform3fv(rim, ink.map((x) => x / 255));
      setPlaces(discs.places.subarray(0, 3 * n));
      setColors(discs.colors.subarray(0, 4 * n));
      gl.drawArrays(gl.POINTS, 0, n);
    },
  };
}

/** Draws with Canvas 2-D, without rims. */
function canvasDiscs(canvas) {
  const context = canvas.getContext('2d');
  return {
    name: 'Canvas 2-D',
    draw({ places, colors }, n) {
      context.clearRect(0, 0, canvas.width, canvas.height);
      for (let k = 0; k < n; k++) {
        context.fillStyle = `rgb(${colors[4 * k]} ${colors[4 * k + 1]} ${colors[4 * k + 2]} / ${colors[4 * k + 3] / 255})`;
        context.beginPath();
        context.arc(places[3 * k], places[3 * k + 1], places[3 * k + 2], 0, 2 * Math.PI);
        context.fill();
      }
    },
  };
}
