/**
 * What is common to some points: a token, a category such as a part of speech, a stretch of positions or of another
 * scale. Something is common if most of them have it and most others do not.
 */
(function (/** @type {Atlas.HeadSceneScripts} */ atlas) {
  const p = atlas.payload || require("./payload.js");
  const { labelText } = atlas.labels || require("./labels.js");

  /** Of what the others lack, the part that a group must have: (share − share of all) / (1 − share of all), as Cohen's κ. */
  const LEAST = 0.45;
  /** And so many times as often as in all: what nearly all have is nothing to name a group by. */
  const LEAST_TIMES = 1.6;
  /** A stretch is what holds so many of a group. */
  const INSIDE = 0.8;
  /** Steps of a scale, as stored; the upper bit tells keys. */
  const STEPS = 127;

  /** What is known of all slots, to name groups by. */
  class Features {
    /** @param {Atlas.Jobs} jobs @param {Pick<Atlas.DataHooks, "tokens">} hooks @param {Atlas.Points} points
     * @param {InstanceType<Atlas.HeadSceneScripts["tokenPages"]["TokenPages"]>} tokens */
    constructor(jobs, hooks, points, tokens) {
      this.jobs = jobs;
      this.hooks = hooks;
      this.points = points;
      this.tokens = tokens;
      this.clear();
    }

    clear() {
      /** @type {Atlas.PayloadClient|null} */
      this.client = null;
      /** by attribute, in slot order; null: on its way @type {Map<string, Uint8Array|null>} */
      this.values = new Map();
      /** how often each value of a feature occurs @type {Map<string, Map<string|number, number>>} */
      this.totals = new Map();
      /** of how many slots @type {number} */
      this.known = 0;
    }

    /** @param {Atlas.PayloadClient} client */
    start(client) {
      this.client = client;
    }

    /** @returns {Atlas.Naming[]} */
    get attributes() {
      return this.client?.payload.naming || [];
    }

    /** Everything is there; what is not is asked for. @param {Uint32Array} slots */
    ready(slots) {
      const { client } = this;
      if (!client) return false;
      let ready = true;
      for (const { name } of this.attributes) {
        if (this.values.get(name)) continue;
        ready = false;
        if (this.values.get(name) === undefined) this.load(client, name);
      }
      for (const slot of slots) if (!this.tokens.token(slot)) ready = false;
      if (ready) this.count(slots);
      return ready;
    }

    /** @param {Atlas.PayloadClient} client @param {string} name */
    load(client, name) {
      this.values.set(name, null);
      this.jobs.run(`naming ${name}`, async (current) => {
        const [values, order] = await Promise.all([client.attribute(name), client.order()]);
        if (!current()) return;
        this.values.set(name, p.toSlots(values, order));
        this.hooks.tokens();
      });
    }

    /** What of these slots, all in view, is usual. @param {Uint32Array} slots */
    count(slots) {
      this.known = slots.length;
      this.totals = new Map([["token", this.tally(slots, (slot) => this.tokens.token(slot)?.text ?? "")]]);
      this.totals.set("position", this.tally(slots, (slot) => this.tokens.token(slot)?.position ?? -1));
      for (const { name } of this.attributes) this.totals.set(name, this.tally(slots, (slot) => this.valueOf(name, slot)));
    }

    /** @param {string} name @param {number} slot */
    valueOf(name, slot) {
      return (this.values.get(name)?.[slot] ?? 0) & STEPS;
    }

    /** @template {string|number} Value @param {Uint32Array} slots @param {(slot: number) => Value} valueOf */
    tally(slots, valueOf) {
      /** @type {Map<Value, number>} */
      const found = new Map();
      for (const slot of slots) {
        const value = valueOf(slot);
        found.set(value, (found.get(value) || 0) + 1);
      }
      return found;
    }
  }

  /** How much more common something is in a group than in all. @param {number} share @param {number} usual */
  const excess = (share, usual) => (share < LEAST_TIMES * usual ? 0 : (share - usual) / (1 - usual));

  /**
   * The most common value, and by how much it is more than usual.
   * @template {string|number} Value
   * @param {Map<Value, number>} inside @param {Map<Value, number>} all @param {number} count @param {number} total
   */
  function commonest(inside, all, count, total) {
    const [value, times] = [...inside].reduce((best, one) => (one[1] > best[1] ? one : best));
    const share = times / count;
    return { value, share, excess: share > 0.5 ? excess(share, (all.get(value) || 0) / total) : 0 };
  }

  /**
   * The shortest stretch that holds most of a group, and by how much that is more than usual.
   * @param {Map<number, number>} inside @param {Map<number, number>} all @param {number} count @param {number} total
   */
  function stretch(inside, all, count, total) {
    const values = [...inside].sort((a, b) => a[0] - b[0]);
    let [low, high, share] = [-Infinity, Infinity, 0];
    for (let from = 0, to = 0, held = 0; from < values.length; held -= values[from++][1]) {
      while (to < values.length && held < INSIDE * count) held += values[to++][1];
      if (held < INSIDE * count) break;
      const [a, b] = [values[from][0], values[to - 1][0]];
      if (b - a < high - low) [low, high, share] = [a, b, held / count];
    }
    let usual = 0;
    for (const [value, times] of all) if (value >= low && value <= high) usual += times / total;
    return { low, high, share, excess: excess(share, usual) };
  }

  /** A part of a scale in words: one of its ends, or nothing. @param {Atlas.Naming} naming @param {number} low @param {number} high */
  const endOf = ({ low: first, high: last }, low, high) => (high <= STEPS / 2 ? first : low >= STEPS / 2 ? last : "");

  /**
   * What is common to some slots, with its share, or "" for nothing.
   * @param {Features} features @param {Uint32Array} slots
   */
  function nameOf(features, slots) {
    const { totals, known, tokens } = features;
    const count = slots.length;
    /** @param {string} name */
    const all = (name) => /** @type {Map<any, number>} */ (totals.get(name) || new Map());
    /** @param {string} text @param {number} share */
    const said = (text, share) => `${text} · ${Math.round(100 * share)} %`;
    const texts = features.attributes.every(({ modality }) => modality !== "image");
    if (texts) {
      const token = commonest(features.tally(slots, (slot) => tokens.token(slot)?.text ?? ""), all("token"), count, known);
      if (token.excess >= LEAST) return said(`“${labelText(token.value)}”`, token.share);
    }
    /** @type {{text: string, excess: number}[]} */
    const found = [];
    if (texts) {
      const places = stretch(features.tally(slots, (slot) => tokens.token(slot)?.position ?? -1), all("position"), count, known);
      const words = places.low === places.high ? `position ${places.low}` : `positions ${places.low}–${places.high}`;
      found.push({ text: words, excess: places.excess });
    }
    for (const naming of features.attributes) {
      const inside = features.tally(slots, (slot) => features.valueOf(naming.name, slot));
      if (naming.categories.length) {
        const one = commonest(inside, all(naming.name), count, known);
        found.push({ text: said(naming.categories[one.value] ?? "", one.share), excess: naming.categories[one.value] ? one.excess : 0 });
      } else {
        const part = stretch(inside, all(naming.name), count, known);
        const words = endOf(naming, part.low, part.high);
        found.push({ text: words, excess: words ? part.excess : 0 });
      }
    }
    const best = found.reduce((a, b) => (b.excess > a.excess ? b : a), { text: "", excess: 0 });
    return best.excess >= LEAST ? best.text : "";
  }

  const api = { Features, nameOf, commonest, stretch };
  atlas.crowdNames = api;
  if (typeof module !== "undefined") module.exports = api;
})((globalThis.atlas_head_scene ??= {}));
