/** What the parts of HeadScene hand to each other. */

declare var atlas_head_scene: any;

declare namespace Atlas {
  // --- what Dash gives ------------------------------------------------------------------------------------------

  type Side = "query" | "key";

  interface Head {
    layer: number;
    head: number;
  }

  /** Where vectors, weights and texts of one stream of one atlas are read: docs/payload.md. */
  interface Payload {
    /** "/payload/<atlas>/<key>" */
    base: string;
    stream: string;
    layers: number;
    heads: number;
    /** the model's numbers of its layers, where these are not its rows */
    numbers?: number[];
    /** heads that share a key head */
    group?: number;
    /** query points; point ids below this are queries */
    queries: number;
    keys: number;
    /** points a chunk */
    chunk: number;
    queryTable: string;
    keyTable: string;
    size?: SizedBy | null;
    modality?: string;
    /** attributes that groups of points are named by */
    naming?: Naming[];
    /** where pictures of the tokens lie on a sheet; null where tokens are no pictures */
    patches?: SheetFacts | null;
    /** what is said where attention would stand, of streams that keep none */
    unattended?: string | null;
    /** texels of a side of the thumbnails of its heads; none where there are no thumbnails */
    thumbnail?: number | null;
    /** token rows a page */
    pageSize: number;
    mask: StreamMask;
    /** the letter of a reader's own input whose addresses these are */
    probe?: string;
  }

  /** An attribute with the names of its values, or of the ends of its scale. */
  interface Naming {
    name: string;
    modality: string | null;
    categories: string[];
    low: string;
    high: string;
  }

  /** A group of points and what is common to them. */
  interface GroupLabel extends Point {
    text: string;
  }

  interface CrowdGroup extends GroupLabel {
    count: number;
  }

  /** The sheet of all patches: square cells of so many pixels, so many in a row. */
  interface SheetFacts {
    path: string;
    cell: number;
    across: number;
  }

  /** Which keys a query can see: distances from least to most, null for no bound; no distances between two texts. */
  interface StreamMask {
    offsets: [number | null, number | null] | null;
    /** what hides the others, in words; null where nothing is hidden */
    hides: string | null;
  }

  interface Projection {
    name: string;
    key: string;
    method: string;
    dims: 2 | 3;
    label?: string;
    /** of each head: "middle" leaves far points at its edge; the scene's own */
    frame?: FrameName;
    /** what completes the map as the size of points */
    size?: SizedBy | null;
  }

  type FrameName = "middle" | "all";

  /** Points outside the frame of the open head, or of their heads, and in how many heads. */
  interface Outside {
    points: number;
    heads: number;
    open: boolean;
  }

  /** An attribute whose values are sizes of points. */
  interface SizedBy {
    attribute: string;
    scope: "token" | "head";
  }

  interface Colour {
    name: string;
    scope: "token" | "head";
    palette: string[];
    label?: string;
    /** names of the palette's entries, for the tooltip */
    values?: string[];
    /** both ends of each head's own scale, head after head */
    ranges?: number[];
    /** where they are read below the payload's base, if they are no attribute's: uint8 [points] */
    path?: string;
  }

  /** A token by its row in the table of its side. */
  interface TokenPlace {
    side: Side;
    row: number;
  }

  /** A chosen token, or an input alone where `token` is null; `token` is a row of its side's table. */
  interface Selection {
    input: number;
    token: number | null;
    side: Side;
  }

  interface Search {
    query: string;
    mode?: string;
    case?: boolean;
  }

  interface TokenSet {
    definition: string;
  }

  /** Values of an attribute that stand out: some, or from one to another; sides: queries (0) or keys (1). */
  interface BrushPart {
    name: string;
    scope: "token" | "head";
    values?: number[];
    range?: [number, number];
    sides?: boolean;
  }

  interface SetCount {
    definition: string;
    points: number;
    tokens: number;
  }

  interface HiddenTokens {
    queries?: number[];
    keys?: number[];
  }

  /** Which attention is drawn as lines: the same choices as SentenceView's. */
  interface LineChoice {
    threshold?: number;
    topk?: number;
    hidden?: HiddenTokens;
    hideSpecial?: boolean;
    hideFirst?: boolean;
    hideWithin?: boolean;
    hideAcross?: boolean;
    byValueNorm?: boolean;
  }

