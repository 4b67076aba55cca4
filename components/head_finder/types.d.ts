/** The finder of heads. */

declare var atlas_head_finder: any;

declare namespace Atlas {
  /** What a link to the page says; components/state/heads_page.py declares it. */
  interface FinderState {
    atlas: string;
    stream: string;
    map: string;
    by: "attention" | "weights" | "measures";
    x: string;
    y: string;
    colour: string;
    families: number;
    q: string;
    order: string;
    like: string;
    other: string;
    set: string;
  }

  /** Where heads lie that attend alike, and their families; services/payloads/heads.py. */
  interface FinderMap {
    x: number[];
    y: number[];
    shown: number;
    rows: number;
    inputs: number;
    landmarks: number;
    most: number;
    family: number[];
    silhouette: number | null;
    names: string[];
    reasons: string[];
  }

  interface FinderLikes {
    atlas: string;
    title: string;
    stream: string;
    layers: number;
    heads: number;
    /** the model's numbers of its layers, where these are not its rows */
    numbers?: number[];
    divergence: number[];
    rows: number;
    inputs: number;
  }

  /** How numbers are written; services/measures/measure.py. */
  interface FinderForm {
    factor: number;
    digits: number;
    unit: string;
  }

  /** One number about every head: NaN where it is not defined, and by cell why not. */
  interface FinderColumn {
    name: string;
    label: string;
    sentence: string;
    group: string;
    form: FinderForm;
    /** head: of the heads themselves; page: what this page adds */
    scope: "head" | "map" | "space" | "page";
    listed: boolean;
    values: ArrayLike<number>;
    reasons: Map<number, string>;
  }

  type FinderColumns = InstanceType<HeadFinderScripts["columns"]["Columns"]>;

  /** All numbers, as they are served; services/payloads/heads.py. */
  interface FinderPayload {
    layers: number;
    heads: number;
    measures: Omit<FinderColumn, "values" | "reasons">[];
    values: Record<string, (number | null)[]>;
    reasons: Record<string, Record<string, number[]>>;
  }

  type FinderShape = "disc" | "triangle" | "square" | "diamond" | "cross" | "flipped";

  interface FinderLook {
    colour: string;
    shape: FinderShape | "ring";
    faint: boolean;
  }

  interface FinderPaint {
    fill?: string;
    stroke?: string;
    width?: number;
    alpha?: number;
  }

  interface FinderWords {
    colour: string;
    size?: number;
    anchor?: "start" | "middle" | "end";
    turned?: boolean;
    bold?: boolean;
  }

  /** What draws: a canvas, or the text of an SVG file. */
  interface FinderInk {
    /** straight lines from point to point */
    path(points: number[][], paint: FinderPaint, closed?: boolean): void;
    disc(x: number, y: number, radius: number, paint: FinderPaint): void;
    text(text: string, x: number, y: number, words: FinderWords): void;
    /** a mark of a kind, which `draw` draws about a place */
    stamp(kind: string, x: number, y: number, reach: number, draw: (ink: FinderInk, x: number, y: number) => void): void;
  }

  interface FinderAxis {
    label: string;
    form: FinderForm;
    values: ArrayLike<number>;
  }

  interface FinderTick {
    at: number;
    text: string;
  }

  /** Where heads lie, px; NaN for those that have no place. */
  interface FinderPlaces {
    x: Float64Array;
    y: Float64Array;
    xTicks: FinderTick[];
    yTicks: FinderTick[];
    area: { left: number; top: number; right: number; bottom: number };
  }

  interface FinderColours {
    text: string;
    muted: string;
    edge: string;
    ground: string;
    accent: string;
  }

  /** Props of HeadFinder; components/head_finder/__init__.py says what each does. */
  interface FinderProps {
    id?: string;
    base?: string;
    stream?: string;
    version?: string;
    maps?: { name: string; key: string; label: string }[];
    others?: { slug: string; title: string }[];
    likeness?: { state: string; says: string; by: string } | null;
    wanted?: string;
    theme?: string;
    state?: FinderState;
    setProps?: (changes: Partial<FinderProps>) => void;
  }

  interface HeadFinderScripts {
    query: typeof import("./query.js");
    columns: typeof import("./columns.js");
    colours: typeof import("./colours.js");
    ink: typeof import("./ink.js");
    plot: typeof import("./plot.js");
    dom: typeof import("./dom.js");
    table: typeof import("./table.js");
    controls: typeof import("./controls.js");
    legend: typeof import("./legend.js");
    like: typeof import("./like.js");
    chart: typeof import("./chart.js");
    view: typeof import("./view.js");
    HeadFinder: unknown;
  }
}
