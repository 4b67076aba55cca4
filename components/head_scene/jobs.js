/**
 * Jobs that fetch something: named, replaced by newer ones of their name, and to be tried again after a failure.
 */
(function (atlas) {
  class Jobs {
    /** @param {{onChange: (what: string) => void}} hooks  told of "failure" and "settled" */
    constructor(hooks) {
      this.hooks = hooks;
      this.client = null;
      this.forget();
    }

    forget() {
      this.failures = new Map();
      this.turns = {};
      this.pending = 0;
    }

    /**
     * Run a job under a name; a newer job of the same name makes its result void, a failure can be retried.
     * @param {string} name @param {(current: () => boolean) => Promise<void>} work
     */
    async run(name, work) {
      const client = this.client;
      const turn = (this.turns[name] = (this.turns[name] || 0) + 1);
      const current = () => this.client === client && this.turns[name] === turn;
      this.pending++;
      if (this.failures.delete(name)) this.hooks.onChange("failure");
      try {
        await work(current);
      } catch (error) {
        if (!current() || error.name === "AbortError") return;
        this.failures.set(name, { message: error.message, retry: () => this.run(name, work) });
        this.hooks.onChange("failure");
      } finally {
        if (this.client === client) {
          this.pending--;
          this.hooks.onChange("settled");
        }
      }
    }

    /** Make results of a running job void. */
    cancel(name) {
      this.turns[name] = (this.turns[name] || 0) + 1;
      if (this.failures.delete(name)) this.hooks.onChange("failure");
    }

    retry() {
      [...this.failures.values()].forEach((failure) => failure.retry());
    }
  }

  atlas.Jobs = Jobs;
  if (typeof module !== "undefined") module.exports = { Jobs };
})(typeof window === "undefined" ? {} : (window.atlas_head_scene ??= {}));