  /** One head in other positions than the projection's. */
  interface LiveProp extends Head {
    dims: number;
    method: string;
    path: string;
    move?: boolean;
  }

  interface Badge {
    text?: string;
    grade?: number | null;
    title?: string;
  }

  interface Viewpoint {
    head: Head | null;
    at: string;
  }

  interface ProbeProp {
    id: string;
    letter: string;
  }

  /** map: "<name>-<key>" · read: which of them is read, -1 for none; its pinned token, or null */
  interface ProbesProp {
    map: string;
    list: ProbeProp[];
    read: number;
    token: number | null;
    side: Side;
  }

  /** values: [heads][count][dims], queries first · from: where its tokens come from, while they move */
  interface LoadedProbe extends ProbeProp {
    sides: InputSides;
    queries: number;
    count: number;
    values: Uint16Array;
    from: Uint16Array | null;
    /** of an image, of each of its tokens, null for special ones */
    patches: (ProbePatch | null)[] | null;
  }

  /** A token of a probe on the screen; number: which probe · index: within it */
  interface ProbeMark extends Point {
    outside: boolean;
    number: number;
    letter: string;
    side: Side;
    index: number;
    text: string;
    /** it is of the probe that is read */
    read: boolean;
    pinned: boolean;
    /** of an image: its pixels, and the part of them that the mark is */
    patch: ProbePatch | null;
  }

  /** A patch of a reader's own image. */
  interface ProbePatch {
    image: ImageBitmap;
    x: number;
    y: number;
    width: number;
    height: number;
  }

  interface SceneStatus {
    webgl: boolean;
    loaded: number;
    firstMs: number | null;
    fullMs: number | null;
    points: number;
    message: string;
  }

  /** Props of HeadScene; components/head_scene/__init__.py says what each does. */
  interface SceneProps {
    id?: string;
    className?: string;
    style?: import("react").CSSProperties;
    payload?: Payload | null;
    projection?: Projection | null;
    colour?: Colour | null;
    head?: Head | null;
    selection?: Selection | null;
    search?: Search | null;
    searchCount?: SearchCount | null;
    tokenSet?: TokenSet | null;
    setCount?: SetCount | null;
    tool?: string;
    lines?: LineChoice | null;
    average?: boolean;
    sized?: boolean;
    mapSizes?: boolean;
    pointSize?: number | null;
    labels?: boolean;
    theme?: string;
    sprite?: string;
    cellNotes?: Record<string, string> | null;
    cellTitles?: string[] | null;
    markedCells?: number[] | null;
    live?: LiveProp | null;
    badges?: Record<string, Badge> | null;
    order?: number[] | null;
    /** layers that are folded away, as components/head_scene/folds.js writes them */
    folded?: { layers: string } | null;
    groups?: boolean;
    shade?: boolean;
    outline?: boolean;
    ghost?: boolean;
    rings?: boolean;
    patches?: string;
    whole?: boolean;
    outside?: Outside;
    viewpoint?: Viewpoint | null;
    probes?: ProbesProp | null;
    brush?: BrushPart[] | null;
    /** a token that is pointed at elsewhere: marked as if the pointer were on it */
    pointed?: TokenPlace | null;
    /** out, of a scene that is alone: the token under the pointer */
    hovered?: TokenPlace | null;
    probePicked?: { number: number; token: number; side: Side; n: number };
    status?: SceneStatus;
    setProps?: (changes: Partial<SceneProps>) => void;
  }

  // --- geometry -------------------------------------------------------------------------------------------------

  interface Point {
    x: number;
    y: number;
  }

  /** A point of a head on the screen, CSS px; `near`: how much nearer than the middle of the cell. */
  interface Place extends Point {
    depth: number;
    near: number;
    /** it stands at the edge for a point farther away */
    outside: boolean;
  }

  interface Rectangle extends Point {
    width: number;
    height: number;
  }

  interface Bounds {
    left: number;
    top: number;
    right: number;
    bottom: number;
  }

  /** CSS px */
  interface Size {
    width: number;
    height: number;
  }

  /** World point at the middle of the view, and px a cell. */
  interface Camera extends Point {
    scale: number;
  }

