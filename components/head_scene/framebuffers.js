/** The framebuffers that a picture grows in: the picture and the highlights, which share one depth buffer. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  /** @typedef {{texture: WebGLTexture, buffer: WebGLFramebuffer}} Layer */

  class Framebuffers {
    /** @param {InstanceType<Atlas.HeadSceneScripts["gpu"]["Gpu"]>} gpu @param {number} width @param {number} height  device px */
    constructor(gpu, width, height) {
      const { gl } = gpu;
      this.gl = gl;
      this.width = width;
      this.height = height;
      this.depth = gl.createRenderbuffer();
      gl.bindRenderbuffer(gl.RENDERBUFFER, this.depth);
      gl.renderbufferStorage(gl.RENDERBUFFER, gl.DEPTH_COMPONENT24, width, height);
      /** @returns {Layer} */
      const layer = () => {
        const texture = gl.createTexture();
        gl.activeTexture(gl.TEXTURE0);
        gl.bindTexture(gl.TEXTURE_2D, texture);
        gl.texStorage2D(gl.TEXTURE_2D, 1, gl.RGBA8, width, height);
        gpu.nearestFilter();
        const buffer = gl.createFramebuffer();
        gl.bindFramebuffer(gl.FRAMEBUFFER, buffer);
        gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
        gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.DEPTH_ATTACHMENT, gl.RENDERBUFFER, this.depth);
        return { texture, buffer };
      };
      this.picture = layer();
      this.highlights = layer();
    }

    /** @param {number} width @param {number} height  device px */
    fit(width, height) {
      return this.width === width && this.height === height;
    }

    drop() {
      const { gl } = this;
      for (const { texture, buffer } of [this.picture, this.highlights]) {
        gl.deleteTexture(texture);
        gl.deleteFramebuffer(buffer);
      }
      gl.deleteRenderbuffer(this.depth);
    }

    /** Draw into a layer, or (null) onto the canvas, from its empty state on.
     * @param {Layer|null} layer @param {number[]} colour  red, green, blue, alpha, 0..1 */
    clear(layer, colour) {
      const { gl } = this;
      gl.bindFramebuffer(gl.FRAMEBUFFER, layer && layer.buffer);
      gl.viewport(0, 0, this.width, this.height);
      gl.disable(gl.SCISSOR_TEST);
      gl.depthMask(true);
      const [red, green, blue, alpha] = colour;
      gl.clearColor(red, green, blue, alpha);
      gl.clear(gl.COLOR_BUFFER_BIT | (layer ? gl.DEPTH_BUFFER_BIT : 0));
    }

    /** Copy the picture to a canvas. @param {number} width @param {number} height  the canvas's @param {GLenum} filter */
    blit(width, height, filter) {
      const { gl } = this;
      gl.bindFramebuffer(gl.READ_FRAMEBUFFER, this.picture.buffer);
      gl.bindFramebuffer(gl.DRAW_FRAMEBUFFER, null);
      gl.viewport(0, 0, width, height);
      gl.blitFramebuffer(0, 0, this.width, this.height, 0, 0, width, height, gl.COLOR_BUFFER_BIT, filter);
    }
  }

  const api = { Framebuffers };
  atlas.framebuffers = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
