import type { ControlCaller } from '../../terminal.ts';
import { callNodes, type NodeFailure } from '../nodes/answers.ts';
import { type PortRate, RateMeter } from './rates.ts';

/** The ports of all nodes of a cluster with their rates: all nodes are asked each time. */
export class ClusterFeed {
  readonly #client: ControlCaller;
  /** Numbers of ports are unique only within a node. */
  readonly #meters = new Map<string, RateMeter>();
  /** in the order of the nodes, and of the numbers of their ports */
  ports: readonly PortRate[] = [];
  /** the nodes that did not answer last */
  failures: readonly NodeFailure[] = [];

  constructor(client: ControlCaller) {
    this.#client = client;
  }

  /** Brings `ports` up to date. @throws what a call of `callCluster` throws */
  async take(): Promise<void> {
    const { entries, errors } = await callNodes(this.#client, 'listPort', {});
    const nowMs = performance.now();
    const nodes = [...new Set(entries.map(({ node }) => node))];
    this.failures = errors;
    this.ports = nodes.flatMap((name) =>
      this.#meterOf(name).add(
        entries.filter(({ node }) => node === name),
        nowMs,
      ),
    );
  }

  close(): void {
    // It keeps nothing open.
  }

  #meterOf(node: string): RateMeter {
    const known = this.#meters.get(node) ?? new RateMeter('own');
    this.#meters.set(node, known);
    return known;
  }
}
