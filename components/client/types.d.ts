/** What all views share. */

declare var atlas_client: any;

declare namespace Atlas {
  interface FetchOptions {
    /** gives the answer up; the request goes on while someone else waits for it */
    signal?: AbortSignal;
    headers?: Record<string, string>;
    /** false: not after it has arrived */
    keep?: boolean | ((value: any) => boolean);
    /** told of the size of what came over the network for this caller */
    arrived?: (bytes: number) => void;
  }

  interface ClientScripts {
    fetchCache: typeof import("./fetch_cache.js");
    wishes: typeof import("./wishes.js");
    layers: typeof import("./layers.js");
    headSets: typeof import("./head_sets.js");
    /** the one that all views of a page share */
    fetches: FetchCache;
  }

  type FetchCache = InstanceType<ClientScripts["fetchCache"]["FetchCache"]>;
  type FetchError = InstanceType<ClientScripts["fetchCache"]["FetchError"]>;
}
