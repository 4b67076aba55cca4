/** What a static page holds and shows. */

declare var atlas_static: any;
declare var atlasFile: any;
declare var atlasPage: any;

declare namespace Atlas {
  /** What stands behind a field of the page. */
  interface StaticOption {
    value: string;
    label: string;
  }

  /** A stream with its maps and colours; `colours`: by theme, then by attribute */
  interface StaticStream {
    payload: Payload;
    maps: Record<string, Projection>;
    colours: Record<string, Record<string, Colour>>;
    /** layers of an input's attention that share a file */
    share: number;
    /** of each layer the model's own number, where it is not its row */
    numbers: number[] | null;
    /** an input worth looking at first */
    first: number;
  }

  /** attended: how many inputs have their attention here */
  interface StaticManifest {
    modality: string;
    inputs: number;
    attended: number;
    inputsAFile: number;
    stream: string;
    streams: Record<string, StaticStream>;
    /** base of the scene's addresses, and the folder of the files */
    base: string;
  }

  /** What one looks at, as the address has it behind `#`. */
  interface StaticState {
    stream: string;
    map: string;
    colour: string;
    head: Head | null;
    selection: Selection | null;
    query: string;
    mode: string;
    measure: string;
    form: string;
  }

  /** Texts of a token table that a search looks through, a row a token. */
  interface Searched {
    raw: string[];
    text: string[];
    word: number[];
    input: number[];
    /** by row the whole characters of which it holds a part */
    split: Record<string, string[]>;
    /** of images: what fills a patch, the line of each image, and which tokens are no patches */
    object?: string[];
    lines?: string[];
    special?: number[];
  }

  interface StaticScripts {
    manifest: StaticManifest;
    search: typeof import("./search.js");
    files: typeof import("./files.js");
    state: typeof import("./state.js");
    page: typeof import("./page.js");
  }
}
