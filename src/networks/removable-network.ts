import { EtherwsError } from '../errors.ts';
import { DEFAULT_NETWORK } from '../schema/network-options.ts';
import type { Network } from './network.ts';

/**
 * Checks that a network may be removed.
 * @param isForced with its ports
 * @throws EtherwsError NETWORK_IN_USE, REQUEST_REFUSED for the default network
 */
export function requireRemovable({ name, bridge }: Network, isForced: boolean): void {
  if (name === DEFAULT_NETWORK) {
    throw new EtherwsError('REQUEST_REFUSED', `The network "${name}" cannot be removed`, {
      hint: 'It is the one of ports for which no network is named',
    });
  }
  const { size } = bridge.ports;
  if (size > 0 && !isForced) {
    const count = size === 1 ? 'a port' : `${size} ports`;
    throw new EtherwsError('NETWORK_IN_USE', `The network "${name}" has ${count}`, {
      hint: `Remove ${size === 1 ? 'it' : 'them'} first with delport, or with --force`,
    });
  }
}
