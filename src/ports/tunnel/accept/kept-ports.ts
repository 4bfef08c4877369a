import type { Port } from '../../../bridge/port.ts';
import type { EndpointCounters } from '../../../net/endpoint-counters.ts';
import { hashOf, type ResumableTunnel, type ResumableTunnels, type TokenHashes } from '../resume/resumable-tunnels.ts';
import { ServerPort, type ServerPortOptions } from '../resume/server-port.ts';
import type { TunnelPlace } from '../resume/tunnel-places.ts';
import type { TunnelPort } from '../tunnel-port.ts';
import type { Admission } from './admission.ts';
import type { TunnelsElsewhere } from './server-options.ts';

export const DEFAULT_GRACE_MS = 30_000;

/** A tunnel that can be resumed, in the form that outlives the process. */
export interface KeptTunnel extends TokenHashes {
  readonly port: ServerPort;
  readonly user: string | null;
  /** the client's address and port */
  readonly target: string;
  /** the client's address, for the limit of one address */
  readonly address: string;
  readonly network: string;
}

export interface KeptPortsOptions {
  /** the tokens of the ports, by which `admission` knows them, too */
  readonly tunnels: ResumableTunnels;
  readonly admission: Pick<Admission, 'isForbidden' | 'restore'>;
  readonly counters: EndpointCounters;
  /** see TunnelServerOptions */
  readonly graceMs: number | undefined;
  /** see TunnelServerOptions */
  readonly elsewhere: () => TunnelsElsewhere | undefined;
}

/** The ports that stay when their connection is lost, until their client resumes them by its token. */
export class KeptPorts {
  readonly #options: KeptPortsOptions;
  readonly #tunnels: ResumableTunnels;
  /** How long a port waits for its client; 0: clients cannot resume. For new ports. */
  graceMs: number;

  /** @throws RangeError for a grace below 0 */
  constructor(options: KeptPortsOptions) {
    this.#options = options;
    this.#tunnels = options.tunnels;
    this.graceMs = options.graceMs ?? DEFAULT_GRACE_MS;
    if (!(this.graceMs >= 0)) throw new RangeError(`graceMs is ${this.graceMs}, not a number from 0 on`);
  }

  /**
   * Follows the state by which clients resume their ports after a restart or at another node: hashes of tokens, no secrets.
   * @param onChange called after each change, from now on, with the port that it is about
   */
  follow(onChange: (port: ServerPort) => void): void {
    this.#tunnels.follow(onChange);
  }

  /** The hashes of the tokens of a port; undefined for one that cannot be resumed. */
  hashesOf(port: Port): TokenHashes | undefined {
    return port instanceof ServerPort ? this.#tunnels.hashesOf(port) : undefined;
  }

  *all(): IterableIterator<KeptTunnel> {
    for (const [{ port, user, network, place }, hashes] of this.#tunnels.entries()) {
      yield { port, user, network, target: port.target, address: place.address, ...hashes };
    }
  }

  /**
   * Makes the port of a client of an earlier run. It waits for the client as if the connection was lost now.
   * @returns undefined when ports do not wait (grace 0)
   */
  restore({ user, target, address, network, latest, presented }: Omit<KeptTunnel, 'port'>): ServerPort | undefined {
    if (this.graceMs === 0) return undefined;
    const place = this.#options.admission.restore(address, user);
    const resumable = this.#resumable({ lastTarget: target }, { user, network }, place);
    this.#tunnels.restore(resumable, { latest, presented });
    return resumable.port;
  }

  /**
   * The port that a client resumes; one at another node is taken over.
   * @param hasRoom one that was here needs no further place; one of another node needs it
   */
  find(token: string | undefined, user: string | null, network: string, hasRoom: boolean): ResumableTunnel | undefined {
    if (token === undefined) return undefined;
    const { admission } = this.#options;
    const elsewhere = this.#options.elsewhere();
    const here = this.#tunnels.find(token, user, network);
    if (here !== undefined || !hasRoom || elsewhere === undefined || admission.isForbidden(user)) return here;
    elsewhere.recall(hashOf(token), user, network);
    return this.#tunnels.find(token, user, network);
  }

  /** Makes the port of a new client. @param token the one by which the client can resume it */
  begin(
    tunnel: TunnelPort,
    of: Pick<ResumableTunnel, 'user' | 'network'>,
    place: TunnelPlace,
    token: string,
  ): ServerPort {
    const resumable = this.#resumable(tunnel, of, place);
    this.#tunnels.enrol(resumable, token);
    return resumable.port;
  }

  /** Gives a port its next connection, whose place it takes. @param presented the token that the client has shown */
  resume(resumed: ResumableTunnel, tunnel: TunnelPort, place: TunnelPlace, token: string, presented = ''): void {
    resumed.place.leave();
    resumed.place = place;
    this.#tunnels.enrol(resumed, token, presented);
    this.#options.counters.resumed++;
    resumed.port.resume(tunnel);
  }

  #resumable(
    tunnel: ServerPortOptions['tunnel'],
    { user, network }: Pick<ResumableTunnel, 'user' | 'network'>,
    place: TunnelPlace,
  ): ResumableTunnel {
    const onGone = (): void => {
      this.#tunnels.remove(resumable);
      resumable.place.leave();
    };
    const port = new ServerPort({ tunnel, graceMs: this.graceMs, onGone });
    const resumable: ResumableTunnel = { port, user, network, place };
    return resumable;
  }
}
