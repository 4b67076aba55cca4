/** What the parts of HeadCompare hand to each other. */

declare var atlas_compare: any;

interface Window {
  atlas_head_finder: Atlas.HeadFinderScripts;
}

declare namespace Atlas {
  /** What is shown; components/state/compare_page.py. */
  interface CompareState {
    atlas: string;
    stream: string;
    layer: number;
    head: number;
    other: string;
    stream2: string;
    layer2: number;
    head2: number;
    /** the model's numbers of either pane's layers, empty where these are its rows */
    numbers: number[];
    numbers2: number[];
    map: string;
    fit: boolean;
    colour: string;
    palette: string;
    q: string;
    mode: string;
    /** "a12q": pane, row of its table, side; "": none */
    token: string;
    at: string;
    show: string;
    order: string;
  }

  /** 0: the first pane, 1: the second */
  type CompareSide = 0 | 1;

  interface CompareHead extends Head {
    slug: string;
    stream: string;
  }

  interface ComparePane {
    slug: string;
    title: string;
    key: string;
    payload: Payload;
    streams: { value: string; label: string }[];
    maps: Record<string, Projection>;
  }

  interface CompareStep {
    step: number;
    slug: string;
    key: string;
    title: string;
  }

  interface CompareColour {
    value: string;
    label: string;
    kind: string;
    low: string;
    high: string;
  }

  /** What two streams share: services/payloads/compare.py. inputs: pairs of rows, null: all, under the same number */
  interface CompareShared {
    inputs: [number, number][] | null;
    count: number;
    points: number;
    otherwise: number;
    only: [number, number];
  }

  interface CompareFit {
    disparity: number;
    scale: number;
    points: number;
  }

  /** One line of the table: services/payloads/compare.py. */
  interface CompareRow {
    side: Side;
    row: number;
    row2: number;
    text: string;
    input: number;
    position: number;
    moved: number | null;
    attended: number | null;
  }

  interface CompareRanked {
    rows: CompareRow[];
    of: number;
    mean: { moved: number | null; attended: number | null };
    why: { moved: string; attended: string };
  }

  /** numbers: the model's of its layers, empty where these are its rows */
  interface CompareShape {
    layers: number;
    heads: number;
    numbers: number[];
  }

  /** All heads of both streams: services/payloads/compare.py. */
  interface CompareChanges {
    shapes: CompareShape[];
    typical: number | null;
    rows: number;
    inputs: number;
    matchRows: number;
    change: (number | null)[] | null;
    low: (number | null)[] | null;
    high: (number | null)[] | null;
    best: number[] | null;
    best_bits: number[] | null;
    taken: number[] | null;
    taken_bits: (number | null)[] | null;
  }

  /** What has been fetched; a sentence where it could not be. colours, searched: of both panes */
  interface CompareFound {
    shared: CompareShared | null;
    partner: InstanceType<CompareScripts["partner"]["Partner"]> | null;
    fit: CompareFit | null;
    colours: (Colour | null)[];
    searched: any[];
    problem: string;
    unfit: string;
    ranked: CompareRanked | null;
    unranked: string;
    colourless: string;
    changes: CompareChanges | null;
  }

  /** Props of HeadCompare; components/compare/__init__.py says what each does. */
  interface CompareProps {
    id?: string;
    panes?: ComparePane[];
    series?: CompareStep[];
    atlases?: { slug: string; title: string }[];
    colours?: CompareColour[];
    modes?: { value: string; label: string }[];
    lines?: LineChoice;
    theme?: string;
    wanted?: boolean;
    changes?: { state: string; says: string } | null;
    state?: CompareState;
    setProps?: (changes: Partial<CompareProps>) => void;
  }

  interface CompareScripts {
    partner: typeof import("./partner.js");
    legend: typeof import("./legend.js");
    controls: typeof import("./controls.js");
    pane: typeof import("./pane.js");
    steps: typeof import("./steps.js");
    words: typeof import("./words.js");
    rows: typeof import("./rows.js");
    exporter: typeof import("./export.js");
    table: typeof import("./table.js");
    matrix: typeof import("./matrix.js");
    heads: typeof import("./heads.js");
    view: typeof import("./view.js");
    HeadCompare: unknown;
  }
}