  /** Where a camera is beside its home: cells right and down of it, and times as near. */
  interface Stand extends Point {
    zoom: number;
  }

  /** How three-dimensional heads are turned, radians. */
  interface Turn {
    yaw: number;
    pitch: number;
  }

  /**
   * Cells of the matrix, and where they lie: `order[place]` is a cell, or -1, `places[cell]` its place; without them
   * cells lie as they are numbered. fold: how layers lie; sorted: heads lie in an order of their own instead
   */
  interface Grid {
    layers: number;
    heads: number;
    rows: number;
    columns: number;
    fold?: { wide: number; across: number };
    /** rows of the layers that are not folded away, where some are */
    shown?: number[];
    /** neighbours that share a key head, where there are such */
    group?: number;
    /** layers that have no attention, where there are some */
    gaps?: Gap[];
    sorted?: boolean;
    order?: number[];
    places?: number[];
    /** rows with those of heads that are out of sight, where only some are to be seen */
    reach?: number;
  }

  /** Layers of the model without attention of the stream: the row of cells that they stand before, and their names. */
  interface Gap {
    row: number;
    text: string;
  }

  interface CellPlace {
    column: number;
    row: number;
  }

  /** Consecutive cells. */
  interface Run {
    first: number;
    count: number;
  }

  /** How points of one head lie on the screen, CSS px. */
  interface HeadView {
    middleX: number;
    middleY: number;
    /** half the side of the drawn square */
    half: number;
    dims: number;
    /** rotation, for 3D */
    matrix: number[];
  }

  // --- data -----------------------------------------------------------------------------------------------------

  /** Positions of consecutive cells: values [cells][count][dims]; the rest is the renderer's. */
  interface Block {
    values: Uint16Array;
    firstCell: number;
    cells: number;
    count: number;
    dims: number;
    generation: number;
    buffer?: WebGLBuffer | null;
  }

  /** Live positions asked for, and with `values` what came of it. */
  interface LiveWish {
    path: string;
    cell: number;
    dims: number;
    method: string;
    move: boolean;
    frame?: FrameName;
  }

  interface LivePositions extends LiveWish {
    /** [points][dims] in slot order */
    values: Uint16Array;
  }

  interface SearchCount {
    query: string;
    tokens: number;
    points: number;
  }

  interface Token {
    side: Side;
    row: number;
    text: string;
    input: number;
    position: number;
    length: number;
  }

  interface TokenPage {
    text: string[];
    input: number[];
    position: number[];
    length: number[];
  }

  /** Tokens of an input on one side. */
  interface InputSide {
    tokens: string[];
    special: number[];
    /** the first one's row in its table */
    first: number;
    /** of pairs of texts: 0 or 1, −1 of tokens that the tokenizer added */
    texts?: number[];
  }

  interface InputSides {
    queries: InputSide;
    keys: InputSide;
  }

  interface AttentionPair {
    query: number;
    key: number;
    weight: number;
  }

  /** A line between two slots. */
  interface AttentionLine extends AttentionPair {}

  /** Mean attention of every head: levels [cells][queries][keys], 255 where too few inputs reach. */
  interface MeanAttention {
    queries: number;
    keys: number;
    levels: Uint8Array;
  }

  interface Failure {
    message: string;
    retry: () => void;
  }

  /** What the scene is told of its data. */
  interface DataHooks {
    order(): void;
    chunk(): void;
    /** one head lies elsewhere now; `animate`: move the points there from `before` */
    moved(before: PositionSet, animate: boolean): void;
    colour(): void;
    sizes(): void;
    sheet(): void;
    /** of all heads, for the renderer to keep */
    thumbnails(values: Uint8Array, side: number): void;
    marks(): void;
    brush(): void;
    searched(): void;
    lines(): void;
    tokens(): void;
    average(): void;
    probes(): void;
    failure(): void;
    settled(): void;
    /** a block's GPU buffer may go */
    drop(block: Block): void;
  }

  // --- pictures -------------------------------------------------------------------------------------------------

  /** CSS colours by what they are for. */
  type Colours = Record<
    "canvas" | "cell" | "text" | "muted" | "line" | "ring" | "faded" | "queryText" | "keyText" | "probe2" | "probe3" | "probe4", string>;

