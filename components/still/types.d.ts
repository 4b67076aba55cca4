/** Pieces of the page that nothing listens to. */

declare var atlas_still: Atlas.StillScripts;

declare namespace Atlas {
  /** A text, or an element: tag, properties as React takes them, and what stands in it. */
  type StillNode = string | number | [string, Record<string, any>, StillNode[]];

  /** Props of Still; components/still/__init__.py says what each does. */
  interface StillProps {
    id?: string;
    className?: string;
    role?: string;
    tree?: StillNode[];
  }

  interface StillScripts {
    Still: import("react").ComponentType<StillProps>;
  }
}
