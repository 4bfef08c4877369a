import type {
  CaptureClusterSpec,
  CaptureReader,
  ClusterCaptureEntry,
  SwitchCapture,
} from '../control/capture-entries.ts';
import type { ClusterCaller, ClusterControl, NodeEvents } from '../control/cluster-entries.ts';
import { requireReach } from '../control/method-reach.ts';
import { AllNodeEvents, type AllNodesOptions } from '../control/nodes/node-events.ts';
import type { PortReference, SwitchControl } from '../control/schema.ts';
import { EtherwsError } from '../errors.ts';
import { openLocalCapture } from '../networks/local-capture.ts';
import { type CapturePartPlan, MergedCapture } from '../networks/merged-capture.ts';

/** A switch that may consist of several processes. */
export type WholeSwitch = Pick<SwitchControl, 'capture' | 'processes' | 'events' | 'networkOf'>;

/** Captures and events of all nodes of a cluster, for callers of one of them. */
export class AllNodes implements Pick<ClusterControl, 'capture' | 'subscribe'> {
  readonly #options: AllNodesOptions & { readonly service: WholeSwitch };

  constructor(options: AllNodesOptions & { readonly service: WholeSwitch }) {
    this.#options = options;
  }

  async capture(
    { ports, network, ...spec }: Omit<CaptureClusterSpec, 'duration'>,
    caller: ClusterCaller,
    reader: CaptureReader,
  ): Promise<SwitchCapture<ClusterCaptureEntry>> {
    requireRight('capture', caller);
    if (network !== undefined && caller.allowed !== undefined) {
      requireReach('capture', { network }, caller.allowed, { networkOf: () => undefined });
    }
    const wanted =
      ports === undefined ? [...this.#options.nodes()].map((node) => [node, undefined] as const) : byNode(ports);
    const of = network === undefined ? {} : { network };
    return MergedCapture.start<ClusterCaptureEntry>({
      parts: wanted.map(([node, own]) =>
        this.#part(node, { ...spec, ...(own === undefined ? of : { ports: own }) }, caller, reader),
      ),
      isPartial: ports === undefined,
      count: spec.count,
      allowed: caller.allowed,
      reader,
      entryOf: (node, entry) => ({ node, ...entry }),
    });
  }

  subscribe(...[kinds, caller, reader]: Parameters<ClusterControl['subscribe']>): NodeEvents {
    requireRight('subscribe', caller);
    return new AllNodeEvents({ ...this.#options, events: this.#options.service.events }, kinds, caller, reader);
  }

  #part(
    node: string,
    spec: Parameters<SwitchControl['capture']>[0],
    caller: ClusterCaller,
    reader: CaptureReader,
  ): CapturePartPlan {
    const { open, node: self, service } = this.#options;
    const { user, allowed } = caller;
    return {
      name: node,
      prefix: `${node}/`,
      open: async (listener) => {
        if (node !== self) return open(node, { user, networks: allowed ?? null }, 'capture', spec, listener);
        if (allowed !== undefined) requireReach('capture', spec, allowed, service);
        return openLocalCapture(
          (own, to) => service.processes?.capture(own, to) ?? service.capture(own, to),
          spec,
          reader,
          listener,
        );
      },
    };
  }
}

/** The ports of each node, of `NODE/PORT`; a number is one. */
function byNode(ports: readonly string[]): [string, PortReference[]][] {
  const found = new Map<string, PortReference[]>();
  for (const reference of ports) {
    const at = reference.indexOf('/');
    const [node, port] = [reference.slice(0, at), reference.slice(at + 1)];
    found.set(node, [...(found.get(node) ?? []), /^\d+$/.test(port) ? Number(port) : port]);
  }
  return [...found];
}

function requireRight(method: string, { user, mayCall }: ClusterCaller): void {
  if (mayCall(method)) return;
  const caller = user === null ? 'A caller without credentials' : `The user ${user}`;
  throw new EtherwsError('METHOD_FORBIDDEN', `${caller} may not call ${method}`, {
    hint: 'The operator of the cluster can allow it in its policy',
  });
}
