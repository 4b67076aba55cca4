/** How far a picture is, and how long it took: told outwards when it changes. */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const { same } = atlas.payload || require("./payload.js");

  /** @param {number|null} ms */
  const whole = (ms) => (ms === null ? null : Math.round(ms));

  class Progress {
    /** @param {(status: Atlas.SceneStatus) => void} tell @param {() => number} clock  ms */
    constructor(tell, clock = () => performance.now()) {
      this.tell = tell;
      this.clock = clock;
      /** @type {number|null} */
      this.start = null;
      /** ms to the first points and to the whole picture @type {number|null} */
      this.first = null;
      /** @type {number|null} */
      this.full = null;
      /** @type {Atlas.SceneStatus|null} */
      this.told = null;
    }

    begin() {
      this.start = this.clock();
      this.first = this.full = null;
    }

    /** Points have been drawn. @returns {boolean} for the first time */
    drawn() {
      if (this.start === null || this.first !== null) return false;
      this.first = this.clock() - this.start;
      return true;
    }

    /** The picture is whole. @returns {boolean} for the first time */
    done() {
      if (this.start === null || this.full !== null) return false;
      this.full = this.clock() - this.start;
      this.first ??= this.full;
      return true;
    }

    /** @param {{webgl: boolean, part: number, points: number, message: string}} state  part: 0..1 of the data */
    report({ webgl, part, points, message }) {
      const loaded = Math.round(part * 4) / 4;
      const status = { webgl, loaded, firstMs: whole(this.first), fullMs: whole(this.full), points, message };
      if (same(status, this.told)) return;
      this.told = status;
      this.tell(status);
    }
  }

  const api = { Progress };
  atlas.progress = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
