import { type Command, InvalidArgumentError, Option } from 'commander';
import type { InterfaceSpec } from '../../control/schema.ts';
import type { Shape } from '../../control/shape.ts';
import { mtu, portNumber } from '../../control/values.ts';
import { EtherwsError } from '../../errors.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { addAddPort } from './add-port.ts';
import { addLeaf, perform } from './leaf.ts';
import { endpointTable, fdbTable, interfaceTable, portTable } from './tables.ts';

/** The commands of `etherws ctl`, as in 1.x. */
export function addCommands(ctl: Command, terminal: Terminal): void {
  addAddPort(ctl, terminal);
  addSetPort(ctl, terminal);
  addDelPort(ctl, terminal);
  addListPort(ctl, terminal);
  addSetInterface(ctl, terminal);
  addListInterface(ctl, terminal);
  addListFdb(ctl, terminal);
  addListDoor(ctl, terminal);
}

function addSetPort(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'setport', 'shut a port, or open it again', ['setport 2 --shut 1', 'setport 2 --shut 0'])
    .argument('<N>', 'number of the port', wholeNumber(portNumber, 'port'))
    .addOption(new Option('--shut <0|1>', '1: neither receive nor send; 0: do').choices(['0', '1']))
    .action((port: number, { shut }: { shut?: '0' | '1' }, command: Command) => {
      const params = shut === undefined ? { port } : { port, shut: shut === '1' };
      return perform(command, terminal, { method: 'setPort', params, table: portTable });
    });
}

function addDelPort(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'delport', 'close and remove a port, and print its last state', ['delport 2'])
    .argument('<N>', 'number of the port', wholeNumber(portNumber, 'port'))
    .action((port: number, _options: object, command: Command) =>
      perform(command, terminal, { method: 'delPort', params: { port }, table: portTable }),
    );
}

function addListPort(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'listport', 'list the ports with their frames received and sent', [
    'listport',
    'listport --json',
  ]).action((_options: object, command: Command) =>
    perform(command, terminal, { method: 'listPort', params: {}, table: portTable }),
  );
}

interface InterfaceOptions {
  address?: string[];
  netmask?: string;
  mtu?: number;
}

function addSetInterface(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'setif', 'set addresses, netmask and MTU of a tap or netdev port', [
    'setif 1 --address 10.0.0.1 --netmask 255.255.255.0',
    'setif 1 --address 10.0.0.1/24 --address fd00::1/64 --mtu 1400',
  ])
    .argument('<N>', 'number of the port', wholeNumber(portNumber, 'port'))
    .option('--address <A>', 'A: the IPv4 address; A/LEN: one more address, IPv4 or IPv6; may be repeated', append)
    .option('--netmask <M>', 'IPv4 netmask, such as 255.255.255.0')
    .option('--mtu <B>', 'MTU in bytes, at least 576', wholeNumber(mtu, 'mtu'))
    .action((port: number, options: InterfaceOptions, command: Command) => {
      const params = { port, ...interfaceChange(options) };
      return perform(command, terminal, { method: 'setInterface', params, table: interfaceTable });
    });
}

/** An address with a length is one more; without one, it takes the place of the primary address, as in 1.x. */
function interfaceChange({ address: given = [], netmask, mtu }: InterfaceOptions): InterfaceSpec {
  const addresses = given.filter((address) => address.includes('/'));
  const [address, second] = given.filter((address) => !address.includes('/'));
  if (second !== undefined) {
    throw new UsageError('--address A stands twice', 'Only --address A/LEN may be repeated');
  }
  return {
    ...(address === undefined ? {} : { address }),
    ...(netmask === undefined ? {} : { netmask }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(addresses.length === 0 ? {} : { addresses }),
  };
}

function addListInterface(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'listif', 'list the devices of tap and netdev ports', ['listif', 'listif --json']).action(
    (_options: object, command: Command) =>
      perform(command, terminal, { method: 'listInterface', params: {}, table: interfaceTable }),
  );
}

function addListFdb(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'listfdb', 'list the learned addresses and the ports they are at', ['listfdb', 'listfdb --json']).action(
    (_options: object, command: Command) =>
      perform(command, terminal, { method: 'listFdb', params: {}, table: fdbTable }),
  );
}

function addListDoor(ctl: Command, terminal: Terminal): void {
  addLeaf(ctl, 'listdoor', 'count the connections that were refused, and why', ['listdoor', 'listdoor --json']).action(
    (_options: object, command: Command) =>
      perform(command, terminal, { method: 'listDoor', params: {}, table: endpointTable }),
  );
}

/** A parser for commander: decimal digits, then the rule that the switch applies, too. */
function wholeNumber(shape: Shape<number>, name: string): (text: string) => number {
  return (text) => {
    if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
    try {
      return shape.read(Number(text), name);
    } catch (error) {
      throw error instanceof EtherwsError ? new InvalidArgumentError(`${error.message}.`) : error;
    }
  };
}

function append(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
