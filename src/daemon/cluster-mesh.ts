import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Authenticator } from '../auth/authenticator.ts';
import type { ClusterKeys } from '../cluster/cluster-key.ts';
import { boundedLinks, type MeshBounds, MeshCount } from '../cluster/mesh-bounds.ts';
import { dials, type OwnEnd, type WantedLink, wantedLinks } from '../cluster/mesh-plan.ts';
import type { NodeAnnouncement } from '../cluster/node-announcement.ts';
import { CLUSTER_PROTOCOL } from '../cluster/parse-announcement.ts';
import { ControlStream } from '../control/control-stream.ts';
import { CALLER_FIELD, fieldOfCaller, type OpenNodeStream, streamClaim } from '../control/nodes/node-stream.ts';
import type { NodeStreamServerOptions } from '../control/nodes/node-stream-server.ts';
import { EtherwsError } from '../errors.ts';
import type { HttpListener } from '../net/http-listener.ts';
import type { Route } from '../net/route-table.ts';
import { unixSocketOf } from '../net/unix-endpoint.ts';
import type { Switch } from '../networks/switch.ts';
import type { Logger } from '../observability/logger.ts';
import { connectNode } from '../ports/mesh/connect-node.ts';
import { acceptMesh } from '../ports/mesh/mesh-acceptor.ts';
import { guardedMeshAuthenticator } from '../ports/mesh/mesh-authenticator.ts';
import { dialMesh, type MeshEnd, NODE_HEADER, requireAnswer } from '../ports/mesh/mesh-dialler.ts';
import { nodesPath } from '../ports/mesh/mesh-path.ts';
import { type MeshProof, makeProof, type ProofMaker } from '../ports/mesh/mesh-proof.ts';
import { MeshRelay } from '../ports/mesh/mesh-relay.ts';
import type { CongestionChoice } from '../ports/stream/congestion-control.ts';
import type { TunnelServer } from '../ports/tunnel/accept/accept-tunnel.ts';
import { authorityOf } from '../ports/tunnel/dial/tunnel-url.ts';
import { MESH_ANSWER_HEADER } from '../wire/tunnel/mesh-headers.ts';
import { FullNodes } from './full-nodes.ts';
import { type DialledLink, type MeshLink, MeshLinks } from './mesh-links.ts';
import { MeshRefusals } from './mesh-refusals.ts';
import type { Service } from './services.ts';

/** A listener as the mesh needs it; one on a Unix socket carries for no others. */
export type MeshListener = Pick<HttpListener, 'callerOf' | 'route' | 'routeBelow'> &
  Partial<Pick<HttpListener, 'routeConnect'>>;

export interface ClusterMeshParts {
  readonly node: string;
  readonly boot: string;
  /** empty: not known yet */
  readonly keys: () => ClusterKeys;
  /** what a node has announced: of members, and of nodes whose lease has ended lately */
  readonly memberOf: (node: string) => NodeAnnouncement | undefined;
  /** all of these */
  readonly members: () => Iterable<NodeAnnouncement>;
  readonly etherSwitch: Switch;
  /** the most tunnels of automatic networks */
  readonly mostAutoLinks: number;
  readonly tunnels: Pick<Service, 'counters'> & { readonly listener: MeshListener; readonly path: string };
  /** authorities of the nodes' certificates */
  readonly cacertsFile: string | undefined;
  readonly congestion: CongestionChoice | undefined;
  readonly logger: Logger;
}

const HANDSHAKE_MS = 5000;
/** What was left out is looked at again so often, beside each change. */
const LEFT_AGAIN_MS = 10_000;
/** It is said again only when nothing was left out for so long: a node that was full is dialled to see whether it still is. */
const SAID_AGAIN_MS = 60_000;
const UNIX_AUTHORITY = { host: 'localhost', listenPort: 80, isSecure: false };

