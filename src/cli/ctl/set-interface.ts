import { SET_INTERFACE } from '../../control/schema.ts';
import type { Command } from '../commander.ts';
import { addTableOptions, typedNames, typedValues } from '../table-options.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { addLeaf, addLong, perform } from './leaf.ts';
import { interfaceTable } from './tables.ts';

/** `etherws ctl setif`. */
export function addSetInterface(ctl: Command, terminal: Terminal): void {
  const leaf = addLeaf(ctl, 'setif', 'set addresses, netmask and MTU of a tap or netdev port', [
    'setif 1 --address 10.0.0.1 --netmask 255.255.255.0',
    'setif uplink --address 10.0.0.1/24 --address fd00::1/64 --mtu 1400',
  ])
    .argument('<PORT>', SET_INTERFACE.port.help)
    .option('--address <A>', 'A: the IPv4 address; A/LEN: one more address, IPv4 or IPv6; may be repeated', append);
  addTableOptions(addLong(leaf), SET_INTERFACE);
  leaf.action((port: string, { address = [], ...options }: { address?: string[] }, command: Command) =>
    perform(command, terminal, {
      method: 'setInterface',
      params: { port, ...addressesOf(address), ...typedValues(SET_INTERFACE, options) },
      names: typedNames(SET_INTERFACE, [], { address: '--address', addresses: '--address' }),
      table: interfaceTable,
    }),
  );
}

/** An address with a prefix length is added; an address without one replaces the primary address, as in 1.x. */
function addressesOf(given: readonly string[]): { address?: string; addresses?: string[] } {
  const addresses = given.filter((address) => address.includes('/'));
  const [address, second] = given.filter((address) => !address.includes('/'));
  if (second !== undefined) {
    throw new UsageError('--address A stands twice', 'Only --address A/LEN may be repeated');
  }
  return {
    ...(address === undefined ? {} : { address }),
    ...(addresses.length === 0 ? {} : { addresses }),
  };
}

function append(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
