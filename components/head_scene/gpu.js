/**
 * What lives in a WebGL2 context: programs, textures, buffers. All of it is made when first needed, and made again
 * after the context was lost: the data are remembered here.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const shaders = atlas.shaders || require("./shaders.js");

  const TEXTURE_WIDTH = 2048;

  /** Rows of a texture that holds `count` values of a head. @param {number} count */
  const textureRows = (count) => Math.max(1, Math.ceil(count / TEXTURE_WIDTH));

  /**
   * @typedef {Object} Texture
   * @property {Uint8Array|Uint32Array|ImageBitmap} data
   * @property {number} width
   * @property {number} height
   * @property {"RGBA8"|"RG8"|"R8UI"|"R32UI"} format
   * @property {WebGLTexture} [handle]
   * @property {number} generation
   * @property {boolean} stale  its data have not been uploaded
   *
   * @typedef {{handle: WebGLProgram, uniforms: Record<string, WebGLUniformLocation|null>}} Program
   */

  /** @param {Texture|undefined} old */
  const keepHandle = (old) =>
    old ? { handle: old.handle, generation: old.generation, stale: true } : { generation: -1, stale: true };

  class Gpu {
    /** @param {WebGL2RenderingContext} gl */
    constructor(gl) {
      this.gl = gl;
      this.generation = 0;
      /** @type {Record<string, Texture>} */
      this.textures = {};
      /** @type {Map<string, Program>} */
      this.programs = new Map();
    }

    /** The context is new: what an older one held is no more. */
    forget() {
      this.generation++;
      this.programs = new Map();
    }

    // --- programs ---------------------------------------------------------------------------------------------

    /** Use a program. @param {string} name @param {string} vertex @param {string} fragment @param {string[]} [defines] */
    program(name, vertex, fragment, defines = []) {
      const program = this.programs.get(name) || this.link(vertex, fragment, defines);
      this.programs.set(name, program);
      this.gl.useProgram(program.handle);
      return program.uniforms;
    }

    /** @param {string} vertex @param {string} fragment @param {string[]} defines @returns {Program} */
    link(vertex, fragment, defines) {
      const gl = this.gl;
      const handle = gl.createProgram();
      for (const { type, source } of [{ type: gl.VERTEX_SHADER, source: vertex }, { type: gl.FRAGMENT_SHADER, source: fragment }]) {
        const shader = gl.createShader(type);
        if (!shader) continue; // the context is lost
        gl.shaderSource(shader, shaders.withDefines(source, defines));
        gl.compileShader(shader);
        gl.attachShader(handle, shader);
        gl.deleteShader(shader);
      }
      gl.linkProgram(handle);
      if (!gl.getProgramParameter(handle, gl.LINK_STATUS) && !gl.isContextLost()) {
        throw new Error(`shader: ${gl.getProgramInfoLog(handle)}`);
      }
      /** @type {Program["uniforms"]} */
      const uniforms = {};
      const count = gl.getProgramParameter(handle, gl.ACTIVE_UNIFORMS) || 0;
      for (let i = 0; i < count; i++) {
        const uniform = gl.getActiveUniform(handle, i);
        if (uniform) uniforms[uniform.name] = gl.getUniformLocation(handle, uniform.name);
      }
      return { handle, uniforms };
    }

    // --- data -------------------------------------------------------------------------------------------------

    /** Remember a texture's data; it is uploaded when first used, and again after a lost context.
     * @param {string} name @param {Texture["data"]} data @param {number} height @param {Texture["format"]} format */
    setTexture(name, data, height, format) {
      const old = this.textures[name];
      this.textures[name] = { data, width: name === "palette" ? 256 : TEXTURE_WIDTH, height, format, ...keepHandle(old) };
    }

    /** @param {Uint8Array} bytes  RGBA of 256 colours */
    setPalette(bytes) {
      this.setTexture("palette", bytes, 1, "RGBA8");
    }

    /** A picture. @param {string} name @param {ImageBitmap} image */
    setImage(name, image) {
      const { width, height } = image;
      this.textures[name] = { data: image, width, height, format: "RGBA8", ...keepHandle(this.textures[name]) };
    }

    /** Squares of two values a texel, side by side. @param {string} name @param {Uint8Array} texels  [rows][TEXTURE_WIDTH][2] */
    setTiles(name, texels) {
      this.setTexture(name, texels, texels.length / (2 * TEXTURE_WIDTH), "RG8");
    }

    /** Values of all slots (or of all slots of all heads) as unsigned integers.
     * @param {string} name @param {Uint8Array|Uint32Array} values @param {number} rows */
    setValues(name, values, rows) {
      const wide = values instanceof Uint32Array;
      const padded = wide ? new Uint32Array(TEXTURE_WIDTH * rows) : new Uint8Array(TEXTURE_WIDTH * rows);
      padded.set(values);
      this.setTexture(name, padded, rows, wide ? "R32UI" : "R8UI");
    }

    /** Room for an attribute that differs by head; heads are written as they arrive.
     * @param {string} name @param {number} cells @param {number} count */
    reserveHeads(name, cells, count) {
      const rows = textureRows(count);
      this.setTexture(name, new Uint8Array(TEXTURE_WIDTH * rows * cells), rows * cells, "R8UI");
    }

    /** @param {string} name @param {number} cell @param {Uint8Array} values */
    setHeadValues(name, cell, values) {
      const texture = this.textures[name];
      const rows = textureRows(values.length);
      /** @type {Uint8Array} */ (texture.data).set(values, cell * rows * TEXTURE_WIDTH);
      texture.stale = true;
    }

    /** @param {number} unit @param {string} name */
    bindTexture(unit, name) {
      const gl = this.gl;
      const texture = this.textures[name];
      gl.activeTexture(gl.TEXTURE0 + unit);
      if (!texture) return;
      if (texture.generation !== this.generation) {
        texture.handle = gl.createTexture();
        texture.generation = this.generation;
        texture.stale = true;
      }
      gl.bindTexture(gl.TEXTURE_2D, texture.handle || null);
      if (!texture.stale) return;
      texture.stale = false;
      const [format, type] = {
        RGBA8: [gl.RGBA, gl.UNSIGNED_BYTE], RG8: [gl.RG, gl.UNSIGNED_BYTE],
        R8UI: [gl.RED_INTEGER, gl.UNSIGNED_BYTE], R32UI: [gl.RED_INTEGER, gl.UNSIGNED_INT],
      }[texture.format];
      const { width, height, data } = texture;
      if ("close" in data) {
        gl.texImage2D(gl.TEXTURE_2D, 0, gl[texture.format], width, height, 0, format, type, data);
        this.smoothFilter();
        return;
      }
      gl.texImage2D(gl.TEXTURE_2D, 0, gl[texture.format], width, height, 0, format, type, data);
      this.nearestFilter();
      // Enlarged it is smooth; diminished it keeps single points.
      if (texture.format === "RG8") gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    }

    smoothFilter() {
      const gl = this.gl;
      this.nearestFilter();
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    }

    nearestFilter() {
      const gl = this.gl;
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    }

    /** @param {Atlas.Block} block */
    bindBlock(block) {
      const gl = this.gl;
      if (block.generation === this.generation) return gl.bindBuffer(gl.ARRAY_BUFFER, block.buffer || null);
      block.buffer = gl.createBuffer();
      block.generation = this.generation;
      gl.bindBuffer(gl.ARRAY_BUFFER, block.buffer);
      return gl.bufferData(gl.ARRAY_BUFFER, block.values, gl.STATIC_DRAW);
    }

    /** @param {Atlas.Block|null} block */
    drop(block) {
      if (block && block.generation === this.generation) this.gl.deleteBuffer(block.buffer || null);
      if (block) block.generation = -1;
    }
  }

  const api = { Gpu, TEXTURE_WIDTH, textureRows };
  atlas.gpu = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
