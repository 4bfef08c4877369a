import type { ClusterStore } from '../../cluster/cluster-store.ts';
import { controlMethods } from '../../control/methods.ts';
import { METHOD_PREFIX, type MethodName, type SwitchControl } from '../../control/schema.ts';
import type { HttpListener } from '../../net/http-listener.ts';
import type { Route } from '../../net/route-table.ts';
import { unixUrl } from '../../net/unix-endpoint.ts';
import { UnixListener } from '../../net/unix-listener.ts';
import type { Switch } from '../../networks/switch.ts';
import { type ClusterParts, ClusterService } from '../cluster-service.ts';
import type { Lifetime } from '../lifetime.ts';

/** What a process of a service with workers needs to be a node of their mesh. */
export interface LocalNode {
  /** `w1` for the first process, `w2`, … */
  readonly node: string;
  /** where it accepts tunnels of the others, as `@NAME` */
  readonly socket: string;
  /** made at the start of the service, and known to its processes only */
  readonly key: Buffer;
  readonly store: ClusterStore;
}

/** A call of the control API at one process. */
export interface WorkerCall {
  readonly method: MethodName;
  readonly params: object;
}

export const callSubject = (node: string): string => `process.${node}`;

/** Answers calls of the first process. The first one has checked the rights of the caller. */
export function answerCalls({ node, store }: LocalNode, service: SwitchControl): void {
  const methods = controlMethods(service);
  store.respond(callSubject(node), async (message) => {
    const { method, params } = message as WorkerCall;
    const result = await methods[METHOD_PREFIX + method]?.(params);
    return (result as { readonly entries: readonly unknown[] }).entries;
  });
}

export type LocalParts = Omit<ClusterParts, 'config' | 'store' | 'url' | 'key' | 'tunnels'> &
  Pick<ClusterParts['tunnels'], 'counters'> & { readonly etherSwitch: Switch };

/** The name of the mesh in logs and listings. */
const NAME = 'workers';
const PATH = '/';

/** Makes a process a node of the mesh of its service; `start` of the result begins it. */
export function joinLocalMesh(
  local: LocalNode,
  { counters, ...parts }: LocalParts,
  lifetime: Lifetime,
): ClusterService {
  const { node, socket, key, store } = local;
  const end = new UnixEnd();
  const url = async (): Promise<string> => {
    const listener = await UnixListener.listen(socket, end);
    lifetime.onClose(() => listener.close());
    return unixUrl(socket);
  };
  return new ClusterService({
    ...parts,
    config: { name: NAME, node, cacertsFile: undefined },
    ...{ store, url, keys: () => [key] },
    tunnels: { counters, listener: end, path: PATH },
  });
}

/** The routes of the mesh, on the Unix socket. */
class UnixEnd
  implements Pick<HttpListener, 'route' | 'routeBelow' | 'callerOf'>, Pick<Required<Route>, 'handleUpgrade'>
{
  /** of all paths but those of `#exact` */
  #route: Route | undefined;
  readonly #exact = new Map<string, Route>();

  route(path: string, route: Route): void {
    this.#exact.set(path, route);
  }

  routeBelow(_path: string, route: Route): void {
    this.#route = route;
  }

  callerOf(): ReturnType<HttpListener['callerOf']> {
    return { address: 'local', tcpPort: undefined };
  }

  handleUpgrade(...upgrade: Parameters<Required<Route>['handleUpgrade']>): void {
    const [{ url = '' }] = upgrade;
    (this.#exact.get(url) ?? this.#route)?.handleUpgrade?.(...upgrade);
  }
}
