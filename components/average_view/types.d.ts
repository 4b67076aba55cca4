/** Mean attention of one head. */

declare var atlas_average_view: any;

declare namespace Atlas {
  /** How means are made and shown. */
  interface AverageOptions {
    special?: boolean;
    first?: boolean;
    values?: boolean;
    cut?: boolean;
    offsets?: boolean;
    queries?: number[];
    keys?: number[];
  }

  /** Props of AverageView; components/average_view/__init__.py says what each does. */
  interface AverageProps {
    id?: string;
    className?: string;
    payload?: Pick<Payload, "base" | "stream" | "mask" | "unattended"> | null;
    layer?: number | null;
    head?: number | null;
    options?: AverageOptions;
    selection?: { input: number | null; token: number | null; side: Side } | null;
    enough?: number;
    visible?: boolean;
    theme?: string;
    chosen?: (Selection & { n: number }) | null;
    setProps?: (changes: Partial<AverageProps>) => void;
  }

  /** Means of one head over all inputs. */
  interface HeadMeans {
    queries: number;
    keys: number;
    inputs: number;
    /** distances that have a value of their own, each way */
    reach: number;
    /** [queries][keys] */
    mean: Float32Array;
    /** inputs behind each mean */
    count: Uint32Array;
    /** by distance, then further before and further after; null where it has not been worked out */
    offsets: Float32Array | null;
    offsetCounts: Uint32Array | null;
  }

  /** Means as shown: [rows][columns]. */
  interface ShownMeans {
    rows: number;
    columns: number;
    weights: Float32Array;
    max: number;
  }

  /** A bar: the distance of key from query, ±Infinity for all further ones, and its place in the data. */
  interface DistanceBar {
    offset: number;
    index: number;
  }

  /** What the pointer is at: a cell, or a bar. */
  type MeanCursor = { query: number; key: number } | { bar: number } | null;

  /** All that words and picture follow from. */
  interface AverageState {
    means: HeadMeans;
    shown: ShownMeans;
    bars: DistanceBar[];
    sides: InputSides | null;
    options: AverageOptions;
    token: { position: number; side: Side } | null;
    mask: StreamMask;
    /** fewer inputs than this make no mean to rely on */
    enough: number;
    at: MeanCursor;
  }

  interface AverageViewScripts {
    means: typeof import("./means.js");
    words: typeof import("./words.js");
    paint: typeof import("./paint.js");
    view: typeof import("./view.js");
    AverageView: unknown;
  }
}
