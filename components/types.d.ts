/** Names that our scripts and Dash hang on the window, and that elements of ours carry. */

interface Window {
  React: typeof import("react");
  dash_clientside: any;
  dash_ag_grid: any;
  atlas_head_scene: any;
  atlas_sentence_view: any;
  atlasCallback: any;
  atlasEscape: [number, () => boolean][];
  atlasHelp: any;
  atlasLink: { mirror(values: Record<string, string | number | null | undefined>): string };
  atlasReading: any;
  atlasTheme(): "light" | "dark";
}

interface HTMLElement {
  atlasScene?: Atlas.SceneHandle;
  atlasMinimap?: any;
  atlasAverage?: any;
}
