import { createHash, randomBytes } from 'node:crypto';
import type { ServerPort } from './server-port.ts';
import type { TunnelPlace } from './tunnel-places.ts';

const TOKEN_BYTES = 32;

/** A port that its client can come back to. */
export interface ResumableTunnel {
  readonly port: ServerPort;
  /** the only user that can come back to the port; null when no credentials were asked for */
  readonly user: string | null;
  /** what the port takes of the bounds, also while it waits */
  place: TunnelPlace;
}

/** The tokens of one tunnel, as hashes. */
export interface TokenHashes {
  readonly latest: string;
  /** The token by which the client came back: it may not know the latest yet. */
  readonly presented: string | undefined;
}

/** A new token: 256 random bits in base64url. */
export function createResumeToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/**
 * Which token leads to which tunnel.
 *
 * - Only hashes are kept, and they are what is looked up: how long a look-up
 *   takes says nothing of a token, and no dump of memory gives one away for long.
 * - A token is good for one return, which brings a new one. But an answer may be
 *   lost on its way, and its token with it. So the one before stays good until
 *   something arrives on the new connection.
 */
export class ResumableTunnels {
  readonly #byHash = new Map<string, ResumableTunnel>();
  readonly #hashes = new Map<ResumableTunnel, TokenHashes>();
  /** Called after each change of what `entries` has. */
  onChange: () => void = () => undefined;

  /** Whether the token leads to a tunnel, of any user. */
  has(token: string): boolean {
    return this.#valid(token) !== undefined;
  }

  /** The tunnel that a token leads this user to, if any. */
  find(token: string, user: string | null): ResumableTunnel | undefined {
    const tunnel = this.#valid(token);
    return tunnel?.user === user ? tunnel : undefined;
  }

  /**
   * Lets a token lead to a tunnel, until `remove`.
   * @param presented the token by which its client has just come back; others of the tunnel are good no more
   */
  enrol(tunnel: ResumableTunnel, token: string, presented?: string): void {
    this.#put(tunnel, {
      latest: hashOf(token),
      presented: presented === undefined ? undefined : hashOf(presented),
    });
  }

  /** Lets the tokens of an earlier run of the switch lead to a tunnel. */
  restore(tunnel: ResumableTunnel, hashes: TokenHashes): void {
    this.#put(tunnel, hashes);
  }

  /** All tunnels, and the hashes of the tokens that lead to them now. */
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

  /** That one of a user's tunnels whose client has been away the longest; undefined when all are there. */
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
