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
  readonly #byPort = new WeakMap<ServerPort, ResumableTunnel>();
  readonly #listeners = new Set<(port: ServerPort) => void>();

  /** @param listener called after each change of the entries, with the port of the entry */
  follow(listener: (port: ServerPort) => void): void {
    this.#listeners.add(listener);
  }

  /** The hashes of the tokens by which a port can be resumed now; undefined when it cannot. */
  hashesOf(port: ServerPort): TokenHashes | undefined {
    const tunnel = this.#byPort.get(port);
    const hashes = tunnel === undefined ? undefined : this.#hashes.get(tunnel);
    return hashes === undefined || port.isOver ? undefined : validOf(port, hashes);
  }

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
    for (const [tunnel, hashes] of this.#hashes) {
      if (!tunnel.port.isOver) yield [tunnel, validOf(tunnel.port, hashes)];
    }
  }

  #put(tunnel: ResumableTunnel, hashes: TokenHashes): void {
    this.#delete(tunnel);
    this.#byPort.set(tunnel.port, tunnel);
    this.#hashes.set(tunnel, hashes);
    this.#byHash.set(hashes.latest, tunnel);
    if (hashes.presented !== undefined) this.#byHash.set(hashes.presented, tunnel);
    this.#changed(tunnel);
  }

  remove(tunnel: ResumableTunnel): void {
    if (this.#delete(tunnel)) this.#changed(tunnel);
  }

  #delete(tunnel: ResumableTunnel): boolean {
    const hashes = this.#hashes.get(tunnel);
    if (hashes === undefined) return false;
    this.#hashes.delete(tunnel);
    this.#byHash.delete(hashes.latest);
    if (hashes.presented !== undefined) this.#byHash.delete(hashes.presented);
    return true;
  }

  #changed({ port }: ResumableTunnel): void {
    for (const listener of this.#listeners) listener(port);
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

/** Once something has arrived by the last connection, its client knows the latest token, and the one before is void. */
function validOf({ isHeard }: ServerPort, { latest, presented }: TokenHashes): TokenHashes {
  return { latest, presented: isHeard ? undefined : presented };
}

/** What is kept of a token. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
