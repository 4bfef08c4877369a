import { FilterError } from './filter-error.ts';
import { ETHER_TYPES, PROTOCOLS, type Primitives, type ProtocolName, type Way } from './filter-primitives.ts';
import { hostIn, macIn, type Network, networkIn, numberIn, portIn, portsIn } from './filter-values.ts';
import type { Word } from './filter-words.ts';
import type { Test } from './frame-view.ts';

/** The words before a value, such as `tcp src port`; a value without any has those of the value before it. */
export interface Qualifiers {
  readonly protocol: Word | undefined;
  readonly way: Way;
  readonly kind: Kind;
}

export type Kind = 'host' | 'net' | 'port' | 'portrange' | 'proto';

export const KINDS: readonly string[] = ['host', 'net', 'port', 'portrange', 'proto'] satisfies Kind[];
const LEAST_ETHER_TYPE = 0x600;

/** The test for a value. @param mask the word after `mask`, for a network. @throws FilterError */
export function testOf(primitives: Primitives, { protocol, way, kind }: Qualifiers, value: Word, mask?: Word): Test {
  const name = protocol?.text;
  const refuse = (): never => {
    throw new FilterError(protocol?.column ?? value.column, `"${name}" and "${kind}" do not go together`);
  };
  if (kind === 'proto') return protocolTest(primitives, name, value) ?? refuse();
  if (name === 'ether') return kind === 'host' ? primitives.ether(macIn(value), way) : refuse();
  if (kind === 'host' || kind === 'net') {
    const network = kind === 'host' ? hostIn(value) : networkIn(value, mask);
    return addressTest(primitives, name, network, way) ?? refuse();
  }
  const [least, most] = kind === 'port' ? [portIn(value), portIn(value)] : portsIn(value);
  if (name === undefined) return primitives.ports(least, most, way);
  if (name !== 'tcp' && name !== 'udp' && name !== 'sctp') return refuse();
  return primitives.ports(least, most, way, PROTOCOLS[name]);
}

/** @returns undefined if the qualifier `name` takes no protocol */
function protocolTest(primitives: Primitives, name: string | undefined, value: Word): Test | undefined {
  if (name === 'ether') {
    const type = numberIn(value, 'an EtherType', 0xffff);
    if (type >= LEAST_ETHER_TYPE) return primitives.etherType(type);
    throw new FilterError(value.column, `an EtherType is at least 0x600, got "${value.text}"`);
  }
  const number = numberIn(value, 'a protocol', 255);
  if (name === undefined) return primitives.protocol(number);
  if (name === 'ip') return primitives.ipProtocol(number);
  return name === 'ip6' ? primitives.ip6Protocol(number) : undefined;
}

/** @returns undefined if the qualifier `name` takes no address of this family */
function addressTest(primitives: Primitives, name: string | undefined, network: Network, way: Way): Test | undefined {
  const { address, mask } = network;
  if (typeof address !== 'number') {
    if (name !== undefined && name !== 'ip6') return undefined;
    return primitives.ipv6(address, mask as readonly number[], way);
  }
  if (name === undefined) return primitives.ipv4(address, mask as number, way);
  if (name !== 'ip' && name !== 'arp' && name !== 'rarp') return undefined;
  return primitives.ipv4(address, mask as number, way, [name]);
}

/** The test for a protocol without a value; undefined if `name` is no protocol. */
export function protocolAlone(primitives: Primitives, name: string): Test | undefined {
  if (Object.hasOwn(ETHER_TYPES, name)) return primitives.etherType(ETHER_TYPES[name as keyof typeof ETHER_TYPES]);
  if (!Object.hasOwn(PROTOCOLS, name)) return undefined;
  const number = PROTOCOLS[name as ProtocolName];
  if (name === 'icmp' || name === 'igmp') return primitives.ipProtocol(number);
  return name === 'icmp6' ? primitives.ip6Protocol(number) : primitives.protocol(number);
}