  /** Colours of the renderer, three numbers 0..1 each. */
  interface Shades {
    canvas: number[];
    cell: number[];
    faded: number[];
    muted: number[];
  }

  interface Look {
    colours: Colours;
    shades: Shades;
  }

  interface FrameRun extends Run {
    alpha: number;
  }

  interface Highlight {
    blocks: Block[];
    /** where the points of the only block come from, while they move */
    previous: Block | null;
  }

  /** Where tokens were in another head: a block that stands in the open head's cell, and its slots. */
  interface Ghost {
    block: Block;
    cell: number;
    slots: Uint32Array;
  }

  /** One picture, as a renderer needs it; lengths in device px. */
  interface Frame {
    grid: Grid;
    ratio: number;
    originX: number;
    originY: number;
    cell: number;
    half: number;
    dims: number;
    matrix: number[];
    /** the cell that fills the picture, or -1 */
    open: number;
    /** in place of points, or beneath them */
    thumbnails: FrameThumbnails | null;
    runs: FrameRun[];
    chunks: number;
    chunkSize: number;
    /** blocks that hold a chunk of the heads in view; null while they are not there */
    blocksOf(chunk: number): Block[] | null;
    previousOf(chunk: number): Block | null;
    /** 0 at the previous positions, 1 at the present ones */
    mix: number;
    /** heads only pass by */
    passing: boolean;
    /** pictures in place of points */
    patches: FramePatches | null;
    size: number;
    alpha: number;
    muted: number;
    /** texture rows a head where colours differ by head, else 0 */
    headRows: number;
    /** some points do not stand out: flags in the texture "brush", of so many rows a head */
    brushed: boolean;
    brushRows: number;
    sizedCell: number;
    highlight: Highlight | null;
    ghost: Ghost | null;
    highlightRuns: Run[];
    highlightSize: number;
    highlightRim: number;
    colours: Shades;
    cellColour: string;
    fadedColour: string;
    fill: number;
  }

  /** side: texels · query, key: colours 0..1 · coloured: these are those of the points · alone: no points are drawn */
  interface FrameThumbnails {
    side: number;
    query: number[];
    key: number[];
    coloured: boolean;
    alone: boolean;
    alpha: number;
  }

  /** form: border, bare or fill · size: of a side, CSS px · most: slots drawn · cell, across, down: of the sheet */
  interface FramePatches {
    form: string;
    size: number;
    most: number;
    cell: number;
    across: number;
    down: number;
  }

  interface PointStyle {
    size: number;
    alpha: number;
    muted: number;
    rim: number;
    /** of what is lit: what does not stand out is left out */
    lit?: boolean;
    /** the texture of slots that are drawn, of what is lit "hits" */
    slots?: string;
  }

  /** Where values of all slots are put for a renderer to draw from. */
  interface ValueStore {
    setPalette(bytes: Uint8Array): void;
    setImage(name: string, image: ImageBitmap): void;
    setTiles(name: string, texels: Uint8Array): void;
    setValues(name: string, values: Uint8Array | Uint32Array, rows: number): void;
    reserveHeads(name: string, cells: number, count: number): void;
    setHeadValues(name: string, cell: number, values: Uint8Array): void;
    drop(block: Block | null): void;
  }

  /** Draws frames in batches: with WebGL2 (draw.js) or without (fallback.js). */
  interface Renderer {
    store: ValueStore;
    drawnPoints: number;
    /** the picture shows thumbnails of heads, without points or beneath them */
    drawnThumbnails?: "alone" | "beneath" | null;
    /** the picture of the frame is whole, as far as its data have arrived */
    readonly finished: boolean;
    /** points may be shown */
    readonly presentable: boolean;
    /** there is more to draw, and its data have arrived */
    readonly hasMore: boolean;
    /** a batch is being drawn elsewhere */
    readonly waiting: boolean;
    start(): void;
    resize(width: number, height: number): void;
    warm(deep: boolean): void;
    begin(frame: Frame): void;
    advance(target: number): number;
    present(): void;
    setFence(): void;
    dropFence(): void;
    busy(): boolean;
    destroy(): void;
  }

  interface Label extends Point {
    slot: number;
    text: string;
    side: Side;
  }

  interface PlacedLabel extends Label {
    width: number;
    box: Rectangle;
  }

