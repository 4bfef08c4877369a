import type { Socket } from 'node:net';
import { readCaCerts } from '../../auth/certificate-file.ts';
import { unixSocketOf } from '../../net/unix-endpoint.ts';
import { connect } from '../tunnel/dial/opening-handshake.ts';
import { parseTunnelUrl } from '../tunnel/dial/tunnel-url.ts';
import { carrierOf, type MeshDialOptions } from './mesh-dialler.ts';
import { ATTEMPT_MS } from './mesh-port.ts';

export type ConnectNodeOptions = Pick<MeshDialOptions, 'url' | 'proof' | 'carriers' | 'cacerts'> & {
  /** the node that carries the mesh tunnel to this one now; undefined: none */
  readonly via: string | undefined;
};

/** Further nodes are not tried: a caller waits. */
const MOST_CARRIERS = 1;

/**
 * Connects to the listener of another node of the cluster, with TLS where its URL says so: directly, or through a node that
 * carries. HTTP may begin on the connection.
 * @throws EtherwsError as `connect`, that of the first attempt
 */
export async function connectNode(options: ConnectNodeOptions): Promise<Socket> {
  const { via, carriers, url } = options;
  if (unixSocketOf(url) !== undefined) return connectOnce(options, undefined);
  const others = carriers().map(({ node }) => node);
  // What the mesh goes by now is tried first.
  const ways = via === undefined ? [undefined, ...others.slice(0, MOST_CARRIERS)] : [via, undefined];
  let failure: unknown;
  for (const way of ways) {
    try {
      return await connectOnce(options, way);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

async function connectOnce(options: ConnectNodeOptions, via: string | undefined): Promise<Socket> {
  const { url, cacerts } = options;
  const unixSocket = unixSocketOf(url);
  return connect({
    url: parseTunnelUrl(unixSocket === undefined ? url : 'ws://localhost/'),
    unixSocket,
    proxy: via === undefined ? undefined : carrierOf(via, options),
    ...(cacerts === undefined ? {} : { cacerts: await readCaCerts(cacerts) }),
    timeoutMs: ATTEMPT_MS,
  });
}
