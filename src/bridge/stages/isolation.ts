import type { BridgePort } from '../bridge-port.ts';
import type { FilteringDatabase, FilteringEntry } from '../fdb.ts';
import { MAY_PASS, MUST_COME } from '../flow-permit.ts';
import type { Pass } from '../pass.ts';
import type { Answer, EgressStage } from './stage.ts';

/** What the exchange of stations with the other nodes of the cluster knows. */
export interface MeshKnowledge {
  /** Whether all stations that a node has announced are known here. */
  knowsAllOf(node: string): boolean;
  /** Whether a node was told of a station of this bridge. */
  hasTold(entry: FilteringEntry, node: string): boolean;
}

/**
 * Refuses frames from an isolated port to another one (bridge(8), `isolated`), also over the nodes of a cluster, as E-Tree
 * does for leaves (RFC 8317). Each announcement of a station says whether its port is isolated:
 *
 * - A frame of an isolated port leaves to a node only when its source was announced there. One to a station that is at an
 *   isolated port does not leave.
 * - What comes from a node goes to an isolated port if its source was announced as not isolated; or if it was not announced
 *   yet, and this node knows all that was. So frames of the node itself and of ports that do not learn come, and what is in
 *   doubt does not.
 */
export class Isolation implements EgressStage {
  readonly #fdb: FilteringDatabase;
  readonly #mesh: MeshKnowledge;

  constructor(fdb: FilteringDatabase, mesh: MeshKnowledge) {
    this.#fdb = fdb;
    this.#mesh = mesh;
  }

  apply(pass: Pass, egress: BridgePort): Answer {
    const { ingress } = pass;
    if (egress.settings.isIsolated) {
      if (ingress.settings.isIsolated) return 'isolated';
      return ingress.meshNode === undefined ? MAY_PASS : this.#fromNode(pass, ingress.meshNode);
    }
    if (egress.meshNode === undefined || !ingress.settings.isIsolated) return MAY_PASS;
    return this.#toNode(pass, egress.meshNode);
  }

  #toNode({ vid, source, destination, ingress, egress }: Pass, node: string): Answer {
    const entry = this.#fdb.find(vid, source);
    if (entry?.port !== ingress || !this.#mesh.hasTold(entry, node)) return 'isolated';
    return egress !== undefined && this.#fdb.find(vid, destination)?.isIsolated === true ? 'isolated' : MAY_PASS;
  }

  #fromNode({ vid, source, ingress }: Pass, node: string): Answer {
    const entry = this.#fdb.find(vid, source);
    if (entry?.port === ingress && entry.kind === 'told') return entry.isIsolated ? 'isolated' : MAY_PASS;
    return this.#mesh.knowsAllOf(node) ? MUST_COME : 'isolated';
  }
}
