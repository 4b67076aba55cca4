/** Names that our scripts and Dash hang on the window, and that elements of ours carry. */

interface Window {
  React: typeof import("react");
  dash_clientside: any;
  dash_ag_grid: any;
  dash_stores: any[];
  atlas_client: Atlas.ClientScripts;
  atlas_head_scene: any;
  atlas_sentence_view: any;
  atlasCallback: any;
  /** [order, handler]: what Escape does, one thing at a time */
  atlasEscape: [number, (event: Atlas.On<KeyboardEvent>) => boolean][];
  atlasExport: any;
  atlasHelp: any;
  atlasLink: {
    parameters(page: string, state: Record<string, any>): [string, string][];
    address(page: string, state: Record<string, any>): string;
    open(page: string, state: Record<string, any>): void;
    alignmentName(alignment: { scale: boolean; c: number; translate: boolean; space: string }): string;
  };
  atlasStores: any;
  atlasTables: typeof atlasTables;
  dash_component_api: any;
  /** the brush's text as the browser reads and writes it: assets/31-brush.js */
  atlasBrush: any;
  atlasChoose: {
    token(selection: Atlas.Selection | null): void;
    head(place: Atlas.Head | null): void;
    set(definition: string): void;
    known(value: any): boolean;
  };
  atlasWhy: { csv(source: string[]): Blob };
  atlasProbe: { pin(token: number | null, side: Atlas.Side): void };
  atlasTheme(): "light" | "dark";
}

interface HTMLElement {
  atlasScene?: Atlas.SceneHandle;
}

/** What components/state/tables.py serves. */
declare var atlasTables: any;

declare namespace Atlas {
  /** An event of the document, with the element that it happened on. */
  type On<E extends Event, T = HTMLInputElement> = E & { target: T };
}
