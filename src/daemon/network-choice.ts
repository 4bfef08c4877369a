import { addressGroup } from '../net/address-group.ts';
import type { AutoNetworks } from '../networks/auto-networks.ts';
import type { Switch } from '../networks/switch.ts';
import type { NetworkApplicant, NetworkChoice } from '../ports/tunnel/accept/server-options.ts';
import { DEFAULT_NETWORK } from '../schema/network-options.ts';

/**
 * Chooses the network of a tunnel: the one that its URL names, else the first of those that its token and the policy
 * allow, `default` if that is one of them. What is not allowed is refused before it is said whether it exists.
 */
export class NetworkChooser {
  readonly #switch: Switch;
  readonly #autos: AutoNetworks;
  readonly #allowedBy: (user: string | null) => readonly string[] | undefined;

  /** @param allowedBy the networks that the policy allows a user; undefined: all */
  constructor(target: Switch, autos: AutoNetworks, allowedBy: (user: string | null) => readonly string[] | undefined) {
    this.#switch = target;
    this.#autos = autos;
    this.#allowedBy = allowedBy;
  }

  choose(asked: string | undefined, { user, networks, address }: NetworkApplicant): NetworkChoice {
    const allowed = inBoth(networks, this.#allowedBy(user));
    const network = asked ?? ownOf(allowed);
    if (network === undefined || allowed?.includes(network) === false) return { refused: 'forbidden' };
    if (this.#switch.hasNetwork(network)) return { network };
    const refused = this.#autos.refusalOf(network, ownerOf(user, address));
    return refused === undefined ? { network } : { refused };
  }
}

/** Whose automatic networks count together: those of a user, or of an address. */
export function ownerOf(user: string | null, address: string): string {
  return user === null ? `address ${addressGroup(address)}` : `user ${user}`;
}

function ownOf(allowed: readonly string[] | undefined): string | undefined {
  return allowed === undefined || allowed.includes(DEFAULT_NETWORK) ? DEFAULT_NETWORK : allowed[0];
}

function inBoth(
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
): readonly string[] | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.filter((name) => other.includes(name));
}
