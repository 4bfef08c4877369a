import type { EndpointCounters } from '../../../net/endpoint-counters.ts';
import { FULL, type Refusal } from '../../../net/http-refusal.ts';
import type { TunnelLimits } from '../../stream/limits.ts';
import { hashOf, type ResumableTunnel, type ResumableTunnels } from '../resume/resumable-tunnels.ts';
import { type PlaceBound, type TunnelPlace, TunnelPlaces } from '../resume/tunnel-places.ts';
import type { TunnelsElsewhere } from './server-options.ts';
import { FORBIDDEN, TOO_MANY_OF_ADDRESS, TOO_MANY_OF_USER } from './server-refusals.ts';

const BOUND_REFUSALS: Readonly<Record<PlaceBound, Refusal>> = { full: FULL, overAddressShare: TOO_MANY_OF_ADDRESS };

export interface AdmissionOptions {
  readonly limits: TunnelLimits;
  readonly counters: EndpointCounters;
  readonly resumable: ResumableTunnels;
  /** see TunnelServerOptions */
  readonly allowanceOf: ((user: string | null) => number) | undefined;
  /** see TunnelServerOptions */
  readonly elsewhere: () => TunnelsElsewhere | undefined;
}

/**
 * Enforces the limits of tunnels: first for a connection, then for its
 * authenticated user. A port that waits for its client keeps its place, so a
 * client that resumes needs no further one.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #places: TunnelPlaces;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#places = new TunnelPlaces(options.limits);
  }

  /** The places, for processes that share limits. */
  get places(): TunnelPlaces {
    return this.#places;
  }

  /** The number of places taken now. */
  get taken(): number {
    return this.#places.taken;
  }

  /** Whether a resume token is of a port here or at another node; not yet checked against the authenticated user. */
  isReturning(token: string | undefined): boolean {
    if (token === undefined) return false;
    return this.#options.resumable.has(token) || this.#options.elsewhere()?.knows(hashOf(token)) === true;
  }

  /** @param isReturning as of `isReturning` */
  enter(address: string, isReturning: boolean): TunnelPlace | Refusal {
    const place = this.#places.enter(address, isReturning);
    return typeof place === 'string' ? this.#refuse(place) : place;
  }

  /** Whether a user may have no tunnels at all. */
  isForbidden(user: string | null): boolean {
    return this.#options.allowanceOf?.(user) === 0;
  }

  /**
   * Whether an authenticated user may have one more tunnel, or the one that it resumes.
   * @returns undefined when it may: the place is then the user's
   */
  refusalOf(place: TunnelPlace, user: string | null, resumed: ResumableTunnel | undefined): Refusal | undefined {
    const { counters } = this.#options;
    const most = this.#options.allowanceOf?.(user);
    if (most === 0) {
      counters.forbidden++;
      return FORBIDDEN;
    }
    if (place.beyond !== undefined && resumed === undefined) return this.#refuse(place.beyond);
    // Anonymous clients have no limit per user, unless the policy sets one for `default`.
    if (user === null && most === undefined) return undefined;
    const claim = (): boolean => {
      const elsewhere = this.#options.elsewhere()?.tunnelsOf(user) ?? 0;
      return place.claim(user ?? '', { most, elsewhere, instead: resumed?.place });
    };
    if (claim() || (resumed === undefined && this.#yieldPlace(user) && claim())) return undefined;
    counters.overUserShare++;
    return TOO_MANY_OF_USER;
  }

  /** Takes the place of a port that has been waiting for its client since before the restart. */
  restore(address: string, user: string | null): TunnelPlace {
    const place = this.#places.enter(address, true);
    if (typeof place === 'string') throw new TypeError('a client that returns was refused');
    if (user !== null || this.#options.allowanceOf !== undefined) place.claim(user ?? '');
    return place;
  }

  #refuse(bound: PlaceBound): Refusal {
    this.#options.counters[bound]++;
    return BOUND_REFUSALS[bound];
  }

  /**
   * Closes one of the user's waiting ports in favour of a client that is
   * connected now. Not for anonymous clients: one of them must not close the port
   * of another.
   */
  #yieldPlace(user: string | null): boolean {
    if (user === null) return false;
    const tunnel = this.#options.resumable.longestAway(user);
    if (tunnel === undefined) return this.#options.elsewhere()?.displace(user) === true;
    tunnel.port.giveUp('another client of its user needs its place');
    tunnel.place.leave();
    return true;
  }
}