/** The mesh tunnels of a node: those that it dials, accepts, and carries for others. */
export class ClusterMesh {
  readonly #parts: ClusterMeshParts;
  readonly #links: MeshLinks;
  readonly #acceptor: TunnelServer;
  readonly #authenticator: Authenticator;
  readonly #relay: MeshRelay;
  /** undefined: this node has no part in the mesh now */
  #own: OwnEnd | undefined;
  #left: readonly WantedLink[] = [];
  /** when some were left out last */
  #leftMs = Number.NEGATIVE_INFINITY;
  readonly #full = new FullNodes();
  readonly #refusals: MeshRefusals;
  #reconciledMs = Number.NEGATIVE_INFINITY;
  /** how many tunnels had ended then */
  #ended = 0;
  /** Whether a tunnel was refused since then. */
  #isRefused = false;
  #proofs = 0;

  constructor(parts: ClusterMeshParts) {
    this.#parts = parts;
    const { node, boot, keys, etherSwitch, tunnels, congestion, logger } = parts;
    const { listener, counters, path } = tunnels;
    const callerOf = listener.callerOf.bind(listener);
    const authenticator = guardedMeshAuthenticator({ node, boot, keys }, counters);
    this.#authenticator = authenticator;
    this.#links = new MeshLinks(etherSwitch, node, logger);
    this.#refusals = new MeshRefusals(logger);
    this.#acceptor = acceptMesh({
      ...{ authenticator, path, callerOf, counters, congestion, logger },
      refusalOf: (from, network) => this.#refusalOf(from, network),
      onTunnel: (port, from, network) => this.#links.accept(port, from, network),
    });
    this.#relay = new MeshRelay({
      authenticator,
      callerOf,
      logger,
      isMember: (authority) => this.#isMember(authority),
    });
    listener.route(this.#acceptor.path, this.#acceptor);
    listener.routeBelow(this.#acceptor.path, this.#acceptor);
    listener.routeConnect?.((...request) => this.#relay.handleConnect(...request));
  }

  /** Serves streams of other nodes. @param serve makes their route, with the check of proofs */
  serveStreams(
    serve: (parts: Pick<NodeStreamServerOptions, 'authenticator' | 'answerField' | 'addressOf'>) => Route,
  ): void {
    const { listener, path } = this.#parts.tunnels;
    const addressOf = (request: IncomingMessage): string => listener.callerOf(request).address;
    listener.route(
      nodesPath(path),
      serve({ authenticator: this.#authenticator, answerField: MESH_ANSWER_HEADER, addressOf }),
    );
  }

  /**
   * Opens a stream to another node, beside the mesh tunnels to it.
   * @throws EtherwsError CLUSTER_UNAVAILABLE; why the node cannot be reached; that of the call
   */
  openStream: OpenNodeStream = async (node, caller, method, params, listener) => {
    const announcement = this.#parts.memberOf(node);
    const url = announcement?.url ?? undefined;
    if (url === undefined) {
      const what = announcement === undefined ? 'no member of the cluster' : 'a node that only dials';
      throw new EtherwsError('CLUSTER_UNAVAILABLE', `${node} is ${what}`, {
        hint: 'etherws ctl cluster lists the nodes and their URLs',
      });
    }
    const { cacertsFile: cacerts } = this.#parts;
    const proof = (to: string, what: string): ProofMaker => this.#proof(to, what);
    const field = fieldOfCaller(caller);
    const isUnix = unixSocketOf(url) !== undefined;
    const { host, listenPort, isSecure } = isUnix ? UNIX_AUTHORITY : authorityOf(url);
    const path = nodesPath(isUnix ? '/' : new URL(url).pathname);
    const via = this.links().find((link) => link.node === node && link.isUp)?.via;
    const connection = await connectNode({ url, proof, via, cacerts, carriers: () => this.#carriers(node, url) });
    const { proof: token, isAnswer } = proofOn(connection, () => proof(node, streamClaim(field))());
    return ControlStream.open(
      {
        address: { url: `node ${node}`, isTls: isSecure, host, port: listenPort, path },
        headers: {
          Authorization: `Bearer ${token}`,
          [CALLER_FIELD]: field,
          [NODE_HEADER]: node,
        },
        tls: {},
        timeoutMs: HANDSHAKE_MS,
        connection,
        accepted: (headers) => {
          const answer = headers[MESH_ANSWER_HEADER.toLowerCase()];
          const said = typeof answer === 'string' ? answer : undefined;
          requireAnswer({ node, url }, isAnswer(said), said);
        },
      },
      method,
      params,
      listener,
    );
  };

  /** Opens the tunnels that are missing, once the key is known, and closes those that are not wanted. @param own undefined: all */
  reconcile(own: OwnEnd | undefined): void {
    this.#own = own;
    if (own === undefined) {
      this.#links.close();
      return;
    }
    const nowMs = performance.now();
    const bounds = this.#bounds();
    const { links: wanted, left } = boundedLinks(
      wantedLinks(own, this.#parts.members()),
      bounds,
      (network) => this.#isAutomatic(network),
      (link) => this.#links.has(link),
      (node) => this.#full.has(node, this.#endOf(node), nowMs),
    );
    this.#reconciledMs = nowMs;
    this.#ended = this.#links.ended;
    this.#isRefused = false;
    this.#setLeft(left, bounds);
    const dialled = (link: WantedLink): DialledLink | undefined => this.#dialled(link);
    if (this.#parts.keys().length === 0) this.#links.closeUnwanted(wanted, dialled);
    else this.#links.setWanted(wanted, dialled);
  }

  /** Whether there may be room for tunnels that were left out: one has ended or was refused, or it is time to look again. */
  get hasRoomAgain(): boolean {
    if (this.#isRefused || this.#left.length === 0) return this.#isRefused;
    return this.#links.ended !== this.#ended || performance.now() - this.#reconciledMs >= LEFT_AGAIN_MS;
  }

  /** All tunnels. What an accepted one goes through is what its other end announces. */
  links(): MeshLink[] {
    return [...this.#links.links()].map((link) => {
      if (link.isDialled) return link;
      const via = this.#parts.memberOf(link.node)?.detours[this.#parts.node];
      return { ...link, via: via ?? undefined };
    });
  }

  /** The nodes that this one dials and cannot reach, and the node that carries; null: none does. */
  detours(): Record<string, string | null> {
    const detours: Record<string, string | null> = {};
    for (const { node, isDialled, isCutOff, via } of this.#links.links()) {
      if (isDialled && isCutOff) detours[node] = via ?? detours[node] ?? null;
    }
    return detours;
  }

  /** The number of pairs for which this node carries. */
  get carried(): number {
    return this.#relay.carried;
  }

  close(): void {
    this.#own = undefined;
    this.#acceptor.close();
    this.#relay.close();
    this.#links.close();
  }

  /** The tunnels that this node does not dial, since there are as many of automatic networks as there may be. */
  get left(): readonly WantedLink[] {
    return this.#left;
  }

  /** How often this node has refused a tunnel, since there are as many of automatic networks as there may be. */
  get refused(): number {
    return this.#refusals.count;
  }

  #refusalOf(from: string, network: string): 'unknown' | 'full' | undefined {
    const own = this.#own;
    if (own === undefined || !own.networks.includes(network) || this.#links.isFresh(from, network)) return 'unknown';
    const announcement = this.#parts.memberOf(from);
    if (announcement !== undefined && dials(own, announcement) === true) return 'unknown';
    if (!this.#isAutomatic(network) || this.#links.has({ node: from, network })) return undefined;
    const bounds = this.#bounds();
    const count = new MeshCount(bounds);
    for (const link of this.#links.links()) if (this.#isAutomatic(link.network)) count.add(link.node);
    if (count.hasRoom(from)) return undefined;
    this.#refusals.note(from, network, bounds.most, performance.now());
    return 'full';
  }

  #bounds(): MeshBounds {
    return { most: this.#parts.mostAutoLinks, others: [...this.#parts.members()].length };
  }

  #isAutomatic(network: string): boolean {
    const { etherSwitch } = this.#parts;
    return etherSwitch.hasNetwork(network) && etherSwitch.network(network).maker !== undefined;
  }

  #setLeft(left: readonly WantedLink[], { most }: MeshBounds): void {
    const nowMs = performance.now();
    const wasSaid = nowMs - this.#leftMs < SAID_AGAIN_MS;
    this.#left = left;
    const [first] = left;
    if (first === undefined) return;
    this.#leftMs = nowMs;
    if (wasSaid) return;
    const facts = { network: first.network, node: first.node, most };
    const { logger, etherSwitch } = this.#parts;
    logger.warn(
      facts,
      'no further mesh tunnels of automatic networks: their members here and there do not hear each other',
    );
    etherSwitch.events.publish('mesh-limit', facts);
  }

  #isMember(authority: string): boolean {
    for (const { url } of this.#parts.members()) {
      if (url !== null && isDialable(url) && authorityOf(url).text === authority) return true;
    }
    return false;
  }

  #dialled({ node, network, isDialled }: WantedLink): DialledLink | undefined {
    const announcement = this.#parts.memberOf(node);
    if (announcement === undefined || announcement.url === null) return undefined;
    const { url } = announcement;
    const { cacertsFile: cacerts, congestion, logger } = this.#parts;
    const proof = (to: string, what: string): ProofMaker => this.#proof(to, what);
    const carriers = (): MeshEnd[] => this.#carriers(node, url);
    const end = endOf(announcement);
    const onFull = (waitMs: number): void => {
      // Automatic at the other node only: the port stays, and dials again after a rest.
      if (!this.#isAutomatic(network)) return;
      this.#full.add(node, end, waitMs, performance.now());
      this.#links.drop({ node, network }, end);
      this.#isRefused = true;
    };
    const open = () => dialMesh({ node, network, url, proof, carriers, onFull, cacerts, congestion, logger });
    return { node, network, isDialled, end, open };
  }

  #endOf(node: string): string {
    const announcement = this.#parts.memberOf(node);
    return announcement === undefined ? '' : endOf(announcement);
  }

  /** @throws EtherwsError as `#provable` does, at once and when the proof is made */
  #proof(to: string, what: string): ProofMaker {
    this.#provable(to);
    return () => {
      const { node: from, boot: fromBoot } = this.#parts;
      const { key, toBoot } = this.#provable(to);
      return makeProof({ from, fromBoot, to, toBoot, network: what, number: ++this.#proofs }, key);
    };
  }

  /** What a proof for another node is made with now. @throws EtherwsError CLUSTER_UNAVAILABLE, CLUSTER_NODE_UNPROVEN */
  #provable(to: string): { readonly key: Buffer; readonly toBoot: string } {
    const { keys, memberOf } = this.#parts;
    const [key] = keys();
    const member = memberOf(to);
    if (key === undefined || member === undefined) {
      throw new EtherwsError('CLUSTER_UNAVAILABLE', `The key of the cluster, or the node ${to}, is not known`);
    }
    if (member.protocol !== CLUSTER_PROTOCOL) throw otherProtocol(member);
    return { key, toBoot: member.boot };
  }

  /** The nodes that may carry to another one: those that both can reach as far as is known, the least loaded first. */
  #carriers(target: string, url: string): MeshEnd[] {
    if (!isDialable(url)) return [];
    const cutOff = this.detours();
    const shareOf = ({ load }: NodeAnnouncement): number => load.tunnels / Math.max(1, load.mostTunnels);
    const detoursOfTarget = this.#parts.memberOf(target)?.detours ?? {};
    return [...this.#parts.members()]
      .filter(({ node, detours }) => {
        return node !== target && !(node in cutOff) && !(node in detoursOfTarget) && !(target in detours);
      })
      .sort((one, other) => shareOf(one) - shareOf(other) || (one.node < other.node ? -1 : 1))
      .flatMap(({ node, url }) => (url === null || !isDialable(url) ? [] : [{ node, url }]));
  }
}

/** What makes another tunnel necessary when it changes. */
function endOf({ url, boot }: NodeAnnouncement): string {
  return `${url} ${boot}`;
}

function isDialable(url: string): boolean {
  return unixSocketOf(url) === undefined && URL.canParse(url);
}

/** Proofs are made late, so that few overtake them. @throws what `make` throws; the connection is then destroyed */
function proofOn(connection: Socket, make: () => MeshProof): MeshProof {
  try {
    return make();
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** Nodes prove themselves by the cluster protocol, so a tunnel to a node of another one would be to something unproven. */
export function otherProtocol({
  node,
  version,
  protocol,
}: Pick<NodeAnnouncement, 'node' | 'version' | 'protocol'>): EtherwsError {
  const message = `The node ${node} (${version}) has cluster protocol ${protocol}, this one ${CLUSTER_PROTOCOL}`;
  return new EtherwsError('CLUSTER_NODE_UNPROVEN', message, {
    hint: 'Upgrade the node with the lower number: nodes with one number of the cluster protocol work together',
  });
}
