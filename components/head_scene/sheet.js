/**
 * The sheet of all patches of an atlas of images, and which patch each point is; fetched once patches are shown.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  class Sheet {
    /**
     * @param {Atlas.Jobs} jobs
     * @param {Pick<Atlas.DataHooks, "sheet">} hooks
     */
    constructor(jobs, hooks) {
      this.jobs = jobs;
      this.hooks = hooks;
      /** how points are shown, "off" for none @type {string} */
      this.form = "off";
      this.clear();
    }

    clear() {
      /** @type {Atlas.PayloadClient|null} */
      this.client = null;
      /** @type {ImageBitmap|null} */
      this.image = null;
      /** slot → row of the token table, which is the place on the sheet @type {Uint32Array|null} */
      this.rows = null;
    }

    /** @param {Atlas.PayloadClient} client */
    start(client) {
      this.client = client;
      this.load();
    }

    /** @param {string} form  "off", or how the patches are drawn */
    setForm(form) {
      if (form === this.form) return;
      this.form = form;
      this.load();
      this.hooks.sheet();
    }

    /** Where the patches lie on the sheet, or null while they are not shown. */
    get facts() {
      const patches = this.client && this.client.payload.patches;
      return patches && this.image && this.form !== "off" ? patches : null;
    }

    load() {
      const { client, form } = this;
      if (!client || !client.payload.patches || form === "off" || this.image) return;
      const { queries, patches } = client.payload;
      this.jobs.run("sheet", async (current) => {
        const [image, order] = await Promise.all([client.picture(patches.path), client.order()]);
        if (!current()) return;
        this.image = image;
        this.rows = Uint32Array.from(order, (point) => (point < queries ? point : point - queries));
        this.hooks.sheet();
      });
    }
  }

  const api = { Sheet };
  atlas.sheet = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
