/**
 * Jobs that fetch something: named, replaced by newer ones of their name, and to be tried again after a failure.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  class Jobs {
    /** @param {{failure: () => void, settled: () => void}} hooks */
    constructor(hooks) {
      this.hooks = hooks;
      this.generation = 0;
      this.forget();
    }

    /** What runs now is void. */
    forget() {
      this.generation++;
      /** by name @type {Map<string, Atlas.Failure>} */
      this.failures = new Map();
      /** @type {Record<string, number>} */
      this.turns = {};
      /** how many run @type {number} */
      this.pending = 0;
    }

    /**
     * Run a job under a name; a newer job of the same name makes its result void, a failure can be retried.
     * @param {string} name @param {(current: () => boolean) => Promise<void>} work
     */
    async run(name, work) {
      const { generation } = this;
      const turn = (this.turns[name] = (this.turns[name] || 0) + 1);
      const current = () => this.generation === generation && this.turns[name] === turn;
      this.pending++;
      if (this.failures.delete(name)) this.hooks.failure();
      try {
        await work(current);
      } catch (error) {
        if (!current() || error.name === "AbortError") return;
        this.failures.set(name, { message: error.message, retry: () => this.run(name, work) });
        this.hooks.failure();
      } finally {
        if (this.generation === generation) {
          this.pending--;
          this.hooks.settled();
        }
      }
    }

    /** Make results of a running job void. @param {string} name */
    cancel(name) {
      this.turns[name] = (this.turns[name] || 0) + 1;
      if (this.failures.delete(name)) this.hooks.failure();
    }

    retry() {
      [...this.failures.values()].forEach((failure) => failure.retry());
    }
  }

  const api = { Jobs };
  atlas.jobs = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
