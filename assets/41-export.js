/* The Export menu: pictures are made here, from the scene as it is; tables and the HTML file come from the server. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const FONT = "Inter, Helvetica, Arial, sans-serif";
  const PAD = 24;
  /** @param {string} id @returns {HTMLInputElement} */
  const $ = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));
  const scene = () => $("scene")?.atlasScene;
  const held = () => window.atlasStores.held("atlas");
  const told = () => Object.fromEntries(window.atlasLink.parameters("atlas", held()));

  function say(text, isError) {
    const status = $("export-status");
    if (!status) return;
    status.textContent = text;
    status.classList.toggle("export-error", Boolean(isError));
  }

  // --- what is shown, in words and colours --------------------------------------------------------------------------

  /** The legend on the page as rows of texts, markers, swatches and bars. */
  function legendRows() {
    const rows = [];
    const walk = (node, row) => {
      for (const child of node.childNodes) {
        if (child.nodeType === Node.TEXT_NODE) {
          if (child.textContent.trim()) row.push({ text: child.textContent.trim() });
          continue;
        }
        const style = getComputedStyle(child);
        const has = (name) => child.classList.contains(name);
        if (has("legend-marker")) row.push({ marker: has("legend-marker-key") ? "key" : "query", colour: style.backgroundColor });
        else if (has("legend-swatch")) row.push({ marker: "swatch", colour: style.backgroundColor });
        else if (has("legend-bar")) row.push({ bar: style.backgroundImage.match(/rgba?\([^)]*\)/g) || [] });
        else walk(child, row);
      }
    };
    for (const child of document.querySelectorAll("#legend .legend-row, #legend .legend-note")) {
      const row = [];
      walk(child, row);
      if (row.length) rows.push(row);
    }
    return rows;
  }

  function place() {
    const payload = scene().payload();
    const { open } = scene().stats();
    const layer = window.atlas_client.layers.numberOf(Math.floor(open / payload.heads)); // files name what the model counts
    const head = open < 0 ? null : { layer, head: open % payload.heads };
    return { head, base: `${payload.base.replace("/payload/", "/export/")}/${payload.stream}`, projection: scene().shown().projection };
  }

  async function facts() {
    const { head, base, projection } = place();
    const query = new URLSearchParams({ projection: projection ? projection.name : "" });
    for (const [name, value] of Object.entries(head || {})) query.set(name, String(value));
    const answer = await fetch(`${base}/facts?${query}`);
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    const found = await answer.json();
    const set = $("set-count")?.textContent;
    const searched = $("search-box")?.value.trim();
    const { scale, align } = told();
    const other = [scale && `scaled by ${scale}`, align && `aligned as ${align}`].filter(Boolean);
    if (other.length) { // the caption is of the atlas's own map
      found.caption = found.caption.filter((sentence) => !/^(Queries scaled|Fidelity)/.test(sentence));
      found.caption.push(`Not the atlas's own alignment: ${other.join(", ")}.`);
    }
    const outside = scene().stats().outside;
    if (outside && outside.points) found.caption.push(`Half dots: ${$("outside-says").textContent.replace(/: $/, "")} the frame, shown at its edge.`);
    if (set) found.caption.push(`Lit: a set of ${set}.`);
    else if (searched) found.caption.push(`Lit: the search for “${searched}” (${$("search-count").textContent}).`);
    return found;
  }

  // --- the page about the picture -----------------------------------------------------------------------------------

  function wrap(c, text, width) {
    const lines = [];
    let line = "";
    for (const word of text.split(" ")) {
      const longer = line ? `${line} ${word}` : word;
      if (line && c.measureText(longer).width > width) {
        lines.push(line);
        line = word;
      } else line = longer;
    }
    return line ? [...lines, line] : lines;
  }

  const numbers = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map(Number);

  function bar(c, colours, x, y, width) {
    const steps = 60;
    const stops = colours.map(numbers);
    for (let i = 0; i < steps && stops.length > 1; i++) {
      const at = (i / (steps - 1)) * (stops.length - 1);
      const low = Math.min(stops.length - 2, Math.floor(at));
      const mixed = stops[low].map((value, k) => Math.round(value + (stops[low + 1][k] - value) * (at - low)));
      c.fillStyle = `rgb(${mixed.join(",")})`;
      c.fillRect(x + (width * i) / steps, y - 4, width / steps + 0.5, 8);
    }
  }

  function marker(c, kind, colour, x, y) {
    c.fillStyle = colour;
    c.beginPath();
    if (kind === "query") c.arc(x + 5, y, 5, 0, 2 * Math.PI);
    else if (kind === "key") {
      c.moveTo(x + 5, y - 6);
      c.lineTo(x + 11, y + 4);
      c.lineTo(x - 1, y + 4);
      c.closePath();
    } else c.rect(x, y - 5, 10, 10);
    c.fill();
  }

  const widthOf = (c, item) => (item.text ? c.measureText(item.text).width : item.bar ? 96 : 11);

  /** Draw, or only measure. @returns {number} height used */
  function legend(c, rows, x, y, width, ink) {
    let down = 0;
    c.font = `400 12px ${FONT}`;
    c.textBaseline = "middle";
    c.textAlign = "left";
    for (const row of rows) {
      let right = 0;
      down += 18;
      for (const item of row) {
        const wide = widthOf(c, item);
        if (right && right + wide > width) {
          right = 0;
          down += 18;
        }
        const lines = item.text && wide > width ? wrap(c, item.text, width) : [item.text];
        if (ink) {
          if (item.marker) marker(c, item.marker, item.colour, x + right, y + down - 9);
          else if (item.bar) bar(c, item.bar, x + right, y + down - 9, 96);
          c.fillStyle = ink;
          lines.forEach((line, i) => line && c.fillText(line, x + right, y + down - 9 + 18 * i));
        }
        down += 18 * (lines.length - 1);
        right += wide + (item.text ? 12 : 6);
      }
    }
    return down;
  }

  /** Title above, legend and source below. @returns {{width, height, draw(c, scenePart)}} */
  function page(words, rows, view, look) {
    const measuring = document.createElement("canvas").getContext("2d");
    const width = view.width;
    measuring.font = `400 11px ${FONT}`;
    const caption = words.caption.flatMap((sentence) => wrap(measuring, sentence, width));
    const legendTop = PAD + 30 + view.height + 12;
    const captionTop = legendTop + legend(measuring, rows, 0, 0, width, null) + 10;
    return {
      width: width + 2 * PAD,
      height: captionTop + 16 * caption.length + PAD - 4,
      async draw(c, drawScene) {
        c.fillStyle = look.ground;
        c.fillRect(0, 0, this.width, this.height);
        await drawScene(PAD, PAD + 30);
        c.fillStyle = look.ink;
        c.font = `600 17px ${FONT}`;
        c.textBaseline = "middle";
        c.textAlign = "left";
        c.fillText(words.title, PAD, PAD + 10);
        legend(c, rows, PAD, legendTop, width, look.ink);
        c.font = `400 11px ${FONT}`;
        c.fillStyle = look.muted;
        caption.forEach((line, i) => c.fillText(line, PAD, captionTop + 16 * i + 6));
      },
    };
  }

  const look = (white) => {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    return white
      ? { ground: "#ffffff", ink: "#16202b", muted: "#55616e" }
      : { ground: read("--atlas-page"), ink: read("--atlas-text"), muted: read("--atlas-muted") };
  };

  const until = async (test, turns) => {
    for (let i = 0; i < turns && !test(); i++) await new Promise((resolve) => setTimeout(resolve, 40));
  };

  /** White paper means the light theme's colours: change to it for the time of the picture. */
  async function inLight(work) {
    const element = document.documentElement;
    const theme = element.getAttribute("data-bs-theme");
    if (theme !== "dark") return work();
    const turn = async (name) => {
      const before = JSON.stringify(scene().shown().colour);
      const legendBefore = $("legend").innerHTML;
      root.set_props("theme", { data: name });
      element.setAttribute("data-bs-theme", name);
      await until(() => scene().shown().theme === name, 60);
      // A palette may be the same in both themes: then there is no change to wait for.
      const turned = () => JSON.stringify(scene().shown().colour) !== before && $("legend").innerHTML !== legendBefore;
      await until(turned, 20);
    };
    await turn("light");
    await scene().ready();
    try {
      return await work();
    } finally {
      await turn("dark");
    }
  }

  async function picture(kind, white, scale) {
    await scene().ready();
    const shot = scene().capture({ white });
    const words = await facts();
    const sheet = page(words, legendRows(), shot.size, look(white));
    if (kind === "svg") return svg(shot, sheet, words.title);
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(sheet.width * scale);
    canvas.height = Math.round(sheet.height * scale);
    const c = canvas.getContext("2d");
    c.scale(scale, scale);
    await sheet.draw(c, async (x, y) => {
      const pixels = await shot.pixels(scale);
      c.drawImage(pixels, x, y, shot.size.width, shot.size.height);
    });
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  /** The image beside the map, with the scale of its weights. */
  async function imagePicture(kind, white, scale) {
    const shot = /** @type {any} */ ($("sentence")).atlasImage?.capture();
    if (!shot) throw new Error("Choose an image first: it is taken along as it is shown.");
    const words = await facts();
    const sheet = page({ title: `${shot.title} · ${words.title}`, caption: words.caption }, shot.legend, shot.size, look(white));
    const { width, height } = shot.size;
    if (kind === "svg") {
      const c = new window.atlas_head_scene.vector.SvgContext(document.createElement("canvas").getContext("2d"));
      await sheet.draw(c, (x, y) => c.group(x, y, width, height, () => {
        c.drawImage(shot.pixels(2), 0, 0, width, height);
        shot.shapes(c);
      }));
      return new Blob([c.file(sheet.width, sheet.height, shot.title)], { type: "image/svg+xml" });
    }
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(sheet.width * scale);
    canvas.height = Math.round(sheet.height * scale);
    const c = canvas.getContext("2d");
    c.scale(scale, scale);
    await sheet.draw(c, (x, y) => {
      c.save();
      c.translate(x, y);
      c.drawImage(shot.pixels(scale), 0, 0, width, height);
      shot.shapes(c);
      c.restore();
    });
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  async function svg(shot, sheet, title) {
    const c = new window.atlas_head_scene.vector.SvgContext(document.createElement("canvas").getContext("2d"));
    const { width, height } = shot.size;
    const raster = shot.vector ? null : await shot.pixels(2, false);
    await sheet.draw(c, (x, y) =>
      c.group(x, y, width, height, () => {
        if (!raster) return shot.draw(c);
        c.drawImage(raster, 0, 0, width, height);
        return shot.drawOverlay(c, 1);
      }));
    return new Blob([c.file(sheet.width, sheet.height, title)], { type: "image/svg+xml" });
  }

  // --- files --------------------------------------------------------------------------------------------------------

  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  /** Letters that are safe in the name of a file. */
  const fileName = (parts, kind) => `${parts.filter(Boolean).join("_").replace(/[^A-Za-z0-9._-]+/g, "-")}.${kind}`;

  /** The name of a picture: atlas, head, map. */
  function pictureName(kind) {
    const { head, projection } = place();
    const parts = [told().atlas, head ? `L${head.layer}H${head.head}` : "all-heads", projection ? projection.name : ""];
    return fileName(parts, kind);
  }

  /** The address of a file of all heads or of the open one, or a sentence why there is none. */
  function address(what) {
    const { head, base, projection } = place();
    if (what.startsWith("measures.")) return `${base}/${what}`;
    const here = `${base}/${head.layer}/${head.head}`;
    const set = $("export-set").checked ? told().set : null;
    const query = new URLSearchParams(set ? { set } : {});
    const [name, kind] = what.split(".");
    if (what === "html") {
      const { colour, palette } = held().colouring;
      query.set("colour", colour);
      query.set("palette", palette);
      if (held().picture.whole) query.set("frame", "all");
      return `${here}/figure/${projection.name}.html?${query}`;
    }
    if (name === "coordinates") return `${here}/coordinates/${projection.name}.${kind}?${query}`;
    if (name === "attention") return `${here}/attention.${kind}`;
    if (name === "attention-input") {
      const { input } = held().selection;
      if (input === null) throw new Error("Choose a token or an input first: its attention is taken along.");
      return `${here}/attention.${kind}?input=${input}`;
    }
    return `${here}/tokens.${kind}?${query}`;
  }

  async function file(what) {
    const answer = await fetch(address(what));
    if (!answer.ok) throw new Error((await answer.text()).slice(0, 200) || `The server answered ${answer.status}.`);
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "");
    save(await answer.blob(), name ? name[1] : `attention-atlas.${what.split(".").pop()}`);
  }

  async function run(what) {
    const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("#export [data-export]"));
    buttons.forEach((button) => (button.disabled = true));
    say("Preparing the file …");
    try {
      const [drawn, kind] = what.startsWith("image.") ? [imagePicture, what.slice(6)] : [picture, what];
      if (kind === "png" || kind === "svg") {
        const white = $("export-white").checked;
        const make = () => drawn(kind, white, Number($("export-scale").value) || 2);
        save(await (white ? inLight(make) : make()), pictureName(drawn === picture ? kind : `image.${kind}`));
      } else if (what === "why.csv") {
        const { head } = place();
        const words = await facts();
        save(window.atlasWhy.csv([words.title, ...words.caption]), fileName([told().atlas, `L${head.layer}H${head.head}`, "why"], "csv"));
      } else await file(what);
      say("Saved.");
    } catch (error) {
      say(error.message || "The file could not be made.", true);
    }
    buttons.forEach((button) => (button.disabled = false));
  }

  // --- the menu -----------------------------------------------------------------------------------------------------

  document.addEventListener("click", (/** @type {Atlas.On<MouseEvent>} */ event) => {
    /** @type {HTMLButtonElement|null} */
    const button = event.target.closest && event.target.closest("#export [data-export]");
    if (button && !button.disabled) run(button.dataset.export);
  });

  window.atlasExport = { wrap, legend, fileName, page, look, save };
})();
