/**
 * When frames are drawn: batches that leave time to the page, until the picture is whole.
 */
(function (atlas) {
  const { same } = atlas.payload;

  /** Length of a batch while nobody touches the picture: longer ones cost less in all, shorter ones answer sooner. */
  const STILL_MS = 200;

  class Loop extends atlas.Picture {
    redraw() {
      this.dirty = true;
      this.wake();
    }

    redrawOverlay() {
      this.overlayDirty = true;
      this.wake();
    }

    wake() {
      if (this.ticking || this.destroyed || this.lost) return;
      this.ticking = requestAnimationFrame((now) => this.tick(now));
    }

    tick(now) {
      this.ticking = null;
      this.step(now);
      if (!this.settled()) return this.data.pending && !this.drawing() ? undefined : this.wake();
      this.finished();
      return undefined;
    }

    step(now) {
      if (this.camera.step(now) | this.openness.step(now) | this.moveStep(now)) this.dirty = true;
      if (this.renderer.busy()) return;
      this.noteTiming();
      if (!this.grid) return this.drawNothing();
      if (this.dirty) {
        if (!this.moving()) this.tellViewpointSoon();
        this.dirty = false;
        this.renderer.begin(this.frame());
        this.fresh = true;
        this.overlayDirty = true;
      }
      const still = now - (this.touchedAt || 0) > 250 && !this.moving();
      const drawn = this.renderer.advance(still ? STILL_MS : 24);
      if ((drawn || this.fresh) && this.renderer.presentable) {
        this.renderer.present();
        this.renderer.setFence();
        this.fresh = false;
        this.frames++;
      }
      if (this.overlayDirty && !this.fresh) this.drawOverlay();
    }

    drawNothing() {
      this.dirty = this.overlayDirty = false;
      this.canvas.style.visibility = "hidden";
      this.overlay.setHeading("");
      this.overlay.setProgress(1);
      this.overlay.context.clearRect(0, 0, this.overlay.canvas.width, this.overlay.canvas.height);
    }

    moveStep(now) {
      if (!this.mixing.active) return false;
      this.mixing.step(now);
      if (!this.mixing.active) {
        this.data.endMove();
        if (this.marksBlock) this.marksBlock = { ...this.marksBlock, previous: null };
      }
      return true;
    }

    moving() {
      return this.camera.active || this.openness.active || this.mixing.active;
    }

    drawing() {
      const more = !this.renderer.finished && this.renderer.frame.blockOf(this.nextChunk());
      return this.dirty || this.overlayDirty || this.moving() || Boolean(this.renderer.fence) || Boolean(more);
    }

    nextChunk() {
      const { cursor } = this.renderer;
      return typeof cursor === "number" ? cursor : cursor.chunk;
    }

    settled() {
      const complete = !this.grid || !this.data.set || !this.data.order || this.renderer.finished;
      return this.data.pending === 0 && complete && !this.drawing();
    }

    finished() {
      if (this.timing.start !== undefined && this.timing.full === undefined && this.data.set) {
        this.timing.full = performance.now() - this.timing.start;
        this.timing.first ??= this.timing.full;
        this.tellStatus();
      }
      if (this.data.set && this.warmed !== this.dims) {
        this.warmed = this.dims;
        (window.requestIdleCallback || window.setTimeout)(() => this.destroyed || this.lost || this.renderer.warm(this.dims === 3));
      }
      this.finishWaiting();
    }

    finishWaiting() {
      this.waiting.splice(0).forEach((resolve) => resolve());
    }

    noteTiming() {
      if (this.timing.first === undefined && this.renderer.drawnPoints > 0) {
        this.timing.first = performance.now() - this.timing.start;
        this.tellStatus();
      }
    }

    tellStatus() {
      const { data, timing } = this;
      const set = data.incoming || data.set;
      const part = set && set.wanted(this.open) ? set.loaded(this.open) / set.wanted(this.open) : data.set ? 1 : 0;
      const [failure] = data.failures.values();
      this.overlay.setProgress(this.props.payload && this.props.projection && !failure ? part : 1);
      const whole = (ms) => (ms === undefined ? null : Math.round(ms));
      const status = {
        webgl: this.webgl, loaded: Math.round(part * 4) / 4, firstMs: whole(timing.first), fullMs: whole(timing.full),
        points: data.client ? data.points * data.client.cells : 0, message: failure ? failure.message : "",
      };
      if (same(status, this.status)) return;
      this.status = status;
      this.setProps({ status });
    }

    drawOverlay() {
      this.overlayDirty = false;
      this.canvas.style.visibility = "visible";
      const state = this.overlayState();
      if (this.sprites) this.arrangeSprites();
      this.overlay.setHeading(this.isOpen ? this.nameOf(this.open) : "");
      this.overlay.draw(state);
    }

    /** Resolves when everything asked for has been fetched and drawn. */
    ready() {
      return new Promise((resolve) => {
        this.waiting.push(resolve);
        this.wake();
      });
    }
  }

  atlas.Loop = Loop;
})(window.atlas_head_scene);
