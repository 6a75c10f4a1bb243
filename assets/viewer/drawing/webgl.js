// Draws image and heat on a graphics processor, with the same arithmetic as canvas.js.

const VERTEX = `#version 300 es
void main() { gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0); }`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D image, heat;
uniform sampler2D colours;
uniform vec2 place, imageSize, window;
uniform float scale, canvasHeight, paneX, from, opacity, threshold;
uniform int level;
uniform bool inverted;
out vec4 colour;

float at(usampler2D source, vec2 point, int level) {
  ivec2 last = textureSize(source, level) - 1;
  vec2 inside = clamp(point - 0.5, vec2(0.0), vec2(last));
  ivec2 low = ivec2(inside), high = min(low + 1, last);
  vec2 share = inside - vec2(low);
  float a = float(texelFetch(source, low, level).r), b = float(texelFetch(source, ivec2(high.x, low.y), level).r);
  float c = float(texelFetch(source, ivec2(low.x, high.y), level).r), d = float(texelFetch(source, high, level).r);
  return mix(mix(a, b, share.x), mix(c, d, share.x), share.y);
}

void main() {
  vec2 pixel = vec2(gl_FragCoord.x - paneX, canvasHeight - gl_FragCoord.y);
  vec2 point = (pixel - place) / scale;
  colour = vec4(0.0, 0.0, 0.0, 1.0);
  if (any(lessThan(point, vec2(0.0))) || any(greaterThanEqual(point, imageSize))) return;
  float value = floor(at(image, point / exp2(float(level)), level) + 0.5);
  float grey = floor(clamp((value - window.x) * 255.0 / (window.y - window.x), 0.0, 255.0) + 0.5) / 255.0;
  grey = inverted ? 1.0 - grey : grey;
  colour.rgb = vec3(grey);
  if (pixel.x < from) return;
  float share = floor(at(heat, point / imageSize * vec2(textureSize(heat, 0)), 0) / 257.0 + 0.5);
  if (share / 255.0 < threshold) return;
  colour.rgb = mix(vec3(grey), texelFetch(colours, ivec2(int(share), 0), 0).rgb, opacity * share / 255.0);
}`;

const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

class WebglRenderer {
  // Throws where there is no WebGL 2, and where software would draw it: canvas.js is faster then.
  constructor(canvas) {
    this.canvas = canvas;
    const wanted = { alpha: false, antialias: false, depth: false, failIfMajorPerformanceCaveat: true };
    const gl = canvas.getContext("webgl2", wanted);
    if (!gl) throw new Error("no WebGL 2");
    const named = gl.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER;
    if (SOFTWARE.test(gl.getParameter(named))) throw new Error("WebGL drawn by software");
    this.gl = gl;
    this.program = gl.createProgram();
    for (const [type, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(this.program));
    gl.useProgram(this.program);
    this.uniforms = new Proxy({}, { get: (known, name) => (known[name] ??= gl.getUniformLocation(this.program, name)) });
    ["image", "heat", "colours"].forEach((name, unit) => gl.uniform1i(this.uniforms[name], unit));
    this.textures = [];
  }

  setScene(scene) {
    const { gl } = this, { image, heat } = scene;
    if (Math.max(image[0].width, image[0].height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) throw new Error("too large");
    this.scene = scene;
    this.colourMap = "";
    this.textures.forEach((texture) => gl.deleteTexture(texture));
    this.textures = [image, [heat]].map((levels, unit) => {
      const texture = this.texture(unit);
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2);
      gl.texStorage2D(gl.TEXTURE_2D, levels.length, gl.R16UI, levels[0].width, levels[0].height);
      levels.forEach(({ width, height, data }, level) =>
        gl.texSubImage2D(gl.TEXTURE_2D, level, 0, 0, width, height, gl.RED_INTEGER, gl.UNSIGNED_SHORT, data),
      );
      return texture;
    });
    this.textures.push(this.texture(2));
    if (gl.getError() !== gl.NO_ERROR) throw new Error("no room for the image");
  }

  texture(unit) {
    const { gl } = this, texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, unit ? gl.NEAREST : gl.NEAREST_MIPMAP_NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    return texture;
  }

  draw(shot) {
    const { gl, uniforms, scene, canvas } = this, { width, height } = scene.image[0];
    if (this.colourMap !== shot.colourMap) {
      gl.activeTexture(gl.TEXTURE2);
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
      const shades = scene.colours.get(shot.colourMap);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, 256, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, shades);
      this.colourMap = shot.colourMap;
    }
    gl.disable(gl.SCISSOR_TEST);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.SCISSOR_TEST);
    gl.uniform2f(uniforms.place, shot.x, shot.y);
    gl.uniform2f(uniforms.imageSize, width, height);
    gl.uniform2f(uniforms.window, shot.low, shot.high);
    gl.uniform1f(uniforms.scale, shot.scale);
    gl.uniform1f(uniforms.canvasHeight, shot.height);
    gl.uniform1f(uniforms.opacity, shot.fill ? shot.opacity : 0);
    gl.uniform1f(uniforms.threshold, shot.threshold);
    gl.uniform1i(uniforms.level, pyramidLevel(scene.image, shot.scale));
    gl.uniform1i(uniforms.inverted, shot.inverted ? 1 : 0);
    for (const pane of shot.panes) {
      gl.scissor(pane.x, 0, shot.paneWidth, shot.height);
      gl.uniform1f(uniforms.paneX, pane.x);
      gl.uniform1f(uniforms.from, pane.from);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    }
  }

  destroy() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
