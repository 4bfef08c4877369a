import { EtherwsError } from '../errors.ts';
import { defaultSettings, isNetworkName } from '../schema/network-options.ts';
import type { Switch } from './switch.ts';

/** The least number of networks that one owner may have made. */
const LEAST_SHARE = 8;
/** Of all automatic networks one owner may have made this part. */
const SHARE = 1 / 10;
/** The least capacity of the filtering database of an automatic network. */
const LEAST_ADDRESSES = 256;

/**
 * Networks that are made when a tunnel wants them, and that the switch removes with their last port: rooms of a public
 * relay. There are bounds for all of them, and for those that one owner has made: a user or, without credentials, an
 * address. All of their filtering databases together are about as large as that of one network.
 */
export class AutoNetworks {
  readonly #switch: Switch;
  #most: number;

  /** @param most of all automatic networks; 0: none is made */
  constructor(target: Switch, most: number) {
    this.#switch = target;
    this.#most = most;
  }

  /** Changes the bound; networks that are there stay. */
  setMost(most: number): void {
    this.#most = most;
  }

  /** Why a network cannot be made: its name is none, or there are too many; undefined: it can. */
  refusalOf(name: string, owner: string): 'unknown' | 'full' | undefined {
    if (this.#most === 0 || !isNetworkName(name)) return 'unknown';
    let all = 0;
    let own = 0;
    for (const { maker } of this.#switch.networks) {
      if (maker === undefined) continue;
      all++;
      if (maker === owner) own++;
    }
    return all >= this.#most || own >= Math.max(LEAST_SHARE, Math.ceil(this.#most * SHARE)) ? 'full' : undefined;
  }

  /**
   * Makes a network if it is not there.
   * @throws EtherwsError NETWORK_NOT_FOUND if it must not be made, REQUEST_REFUSED if there are too many
   */
  ensure(name: string, owner: string): void {
    if (this.#switch.hasNetwork(name)) return;
    const refusal = this.refusalOf(name, owner);
    if (refusal === 'full') throw new EtherwsError('REQUEST_REFUSED', `There are too many networks for "${name}"`);
    // Explains what is there.
    if (refusal === 'unknown') this.#switch.network(name);
    const { fdbCapacity } = this.#switch.limits;
    const fdbSize = Math.max(LEAST_ADDRESSES, Math.floor(fdbCapacity / this.#most));
    // Any client can be in such a network, and LLDP tells the name and the kernel of the host.
    const settings = { ...defaultSettings(name), lldp: 'off', fdbSize: Math.min(fdbSize, fdbCapacity) } as const;
    this.#switch.addNetwork(name, settings, owner);
  }
}
