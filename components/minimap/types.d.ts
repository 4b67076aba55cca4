/** The minimap. */

declare var atlas_minimap: any;

declare namespace Atlas {
  /** Props of Minimap; components/minimap/__init__.py says what each does. */
  interface MinimapProps {
    id?: string;
    title?: string;
    layers?: number;
    heads?: number;
    head?: Head | null;
    theme?: string;
    folded?: number[];
    chosen?: (Head & { n: number }) | null;
    setProps?: (changes: Partial<MinimapProps>) => void;
  }

  interface MinimapScripts {
    cells: typeof import("./cells.js");
    map: typeof import("./map.js");
    Minimap: unknown;
  }
}
