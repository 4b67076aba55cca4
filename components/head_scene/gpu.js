/**
 * What lives in a WebGL2 context: programs, textures, buffers. All of it is made when first needed, and made again
 * after the context was lost: the data are remembered here.
 */
(function (atlas) {
  const shaders = atlas.shaders || require("./shaders.js");

  const TEXTURE_WIDTH = 2048;

  /**
   * Positions of consecutive cells: [cells][count][dims].
   * @typedef {{values: Uint16Array, firstCell: number, cells: number, count: number, dims: number}} Block
   */

  /** Rows of a texture that holds `count` values of a head. */
  const textureRows = (count) => Math.max(1, Math.ceil(count / TEXTURE_WIDTH));

  const keepHandle = (old) =>
    old ? { handle: old.handle, generation: old.generation, stale: true } : { generation: -1, stale: true };

  class Gpu {
    constructor(gl) {
      this.gl = gl;
      this.generation = 0;
      this.textures = {};
    }

    /** The context is new: what an older one held is no more. */
    forget() {
      this.generation++;
      this.programs = new Map();
    }

    // --- programs ---------------------------------------------------------------------------------------------

    program(name, vertex, fragment, defines = []) {
      if (!this.programs.has(name)) this.programs.set(name, this.link(vertex, fragment, defines));
      const program = this.programs.get(name);
      this.gl.useProgram(program.handle);
      return program.uniforms;
    }

    link(vertex, fragment, defines) {
      const gl = this.gl;
      const handle = gl.createProgram();
      for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
        const shader = gl.createShader(type);
        gl.shaderSource(shader, shaders.withDefines(source, defines));
        gl.compileShader(shader);
        gl.attachShader(handle, shader);
        gl.deleteShader(shader);
      }
      gl.linkProgram(handle);
      if (!gl.getProgramParameter(handle, gl.LINK_STATUS) && !gl.isContextLost()) {
        throw new Error(`shader: ${gl.getProgramInfoLog(handle)}`);
      }
      const uniforms = {};
      const count = gl.getProgramParameter(handle, gl.ACTIVE_UNIFORMS) || 0;
      for (let i = 0; i < count; i++) {
        const { name } = gl.getActiveUniform(handle, i);
        uniforms[name] = gl.getUniformLocation(handle, name);
      }
      return { handle, uniforms };
    }

    // --- data -------------------------------------------------------------------------------------------------

    /** Remember a texture's data; it is uploaded when first used, and again after a lost context. */
    setTexture(name, data, height, format) {
      const old = this.textures[name];
      this.textures[name] = { data, width: name === "palette" ? 256 : TEXTURE_WIDTH, height, format, ...keepHandle(old) };
    }

    setPalette(bytes) {
      this.setTexture("palette", bytes, 1, "RGBA8");
    }

    /** Values of all slots (or of all slots of all heads) as unsigned integers. */
    setValues(name, values, rows) {
      const Type = values.constructor;
      const padded = new Type(TEXTURE_WIDTH * rows);
      padded.set(values);
      this.setTexture(name, padded, rows, Type === Uint32Array ? "R32UI" : "R8UI");
    }

    /** Room for an attribute that differs by head; heads are written as they arrive. */
    reserveHeads(name, cells, count) {
      const rows = textureRows(count);
      this.setTexture(name, new Uint8Array(TEXTURE_WIDTH * rows * cells), rows * cells, "R8UI");
    }

    setHeadValues(name, cell, values) {
      const texture = this.textures[name];
      const rows = textureRows(values.length);
      texture.data.set(values, cell * rows * TEXTURE_WIDTH);
      texture.stale = true;
    }

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
      gl.bindTexture(gl.TEXTURE_2D, texture.handle);
      if (!texture.stale) return;
      texture.stale = false;
      const [format, type] = {
        RGBA8: [gl.RGBA, gl.UNSIGNED_BYTE], R8UI: [gl.RED_INTEGER, gl.UNSIGNED_BYTE], R32UI: [gl.RED_INTEGER, gl.UNSIGNED_INT],
      }[texture.format];
      const { width, height, data } = texture;
      gl.texImage2D(gl.TEXTURE_2D, 0, gl[texture.format], width, height, 0, format, type, data);
      this.nearestFilter();
    }

    nearestFilter() {
      const gl = this.gl;
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    }

    /** @param {Block} block */
    bindBlock(block) {
      const gl = this.gl;
      if (block.generation === this.generation) return gl.bindBuffer(gl.ARRAY_BUFFER, block.buffer);
      block.buffer = gl.createBuffer();
      block.generation = this.generation;
      gl.bindBuffer(gl.ARRAY_BUFFER, block.buffer);
      return gl.bufferData(gl.ARRAY_BUFFER, block.values, gl.STATIC_DRAW);
    }

    /** @param {Block|null} block */
    drop(block) {
      if (block && block.generation === this.generation) this.gl.deleteBuffer(block.buffer);
      if (block) block.generation = -1;
    }
  }

  atlas.gpu = { Gpu, TEXTURE_WIDTH, textureRows };
  if (typeof module !== "undefined") module.exports = atlas.gpu;
})(typeof window === "undefined" ? {} : (window.atlas_head_scene ??= {}));
