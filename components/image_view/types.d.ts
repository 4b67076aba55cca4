/** The image view: one head on one image. */

declare var atlas_image_view: any;

declare namespace Atlas {
  /** What the server says of an image: pixels, and patches. */
  interface ImageFacts {
    width: number;
    height: number;
    rows: number;
    columns: number;
    name: string;
    label: string;
  }

  interface ImageLayout {
    image: Rectangle;
    rows: number;
    columns: number;
    specials: number;
    boxes: Rectangle;
    height: number;
  }

  /** How weights are laid over the image. opacity: 0 … 1; shade: linear, sqrt, clipped; source: head, rollout;
   * arrows: strongest, all. */
  interface ImageLook {
    shade: string;
    opacity: number;
    source: string;
    arrows: string;
  }

  interface ImagePair {
    query: number;
    key: number;
    rows: [string, string][];
  }

  /** Props of ImageView; components/image_view/__init__.py says what each does. */
  interface ImageViewProps {
    id?: string;
    className?: string;
    payload?: Pick<Payload, "base" | "stream" | "layers" | "heads" | "queries" | "probe"> | null;
    layer?: number;
    head?: number;
    selection?: Selection | null;
    mode?: string;
    topk?: number;
    threshold?: number;
    hideSpecial?: boolean;
    hideFirst?: boolean;
    hideWithin?: boolean;
    hideAcross?: boolean;
    hidden?: HiddenTokens;
    look?: ImageLook;
    theme?: string | null;
    pair?: ImagePair | null;
    picked?: { token: number | null; side: Side | null; n: number };
    toggled?: { token: number; side: Side; n: number };
    hover?: { query: number | null; key: number | null; weight: number | null } | null;
    setProps?: (changes: Partial<ImageViewProps>) => void;
  }

  interface ImageAddresses {
    input: string;
    picture: string;
    attention: string;
    offset: string;
    base: string;
    stream: string;
    number: number;
  }

  interface ImageData {
    facts: ImageFacts;
    names: string[];
    special: number[];
    first: number;
    count: number;
    specials: number;
    raw: Uint16Array;
    picture: HTMLImageElement;
  }

  interface OffsetMeans {
    rows: number;
    columns: number;
    mean: (number | null)[];
    count: number[];
  }

  /** All that the picture follows from. */
  interface ImageScene {
    width: number;
    layout: ImageLayout;
    picture: CanvasImageSource;
    look: ImageLook;
    names: string[];
    colours: Record<"cell" | "muted" | "text" | "query" | "key" | "arrow", string>;
    font: string;
    table: Uint8ClampedArray;
    /** shade of each token, where weights are laid over */
    levels: Float32Array | null;
    /** weight that has the full shade */
    top: number;
    weights: Float32Array;
    keys: number;
    /** pairs drawn as arrows, weakest first */
    pairs: Uint32Array | null;
    /** values of each token for the chosen one, or on average */
    line: Float32Array;
    chosen: number;
    side: Side;
    hover: number;
    /** the rectangle that is being drawn */
    drag: Rectangle | null;
  }

  /** What the element of an image view answers. */
  interface OpenImageView {
    /** Show it before the page hears of it, which it should soon. */
    show(chosen: Selection): Promise<void>;
    prefetch(input: number): void;
  }

  interface ImageViewScripts {
    geometry: typeof import("./geometry.js");
    paint: typeof import("./paint.js");
    data: typeof import("./data.js");
    strips: typeof import("./strips.js");
    legend: typeof import("./legend.js");
    pointer: typeof import("./pointer.js");
    view: typeof import("./view.js");
    ImageView: unknown;
  }
}