  interface Ring extends Point {
    from: Point;
    weight: number;
  }

  interface ScreenLine {
    from: Point;
    to: Point;
    weight: number;
    chosen: boolean;
  }

  /** What lies over the points; lengths in CSS px. */
  interface OverlayState {
    grid: Grid;
    originX: number;
    originY: number;
    cell: number;
    cells: Run[];
    single: boolean;
    matrix: number;
    colours: Colours;
    hoverCell: number;
    focusCell: number;
    rings: Ring[];
    lit: CellPlace;
    notes: Map<number, string>;
    nameOf(cell: number): string;
    framed: number[];
    axes: boolean;
    /** one has to scroll to see all heads */
    scrolls: boolean;
    badges: Map<number, Badge>;
    diameter: number;
    zoom: number;
    marked: boolean;
    average: MeanAttention | null;
    averaging: boolean;
    open: number;
    openness: number;
    lines: ScreenLine[];
    hitsAt: Point[];
    ringAt: Point | null;
    hoverAt: Point | null;
    labels: Label[];
    groups: GroupLabel[];
    /** from where lit tokens were in the head before to where they are */
    trails: { from: Point; to: Point }[];
    shade: { image: HTMLCanvasElement; x: number; y: number; width: number; height: number } | null;
    /** of the hits of a search: pieces of line x0, y0, x1, y1 … */
    outline: number[];
    probes: ProbeMark[];
  }

  interface TooltipRow {
    text: string;
    swatch?: string;
  }

  interface TooltipContent {
    /** a square part of an image */
    picture?: { image: ImageBitmap; x: number; y: number; side: number };
    title: string;
    rows: TooltipRow[];
  }

  /** What the scene offers to the rest of the page, as `atlasScene` of its element. */
  interface SceneHandle {
    /** numbers for tests and benchmarks */
    stats(): ReturnType<HeadSceneScripts["stats"]["sceneStats"]>;
    /** CSS px of a point in the open, or a given, head */
    screenPosition(point: number, cell?: number): Point | null;
    headAt(x: number, y: number): Head | null;
    /** resolves when everything asked for has been fetched and drawn */
    ready(): Promise<void>;
    recentre(): void;
    state(): { head: Head | null; selection: Selection | null };
    payload(): Payload | null | undefined;
    props(): SceneProps;
    shown(): Pick<SceneProps, "projection" | "colour" | "theme">;
    /** the picture for a file; `white`: on white paper */
    capture(options: { white: boolean }): InstanceType<HeadSceneScripts["capture"]["Capture"]>;
    /** true: an outline was being drawn */
    stopDrawing(): boolean;
    /** put a point into the set or take it out */
    togglePoint(point: number): void;
  }

  /** What pointer and keyboard are at: cells and a slot, -1 for none. */
  interface Cursor {
    hoverCell: number;
    hoverSlot: number;
    focusCell: number;
  }

  /** What a drag draws. */
  interface Drawing {
    shape: "box" | "lasso";
    add: boolean;
  }

  // --- scripts --------------------------------------------------------------------------------------------------

