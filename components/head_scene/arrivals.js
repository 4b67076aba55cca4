/**
 * What the scene does with what has been fetched: takes it over, moves points to it, hands it to the renderer.
 */
(function (atlas) {
  const draw = atlas.draw;
  const { calm } = atlas.motion;

  const MOVE_MS = 700;
  /** More points than this are not moved from projection to projection, they are replaced. */
  const MOST_MOVING = 300_000;
  const NEUTRAL = "#7b8794";

  class Arrivals extends atlas.Loop {
    /** The open head has other positions: put there at once, or moved there from `before`. */
    livePlaced(before, moves) {
      const { data } = this;
      data.endMove();
      this.marksBlock = null;
      if (moves && this.webgl && !calm() && this.isOpen && data.set.complete(this.open)) {
        data.previous = before;
        this.mixing.set(0);
        this.mixing.to(1, MOVE_MS, performance.now());
      } else {
        this.mixing.set(1);
        before.close();
      }
      this.redraw();
    }

    dataChanged(what, detail) {
      if (this.destroyed) return;
      if (what === "moved" || what === "moving") return this.livePlaced(detail, what === "moving");
      if (what === "chunk") this.chunkArrived();
      if (what === "order") this.renderer.setValues("kind", this.data.kinds, draw.textureRows(this.data.points));
      if (what === "order") this.renderer.setValues("sizes", new Uint8Array(1), 1); // a texture must be bound
      if (what === "sizes" && this.data.sizes) {
        this.renderer.setValues("sizes", this.data.sizes.values, draw.textureRows(this.data.points));
      }
      if (what === "colour" || what === "order") this.useColour();
      if (what === "marks" || what === "order") this.marksBlock = null;
      if (what === "searched") this.setProps({ searchCount: this.data.searchCount });
      if (what === "failure") this.showFailure();
      if (what === "tokens") this.interaction.refreshTooltip();
      if (["order", "colour", "marks", "sizes"].includes(what)) this.redraw();
      else if (["lines", "tokens", "average"].includes(what)) this.redrawOverlay();
      else this.wake();
    }

    chunkArrived() {
      const { data } = this;
      if (data.incoming) this.adoptIncoming();
      if (data.marks.length) this.marksBlock = null;
      // The picture in progress goes on with the new chunk, unless highlights have to be gathered anew.
      if (data.marks.length) this.redraw();
      this.tellStatus();
    }

    /** Take over a new projection: at its first chunk, or once complete when the points are to move there. */
    adoptIncoming() {
      const { data } = this;
      const next = data.incoming;
      if (!next.loaded(this.open) && next.wanted(this.open)) return;
      const moves = this.canMove(next);
      if (moves && !next.complete(this.open)) return;
      data.adopt(moves);
      this.marksBlock = null;
      if (moves) {
        this.mixing.set(0);
        this.mixing.to(1, MOVE_MS, performance.now());
      }
      this.redraw();
    }

    canMove(next) {
      const { set } = this.data;
      if (!this.webgl || calm() || !set || set.dims !== next.dims || !set.complete(this.open)) return false;
      const cells = this.isOpen ? 1 : this.runs(Infinity).reduce((sum, run) => sum + run.count, 0);
      return cells * next.wanted(this.open) * this.props.payload.chunk <= MOST_MOVING;
    }

    /** Put the palette, and the right palette indices, where the shader looks for them. */
    useColour() {
      const { data, renderer } = this;
      if (!data.client || !data.order) return;
      const colour = data.shownColour;
      const byHead = colour && colour.scope === "head";
      renderer.setPalette(atlas.payload.paletteBytes(colour ? colour.palette : [NEUTRAL]));
      if (byHead && data.headColoursFit) {
        this.writeHeadColours(colour);
      } else {
        this.written = null;
        this.headRows = 0;
        const values = colour && (byHead ? data.headIndices.get(this.open) : data.indices);
        renderer.setValues("index", values || new Uint8Array(data.points), draw.textureRows(data.points));
      }
      this.redraw();
    }

    /** Heads are written as they arrive, into one texture of all heads. */
    writeHeadColours(colour) {
      const { data, renderer } = this;
      if (!this.written || this.written.name !== colour.name) {
        renderer.reserveHeads("index", data.client.cells, data.points);
        this.written = { name: colour.name, cells: new Set() };
      }
      this.headRows = draw.textureRows(data.points);
      for (const [cell, values] of data.headIndices) {
        if (!this.written.cells.has(cell)) renderer.setHeadValues("index", cell, values);
        this.written.cells.add(cell);
      }
    }

    showFailure() {
      const [failure] = this.data.failures.values();
      const text = failure ? `Could not load: ${failure.message}.` : null;
      this.overlay.setMessage(text, failure ? () => this.data.retry() : null);
      this.tellStatus();
    }
  }

  atlas.Arrivals = Arrivals;
})(window.atlas_head_scene);
