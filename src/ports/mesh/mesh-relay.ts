import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Authenticator } from '../../auth/authenticator.ts';
import type { Caller } from '../../net/caller.ts';
import { FULL, type Refusal, refuseUpgrade } from '../../net/http-refusal.ts';
import { PeerDeadline } from '../../net/peer-deadline.ts';
import type { Logger } from '../../observability/logger.ts';

/** The user of the credentials by which a node asks a third one to carry; the password is its proof. */
export const CARRY_USER = 'etherws-mesh';

/** What the proof of a node says that asks a third one to carry. No network has this name. @param authority `HOST:PORT` */
export function carriedClaim(authority: string): string {
  return `carry to ${authority}`;
}

export interface MeshRelayOptions {
  /** checks proofs */
  readonly authenticator: Authenticator;
  /** Whether another node of the cluster announces a URL with this `HOST:PORT`. */
  readonly isMember: (authority: string) => boolean;
  readonly callerOf: (request: IncomingMessage) => Caller;
  readonly logger: Logger;
}

/** Octets are carried for so many pairs at a time: each takes two descriptors. */
const MOST_CARRIED = 500;
const CONNECT_TIMEOUT_MS = 5000;
const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';
const BASIC = /^basic +([A-Za-z0-9+/=]+)$/i;
const NO_PROOF: Refusal = {
  status: 407,
  headers: { 'Proxy-Authenticate': 'Basic realm="etherws-mesh"' },
  text: 'Only nodes of the cluster are carried.\n',
};
const NO_MEMBER: Refusal = { status: 403, text: 'Octets are carried to nodes of the cluster only.\n' };
const UNREACHABLE: Refusal = { status: 502, text: 'The node cannot be reached from here, either.\n' };

/**
 * Carries the mesh tunnels of two other nodes that cannot reach each other, as an HTTP proxy for CONNECT: with the proof of
 * a node only, to members only. It does not look into the octets, and the two nodes prove to each other what they are.
 */
export class MeshRelay {
  readonly #options: MeshRelayOptions;
  readonly #carried = new Set<Duplex>();
  #isClosed = false;

  constructor(options: MeshRelayOptions) {
    this.#options = options;
  }

  /** The number of pairs for which this node carries. */
  get carried(): number {
    return this.#carried.size;
  }

  /** Serves a CONNECT request. Never throws; the socket belongs to the relay. @param accepted called when it is carried */
  handleConnect(request: IncomingMessage, near: Duplex, head: Buffer, accepted: () => void): void {
    near.on('error', () => near.destroy());
    this.#judge(request)
      .then((refusal) => {
        if (near.destroyed) return;
        if (refusal === undefined) this.#carry(request.url ?? '', near, head, accepted);
        else refuseUpgrade(near, refusal);
      })
      .catch(() => near.destroy());
  }

  close(): void {
    this.#isClosed = true;
    for (const near of this.#carried) near.destroy();
  }

  async #judge(request: IncomingMessage): Promise<Refusal | undefined> {
    const { authenticator, isMember, callerOf, logger } = this.#options;
    const { address } = callerOf(request);
    const authority = request.url ?? '';
    const proof = proofOf(request.headers['proxy-authorization']);
    if (proof === undefined) return NO_PROOF;
    const verdict = await authenticator.authenticate({ authorization: `Bearer ${proof}`, remoteAddress: address });
    if (!verdict.isAllowed || verdict.networks?.includes(carriedClaim(authority)) !== true) {
      logger.info({ address }, 'a caller without the proof of a node wanted to be carried');
      return NO_PROOF;
    }
    if (this.#isClosed || this.#carried.size >= MOST_CARRIED) return FULL;
    return isMember(authority) ? undefined : NO_MEMBER;
  }

  #carry(authority: string, near: Duplex, head: Buffer, accepted: () => void): void {
    const { hostname, port } = new URL(`http://${authority}`);
    const far = connect({ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? 80 : Number(port) });
    this.#carried.add(near);
    const end = (): void => {
      this.#carried.delete(near);
      near.destroy();
      far.destroy();
    };
    const deadline = new PeerDeadline(CONNECT_TIMEOUT_MS, () => far.destroy(new Error('timeout')));
    near.on('close', end);
    far.on('error', () => {
      if (far.connecting || far.bytesRead === 0) refuseUpgrade(near, UNREACHABLE);
    });
    far.on('close', () => {
      deadline.cancel();
      // A refusal that is still being written closes the connection by itself.
      if (!near.writableEnded) end();
    });
    far.once('connect', () => {
      deadline.cancel();
      accepted();
      near.write(ESTABLISHED);
      if (head.length > 0) far.write(head);
      near.pipe(far);
      far.pipe(near);
    });
  }
}

function proofOf(field: string | undefined): string | undefined {
  const encoded = BASIC.exec(field ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  return text.startsWith(`${CARRY_USER}:`) ? text.slice(CARRY_USER.length + 1) : undefined;
}
