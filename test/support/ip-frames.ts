/** Frames of DHCP, ARP, IPv4, IPv6 and neighbour discovery, in hexadecimal, without checksums: a bridge does not check them. */

const hex = (value: number, octets: number): string => value.toString(16).padStart(2 * octets, '0');

/** `192.0.2.1` as eight hexadecimal digits. */
export function ipv4Hex(address: string): string {
  return address
    .split('.')
    .map((octet) => hex(Number(octet), 1))
    .join('');
}

/** An IPv4 packet of UDP. */
export function udpFrame(
  to: string,
  from: string,
  source: string,
  destination: string,
  ports: readonly [number, number],
  payload = '',
  tag = '',
): string {
  const udp = `${hex(ports[0], 2)}${hex(ports[1], 2)}${hex(8 + payload.length / 2, 2)}0000${payload}`;
  const ip = `4500${hex(20 + udp.length / 2, 2)}000000004011 0000${ipv4Hex(source)}${ipv4Hex(destination)}`;
  return `${to}${from}${tag}0800${ip}${udp}`.replaceAll(' ', '');
}

export interface DhcpFields {
  readonly client: string;
  readonly transaction?: number;
  readonly assigned?: string;
  readonly hostName?: string;
  readonly current?: string;
  readonly leaseSeconds?: number;
}

/** The DHCP message of the type: 1 DISCOVER, 2 OFFER, 3 REQUEST, 5 ACK, 7 RELEASE. */
export function dhcpPayload(type: number, fields: DhcpFields): string {
  const { client, transaction = 7, assigned = '0.0.0.0', current = '0.0.0.0', leaseSeconds, hostName } = fields;
  const isReply = type === 2 || type === 5 || type === 6;
  const fixed = `0${isReply ? 2 : 1}010600${hex(transaction, 4)}00000000${ipv4Hex(current)}${ipv4Hex(assigned)}`;
  const rest = `${'00'.repeat(8)}${client}${'00'.repeat(10 + 64 + 128)}63825363`;
  const lease = leaseSeconds === undefined ? '' : `3304${hex(leaseSeconds, 4)}`;
  const name = hostName === undefined ? '' : Buffer.from(hostName).toString('hex');
  const option = name === '' ? '' : `0c${hex(name.length / 2, 1)}${name}`;
  return `${fixed}${rest}00${lease}${option}3501${hex(type, 1)}ff`;
}

/** A message of a client, from its own address. */
export function dhcpRequest(fields: DhcpFields, type = 3, tag = ''): string {
  const source = fields.current ?? '0.0.0.0';
  return udpFrame('ffffffffffff', fields.client, source, '255.255.255.255', [68, 67], dhcpPayload(type, fields), tag);
}

/** A message of a server. */
export function dhcpReply(server: string, fields: DhcpFields, type = 5, tag = ''): string {
  return udpFrame(fields.client, server, '192.0.2.1', '192.0.2.2', [67, 68], dhcpPayload(type, fields), tag);
}

/** An ARP request. @param claimed the hardware address that it says */
export function arpFrame(from: string, sender: string, target: string, claimed = from): string {
  return `ffffffffffff${from}08060001080006040001${claimed}${ipv4Hex(sender)}000000000000${ipv4Hex(target)}${'00'.repeat(18)}`;
}

/** `fe80::1` and alike, with one `::`, as 32 hexadecimal digits. */
export function ipv6Hex(address: string): string {
  const [head = '', tail = ''] = address.split('::');
  const words = (part: string): string[] => part.split(':').filter((word) => word !== '');
  const [before, after] = [words(head), words(tail)];
  const middle = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...middle, ...after].map((word) => word.padStart(4, '0')).join('');
}

/** An IPv6 packet of a protocol. */
export function ipv6Frame(to: string, from: string, source: string, next: number, payload: string): string {
  const length = hex(payload.length / 2, 2);
  return `${to}${from}86dd60000000${length}${hex(next, 1)}ff${ipv6Hex(source)}${ipv6Hex('ff02::1')}${payload}`;
}

/** A neighbour solicitation. @param claimed the link-layer address of its option; '' without */
export function solicitation(from: string, source: string, target: string, claimed = from): string {
  const option = claimed === '' ? '' : `0101${claimed}`;
  return ipv6Frame('333300000001', from, source, 58, `8700000000000000${ipv6Hex(target)}${option}`);
}

/** A neighbour advertisement. */
export function advertisement(from: string, target: string, claimed = from): string {
  return ipv6Frame('333300000001', from, target, 58, `8800000060000000${ipv6Hex(target)}0201${claimed}`);
}

export function routerAdvertisement(from: string): string {
  return ipv6Frame('333300000001', from, 'fe80::1', 58, '8600000040000e100000000000000000');
}

export interface Dhcpv6Fields {
  readonly client: string;
  readonly transaction?: number;
  readonly addresses?: readonly (readonly [address: string, validSeconds: number])[];
}

/** The DHCPv6 message of the type: 1 SOLICIT, 3 REQUEST, 7 REPLY, 8 RELEASE, 9 DECLINE. */
function dhcpv6Payload(type: number, { transaction = 7, addresses = [] }: Dhcpv6Fields): string {
  const inner = addresses
    .map(([address, valid]) => `00050018${ipv6Hex(address)}${hex(Math.min(valid, 300), 4)}${hex(valid, 4)}`)
    .join('');
  const association = `0003${hex(12 + inner.length / 2, 2)}00000001${'00'.repeat(8)}${inner}`;
  return `${hex(type, 1)}${hex(transaction, 3)}000100040003${'0001'}${association}`;
}

function udpOfIpv6(ports: readonly [number, number], payload: string): string {
  return `${hex(ports[0], 2)}${hex(ports[1], 2)}${hex(8 + payload.length / 2, 2)}0000${payload}`;
}

/** A DHCPv6 message of a client, from its link-local address `source`. */
export function dhcpv6Request(fields: Dhcpv6Fields, source: string, type = 3): string {
  const udp = udpOfIpv6([546, 547], dhcpv6Payload(type, fields));
  return ipv6Frame('333300010002', fields.client, source, 17, udp);
}

/** A DHCPv6 message of a server. */
export function dhcpv6Reply(server: string, fields: Dhcpv6Fields, type = 7): string {
  return ipv6Frame(fields.client, server, 'fe80::fe', 17, udpOfIpv6([547, 546], dhcpv6Payload(type, fields)));
}
