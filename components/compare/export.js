/** Both panes as one picture, drawn on the sheet that the Export menu of the map draws on. */
(function (/** @type {Atlas.CompareScripts} */ atlas) {
  const GAP = 16;
  const SCALE = 2; // px of the PNG a CSS px

  /**
   * @param {Atlas.SceneHandle[]} scenes @param {{title: string, caption: string[]}} words
   * @param {ReturnType<Atlas.CompareScripts["legend"]["rows"]>} rows @param {"png"|"svg"} kind
   * @returns {Promise<Blob>}
   */
  async function picture(scenes, words, rows, kind) {
    await Promise.all(scenes.map((scene) => scene.ready()));
    const shots = scenes.map((scene) => scene.capture({ white: false }));
    const width = shots.reduce((sum, { size }) => sum + size.width, GAP * (shots.length - 1));
    const height = Math.max(...shots.map(({ size }) => size.height));
    const { page, look } = window.atlasExport;
    const sheet = page(words, rows, { width, height }, look(false));
    const places = shots.map((_, i) => shots.slice(0, i).reduce((sum, { size }) => sum + size.width + GAP, 0));
    if (kind === "svg") {
      const c = new window.atlas_head_scene.vector.SvgContext(document.createElement("canvas").getContext("2d"));
      const rasters = await Promise.all(shots.map((shot) => (shot.vector ? null : shot.pixels(SCALE, false))));
      await sheet.draw(c, (/** @type {number} */ x, /** @type {number} */ y) => shots.forEach((shot, i) => {
        const { size } = shot;
        const raster = rasters[i];
        c.group(x + places[i], y, size.width, size.height, () => {
          if (!raster) return shot.draw(c);
          c.drawImage(raster, 0, 0, size.width, size.height);
          return shot.drawOverlay(c, 1);
        });
      }));
      return new Blob([c.file(sheet.width, sheet.height, words.title)], { type: "image/svg+xml" });
    }
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(sheet.width * SCALE);
    canvas.height = Math.round(sheet.height * SCALE);
    const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    c.scale(SCALE, SCALE);
    await sheet.draw(c, async (/** @type {number} */ x, /** @type {number} */ y) => {
      for (const [i, shot] of shots.entries()) {
        c.drawImage(await shot.pixels(SCALE), x + places[i], y, shot.size.width, shot.size.height);
      }
    });
    return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The picture is too large."))), "image/png"));
  }

  const api = { picture };
  atlas.exporter = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_compare ??= {}));