  /** Every script of the scene hangs what it offers on one object, under its own name. */
  interface HeadSceneScripts {
    grid: typeof import("./grid.js");
    arrange: typeof import("./arrange.js");
    headings: typeof import("./headings.js");
    camera: typeof import("./camera.js");
    stands: typeof import("./stands.js");
    folds: typeof import("./folds.js");
    viewpoint: typeof import("./viewpoint.js");
    payload: typeof import("./payload.js");
    labels: typeof import("./labels.js");
    edge: typeof import("./edge.js");
    pick: typeof import("./pick.js");
    colours: typeof import("./colours.js");
    motion: typeof import("./motion.js");
    shaders: typeof import("./shaders.js");
    gpu: typeof import("./gpu.js");
    draw: typeof import("./draw.js");
    positions: typeof import("./positions.js");
    sets: typeof import("./sets.js");
    lasso: typeof import("./lasso.js");
    jobs: typeof import("./jobs.js");
    points: typeof import("./points.js");
    pointColours: typeof import("./point_colours.js");
    highlights: typeof import("./highlights.js");
    brush: typeof import("./brush.js");
    density: typeof import("./density.js");
    thumbnails: typeof import("./thumbnails.js");
    framebuffers: typeof import("./framebuffers.js");
    drawCells: typeof import("./draw_cells.js");
    drawPoints: typeof import("./draw_points.js");
    crowd: typeof import("./crowd.js");
    crowdNames: typeof import("./crowd_names.js");
    copies: typeof import("./copies.js");
    crowdPaint: typeof import("./crowd_paint.js");
    attention: typeof import("./attention.js");
    tokenPages: typeof import("./token_pages.js");
    sheet: typeof import("./sheet.js");
    inView: typeof import("./in_view.js");
    data: typeof import("./data.js");
    rings: typeof import("./rings.js");
    follow: typeof import("./follow.js");
    headingHits: typeof import("./heading_hits.js");
    folder: typeof import("./folder.js");
    gestures: typeof import("./gestures.js");
    axes: typeof import("./axes.js");
    probes: typeof import("./probes.js");
    probePaint: typeof import("./probe_paint.js");
    paint: typeof import("./paint.js");
    overlay: typeof import("./overlay.js");
    fallback: typeof import("./fallback.js");
    average: typeof import("./average.js");
    averagePaint: typeof import("./average_paint.js");
    view: typeof import("./view.js");
    places: typeof import("./places.js");
    textures: typeof import("./textures.js");
    frame: typeof import("./frame.js");
    overlayState: typeof import("./overlay_state.js");
    loop: typeof import("./loop.js");
    progress: typeof import("./progress.js");
    tooltips: typeof import("./tooltips.js");
    hover: typeof import("./hover.js");
    pointer: typeof import("./pointer.js");
    keyboard: typeof import("./keyboard.js");
    vector: typeof import("./vector.js");
    capture: typeof import("./capture.js");
    theme: typeof import("./theme.js");
    pointMotion: typeof import("./point_motion.js");
    tokenSet: typeof import("./token_set.js");
    picture: typeof import("./picture.js");
    controls: typeof import("./controls.js");
    heads: typeof import("./heads.js");
    viewpointProp: typeof import("./viewpoint_prop.js");
    stats: typeof import("./stats.js");
    sceneHooks: typeof import("./scene_hooks.js");
    scene: typeof import("./scene.js");
    handle: typeof import("./handle.js");
    HeadScene: unknown;
  }

  type PositionSet = InstanceType<HeadSceneScripts["positions"]["PositionSet"]>;
  type PayloadClient = InstanceType<HeadSceneScripts["payload"]["PayloadClient"]>;
  type Jobs = InstanceType<HeadSceneScripts["jobs"]["Jobs"]>;
  type Points = InstanceType<HeadSceneScripts["points"]["Points"]>;
  type PointColours = InstanceType<HeadSceneScripts["pointColours"]["PointColours"]>;
  type Highlights = InstanceType<HeadSceneScripts["highlights"]["Highlights"]>;
  type Crowd = InstanceType<HeadSceneScripts["crowd"]["Crowd"]>;
  type SceneData = InstanceType<HeadSceneScripts["data"]["SceneData"]>;
  type View = InstanceType<HeadSceneScripts["view"]["View"]>;
  type PointPlaces = InstanceType<HeadSceneScripts["places"]["PointPlaces"]>;
  type Textures = InstanceType<HeadSceneScripts["textures"]["Textures"]>;
  type Overlay = InstanceType<HeadSceneScripts["overlay"]["Overlay"]>;
  type OverlayPainter = InstanceType<HeadSceneScripts["paint"]["OverlayPainter"]>;
  type FrameLoop = InstanceType<HeadSceneScripts["loop"]["FrameLoop"]>;
  type Rings = InstanceType<HeadSceneScripts["rings"]["Rings"]>;
  type Lasso = InstanceType<HeadSceneScripts["lasso"]["Lasso"]>;
  type Scene = InstanceType<HeadSceneScripts["scene"]["Scene"]>;
  type Hover = InstanceType<HeadSceneScripts["hover"]["Hover"]>;

  /** A value that moves in time; motion.js. */
  interface Tween<T> {
    value: T;
    readonly active: boolean;
    /** where it moves to, or where it is */
    readonly target: T;
    set(value: T): void;
    to(value: T, duration: number, now: number): void;
    /** @returns the value changed */
    step(now: number): boolean;
  }
}
