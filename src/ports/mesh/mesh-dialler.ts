import { readCaCerts } from '../../auth/certificate-file.ts';
import { EtherwsError } from '../../errors.ts';
import { unixSocketOf } from '../../net/unix-endpoint.ts';
import type { Logger } from '../../observability/logger.ts';
import type { CongestionChoice } from '../stream/congestion-control.ts';
import type { DialTunnelOptions } from '../tunnel/dial/dial-tunnel.ts';
import { dialTunnel } from '../tunnel/dial/dial-tunnel.ts';
import { authorityOf } from '../tunnel/dial/tunnel-url.ts';
import type { TunnelPort } from '../tunnel/tunnel-port.ts';
import { meshPath } from './mesh-path.ts';
import { ATTEMPT_MS, MeshPort } from './mesh-port.ts';
import type { MeshProof, ProofMaker } from './mesh-proof.ts';
import { CARRY_USER, carriedClaim } from './mesh-relay.ts';
import { MESH_HEARTBEAT, MESH_LIMITS } from './mesh-tunnels.ts';

/** A node as it is dialled. */
export interface MeshEnd {
  readonly node: string;
  /** the URL of the node's tunnels, as announced */
  readonly url: string;
}

export interface MeshDialOptions extends MeshEnd {
  readonly network: string;
  /**
   * Looks whether a proof can be made.
   * @param to the node that checks it
   * @param what the network, or `carriedClaim`
   * @throws EtherwsError CLUSTER_UNAVAILABLE while the key or the node is not known; CLUSTER_NODE_UNPROVEN for another cluster protocol
   */
  readonly proof: (to: string, what: string) => ProofMaker;
  /** The nodes that may carry, the best one first. */
  readonly carriers: () => readonly MeshEnd[];
  /** see MeshPortOptions */
  readonly onFull?: (waitMs: number) => void;
  /** a file with the authorities of the nodes' certificates; default: those of the system */
  readonly cacerts?: string | undefined;
  readonly congestion?: CongestionChoice | undefined;
  readonly logger: Logger;
}

/** The header that names the dialled node, for several nodes behind one port. */
export const NODE_HEADER = 'Etherws-Node';

/** A port that dials another node of the cluster. */
export function dialMesh(options: MeshDialOptions): MeshPort {
  const { node, network, url, carriers, onFull, logger } = options;
  return new MeshPort({
    meshNode: node,
    target: meshUrl(url, network),
    dial: (via, signal) => dialOnce(options, via, signal),
    carriers: () => carriers().map((end) => end.node),
    onFull,
    logger,
  });
}

async function dialOnce(options: MeshDialOptions, via: string | undefined, signal: AbortSignal): Promise<TunnelPort> {
  const { node, network, url, proof, cacerts, congestion, logger } = options;
  const unixSocket = unixSocketOf(url);
  const makeProof = proof(node, network);
  let made: MeshProof | undefined;
  return dialTunnel({
    url: unixSocket === undefined ? meshUrl(url, network) : `ws://localhost${meshPath('/', network)}`,
    unixSocket,
    token: () => {
      made = makeProof();
      return made.proof;
    },
    checkAnswer: (answer) => requireAnswer(options, made?.isAnswer(answer) === true, answer),
    headers: [[NODE_HEADER, node]],
    proxy: via === undefined ? undefined : carrierOf(via, options),
    ...(cacerts === undefined ? {} : { cacerts: await readCaCerts(cacerts) }),
    meshNode: node,
    handshakeTimeoutMs: ATTEMPT_MS,
    limits: MESH_LIMITS,
    heartbeat: MESH_HEARTBEAT,
    congestion,
    logger,
    signal,
  });
}

/** Without the right answer something else is there, which may have been told the URL of the node. @throws EtherwsError CLUSTER_NODE_UNPROVEN */
export function requireAnswer(
  { node, url }: Pick<MeshDialOptions, 'node' | 'url'>,
  isRight: boolean,
  answer: string | undefined,
): void {
  if (isRight) return;
  const lack = answer === undefined ? 'no proof' : 'a wrong proof';
  throw new EtherwsError('CLUSTER_NODE_UNPROVEN', `What answers at ${url} gave ${lack} that it is the node ${node}`, {
    hint: 'Check --advertise of that node, name service and routes; a proxy in between must pass Etherws-Mesh-Answer on',
  });
}

/** A third node as the HTTP proxy that it is for other nodes. */
export function carrierOf(
  via: string,
  { url, proof, carriers }: Pick<MeshDialOptions, 'url' | 'proof' | 'carriers'>,
): DialTunnelOptions['proxy'] {
  const carrier = carriers().find(({ node }) => node === via);
  if (carrier === undefined) throw new EtherwsError('HOST_UNREACHABLE', `The node ${via} carries no more`);
  const { host, listenPort, isSecure } = authorityOf(carrier.url);
  const makeProof = proof(via, carriedClaim(authorityOf(url).text));
  return {
    kind: isSecure ? 'https' : 'http',
    host,
    listenPort,
    credentials: {
      user: CARRY_USER,
      get passwd() {
        return makeProof().proof;
      },
    },
    shown: carrier.url,
  };
}

function meshUrl(base: string, network: string): string {
  if (!URL.canParse(base) || unixSocketOf(base) !== undefined) return base + meshPath('', network);
  const url = new URL(base);
  url.pathname = meshPath(url.pathname, network);
  return url.href;
}
