import { createHash, randomBytes } from 'node:crypto';
import type { ServerPort } from './server-port.ts';
import type { TunnelPlace } from './tunnel-places.ts';

const TOKEN_BYTES = 32;

/** A port that its client can resume. */
export interface ResumableTunnel {
  readonly port: ServerPort;
  /** the only user that can resume the port; null where the service asks for no credentials */
  readonly user: string | null;
  /** the network of the port; its client resumes it in no other */
  readonly network: string;
  /** the port's place under the limits of tunnels, also while its client is away */
  place: TunnelPlace;
}

/** The tokens of one tunnel, as hashes. */
export interface TokenHashes {
  readonly latest: string;
  /** The token by which the client has resumed: it may not have received the latest one. */
  readonly presented: string | undefined;
}

/** A new token: 256 random bits in base64url. */
export function createResumeToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/**
 * The tunnels by their tokens.
 *
 * - Only hashes are stored and looked up, so the time of a look-up says nothing
 *   of a token, and neither does a dump of this table.
 * - A token is valid for one resumption, whose response has a new token. The
 *   response may be lost, so the old token stays valid until something arrives
 *   on the new connection.
 */
export class ResumableTunnels {
  readonly #byHash = new Map<string, ResumableTunnel>();
  readonly #hashes = new Map<ResumableTunnel, TokenHashes>();
  /** Called after each change of the entries. */
  onChange: () => void = () => undefined;

  /** Whether the token belongs to a tunnel, of any user. */
  has(token: string): boolean {
    return this.#valid(token) !== undefined;
  }

  /** The tunnel with this token, if it belongs to this user and is in this network. */
  find(token: string, user: string | null, network: string): ResumableTunnel | undefined {
    const tunnel = this.#valid(token);
    return tunnel?.user === user && tunnel.network === network ? tunnel : undefined;
  }

  /**
   * Adds a token of a tunnel, valid until `remove`.
   * @param presented the token by which its client has just resumed; all older tokens of the tunnel become invalid
   */
  enrol(tunnel: ResumableTunnel, token: string, presented?: string): void {
    this.#put(tunnel, {
      latest: hashOf(token),
      presented: presented === undefined ? undefined : hashOf(presented),
    });
  }

  /** Adds a tunnel with its tokens of an earlier run of the switch. */
  restore(tunnel: ResumableTunnel, hashes: TokenHashes): void {
    this.#put(tunnel, hashes);
  }

  /** All tunnels, with the hashes of their valid tokens. */
  *entries(): IterableIterator<readonly [ResumableTunnel, TokenHashes]> {
    for (const [tunnel, { latest, presented }] of this.#hashes) {
      if (!tunnel.port.isOver) yield [tunnel, { latest, presented: tunnel.port.isHeard ? undefined : presented }];
    }
  }

  #put(tunnel: ResumableTunnel, hashes: TokenHashes): void {
    this.remove(tunnel);
    this.#hashes.set(tunnel, hashes);
    this.#byHash.set(hashes.latest, tunnel);
    if (hashes.presented !== undefined) this.#byHash.set(hashes.presented, tunnel);
    this.onChange();
  }

  remove(tunnel: ResumableTunnel): void {
    const hashes = this.#hashes.get(tunnel);
    if (hashes === undefined) return;
    this.#hashes.delete(tunnel);
    this.#byHash.delete(hashes.latest);
    if (hashes.presented !== undefined) this.#byHash.delete(hashes.presented);
    this.onChange();
  }

  /** The user's tunnel whose client has been away the longest; undefined when all are connected. */
  longestAway(user: string): ResumableTunnel | undefined {
    let longest: ResumableTunnel | undefined;
    let sinceMs = Number.POSITIVE_INFINITY;
    for (const tunnel of this.#hashes.keys()) {
      const { awaySinceMs } = tunnel.port;
      if (tunnel.user !== user || awaySinceMs === undefined || awaySinceMs >= sinceMs) continue;
      longest = tunnel;
      sinceMs = awaySinceMs;
    }
    return longest;
  }

  #valid(token: string): ResumableTunnel | undefined {
    const hash = hashOf(token);
    const tunnel = this.#byHash.get(hash);
    if (tunnel === undefined || tunnel.port.isOver) return undefined;
    const isLatest = this.#hashes.get(tunnel)?.latest === hash;
    return isLatest || !tunnel.port.isHeard ? tunnel : undefined;
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
