/* Files that are brought on the page New atlas: each is the body of one request, streamed and not held in the page. */
(() => {
  "use strict";
  const root = (window.dash_clientside ??= {});
  const CHOOSE = "new-choose";
  /** @type {XMLHttpRequest | null} */
  let sending = null;

  /** Bytes in words, as the server writes them. @param {number} bytes */
  function readable(bytes) {
    const units = ["B", "kB", "MB"];
    for (const unit of units) {
      if (bytes < 1000) return `${bytes.toFixed(0)} ${unit}`;
      bytes /= 1000;
    }
    return `${bytes.toFixed(1)} GB`;
  }

  /** @param {string} text */
  const say = (text) => root.set_props("new-upload-says", { children: text });

  /** Send one file. @param {File} file @param {string} address @param {(share: number) => unknown} tell
   * @returns {Promise<any>} what the server answers */
  function send(file, address, tell) {
    return new Promise((done, fail) => {
      const request = new XMLHttpRequest();
      sending = request;
      request.open("POST", address);
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => tell(event.loaded / Math.max(1, event.total));
      request.onload = () => {
        if (request.status === 200) done(JSON.parse(request.responseText));
        else fail(new Error(request.responseText.slice(0, 400) || `The server answered ${request.status}.`));
      };
      request.onerror = () => fail(new Error(`${file.name} could not be sent; try again.`));
      request.onabort = () => fail(new Error(""));
      request.send(file);
    });
  }

  /** Let the reader choose files. @param {boolean} several @param {(files: File[]) => unknown} take */
  function choose(several, take) {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = several;
    input.addEventListener("change", () => {
      if (input.files?.length) take([...input.files]);
    });
    input.click();
  }

  /** Send files one after the other, as one upload. @param {File[]} files */
  async function bring(files) {
    const button = document.getElementById(CHOOSE);
    if (!button || !files.length) return;
    sending?.abort();
    const most = Number(button.dataset.most);
    const total = files.reduce((sum, file) => sum + file.size, 0);
    if (total > most) {
      say(`${files.length > 1 ? "They have" : "It has"} ${readable(total)}; ${readable(most)} are the most that can be uploaded here.`);
      return;
    }
    root.set_props("new-upload", { data: null });
    const base = `${root.atlasNew.prefix()}upload`;
    let sent = 0;
    /** @type {{id: string, files: number, name: string, bytes: number} | null} */
    let found = null;
    try {
      for (const file of files) {
        const address = `${base}${found ? `/${found.id}` : ""}?name=${encodeURIComponent(file.name)}`;
        const before = sent;
        found = await send(file, address, (share) => {
          say(`Sending … ${Math.round((100 * (before + share * file.size)) / Math.max(1, total))} %`);
        });
        sent += file.size;
      }
    } catch (error) {
      if (/** @type {Error} */ (error).message) say(/** @type {Error} */ (error).message);
      return;
    }
    if (!found) return;
    say(`${found.files > 1 ? `${found.files} images` : found.name}, ${readable(found.bytes)}`);
    root.set_props("new-upload", { data: { id: found.id } });
  }

  document.addEventListener("click", (event) => {
    if (!(/** @type {Element} */ (event.target).closest?.(`#${CHOOSE}`))) return;
    choose(true, bring);
  });
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!(/** @type {Element} */ (event.target).closest?.(`#${CHOOSE}`))) return;
      event.preventDefault();
      if (kind === "drop") bring([...(/** @type {DragEvent} */ (event).dataTransfer?.files ?? [])]);
    });
  }

  // What was typed a moment ago is built, though the page has not looked at it yet.
  for (const kind of ["pointerdown", "focusin"]) {
    document.addEventListener(kind, (event) => {
      if (!(/** @type {Element} */ (event.target).closest?.("#new-start"))) return;
      const text = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("new-text"));
      if (text) root.set_props("new-text", { value: text.value });
    });
  }

  root.atlasNew = {
    choose,
    readable,
    send,
    /** The path that the dashboard is served under. */
    prefix: () => {
      const config = document.getElementById("_dash-config")?.textContent;
      return (config ? JSON.parse(config).requests_pathname_prefix : null) || "/";
    },
    /** Only the fields of the corpus that is chosen. @param {string} kind */
    show: (kind) => [
      kind === "paste" ? "field" : "d-none",
      kind === "upload" ? "new-uploading" : "d-none",
      kind === "dataset" ? "new-fetching" : "d-none",
      kind === "paste" || kind === "upload" ? "" : "d-none",
    ],
  };
})();
