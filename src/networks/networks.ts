import { EtherwsError } from '../errors.ts';
import { closestWord } from '../schema/closest-word.ts';
import { DEFAULT_NETWORK } from '../schema/network-options.ts';
import type { Network } from './network.ts';

/** Limit of the networks of a switch. */
const MOST_NETWORKS = 4096;
/** Limit of the networks that an error lists. */
const MOST_SHOWN = 10;

/** The networks of a switch by their names. The network `default` is always there. */
export class Networks {
  readonly #byName = new Map<string, Network>();
  readonly #make: (name: string) => Network;
  /** The network of ports for which none is named. */
  readonly default: Network;

  constructor(make: (name: string) => Network) {
    this.#make = make;
    this.default = make(DEFAULT_NETWORK);
    this.#byName.set(DEFAULT_NETWORK, this.default);
  }

  get size(): number {
    return this.#byName.size;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** `default` first, then in the order in which they were added. */
  [Symbol.iterator](): IterableIterator<Network> {
    return this.#byName.values();
  }

  /** @throws EtherwsError NETWORK_NOT_FOUND */
  find(name: string): Network {
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    throw new EtherwsError('NETWORK_NOT_FOUND', `There is no network "${name}"`, { hint: this.#hint(name) });
  }

  /** @throws EtherwsError NETWORK_EXISTS, REQUEST_REFUSED */
  add(name: string): Network {
    if (this.#byName.has(name)) {
      throw new EtherwsError('NETWORK_EXISTS', `There is a network "${name}" already`, {
        hint: `Choose another name, or change it with setnet ${name}`,
      });
    }
    if (this.#byName.size >= MOST_NETWORKS) {
      throw new EtherwsError('REQUEST_REFUSED', `The switch has ${MOST_NETWORKS} networks, and takes no more`, {
        hint: 'Remove one that is not used, with delnet',
      });
    }
    const network = this.#make(name);
    this.#byName.set(name, network);
    return network;
  }

  /** The network has no ports any more. */
  remove(network: Network): void {
    this.#byName.delete(network.name);
    network.close();
  }

  #hint(name: string): string {
    const meant = closestWord(name, this.#byName.keys());
    if (meant !== undefined) return `Did you mean ${meant}?`;
    const shown = [...this.#byName.keys()].slice(0, MOST_SHOWN).join(', ');
    return `There are ${shown}${this.#byName.size > MOST_SHOWN ? ', …' : ''}; addnet adds one`;
  }
}
