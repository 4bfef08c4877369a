import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** The handlers of one path. Neither throws. */
export interface Route {
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  handleUpgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** `tunnel`: sockets of upgrades may be taken over from Node, and are refused before descriptors are used up. */
export type RouteUse = 'tunnel' | 'control';

interface UpgradeRoute {
  readonly route: Route | undefined;
  readonly use: RouteUse;
}

/** The routes of a listener, by paths without query string. A route of a path itself has precedence. */
export class RouteTable {
  readonly #exact = new Map<string, { readonly route: Route; readonly use: RouteUse }>();
  /** The routes of all paths with one further segment: `/` for `/lab`. */
  readonly #below = new Map<string, Route>();
  /** The routes of all paths that begin with a path; it ends with `/`. */
  readonly #trees = new Map<string, Route>();

  has(path: string): boolean {
    return this.#exact.has(path);
  }

  set(path: string, route: Route, use: RouteUse): void {
    this.#exact.set(path, { route, use });
  }

  /** Sets the route of all paths that begin with `path`, which ends with `/`; upgrades are for control. */
  setTree(path: string, route: Route): void {
    this.#trees.set(path, route);
  }

  /** Sets the route of tunnels at paths with one further segment: `/x/lab` for `/x` and for `/x/`. Requests have none there. */
  setBelow(path: string, route: Route): void {
    this.#below.set(path.endsWith('/') ? path : `${path}/`, route);
  }

  /** The route of a request that is no upgrade. */
  of(path: string): Route | undefined {
    return this.#exact.get(path)?.route ?? this.#treeOf(path);
  }

  /** The route of an upgrade: that of the path only if it takes upgrades. */
  ofUpgrade(path: string): UpgradeRoute {
    const exact = this.#exact.get(path);
    if (exact?.route.handleUpgrade !== undefined) return exact;
    const tree = this.#treeOf(path);
    return tree === undefined
      ? { route: this.#below.get(parentOf(path)), use: 'tunnel' }
      : { route: tree, use: 'control' };
  }

  #treeOf(path: string): Route | undefined {
    for (const [start, route] of this.#trees) if (path.startsWith(start)) return route;
    return undefined;
  }
}

/** `/x/` of `/x/lab` */
function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
