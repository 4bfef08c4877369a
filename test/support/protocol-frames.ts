import { bridgeIdOf } from '../../src/wire/bpdu/bridge-id.ts';
import { encodeBpdu } from '../../src/wire/bpdu/encode.ts';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { lldpFrame } from '../../src/wire/lldp/frame.ts';
import { dhcpPayload, ipv4Hex, ipv6Hex, udpFrame } from './ip-frames.ts';
import { joinFrame, leaveFrame, queryFrame, recordsFrame } from './multicast-frames.ts';
import type { Random } from './random.ts';

/** Random frames of the protocols that a capture decodes, whole and well-formed. */

const hex = (value: number, octets: number): string => value.toString(16).padStart(2 * octets, '0');
const mac = (random: Random): string => `02${random.bytes(5).toString('hex')}`;
const ipv4 = (random: Random): string => `10.${random.below(256)}.${random.below(256)}.${random.between(1, 254)}`;
const ipv6 = (random: Random): string =>
  `fe80::${random.between(1, 0xffff).toString(16)}:${random.between(1, 0xffff).toString(16)}`;
const octets = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const ascii = (text: string): string => Buffer.from(text).toString('hex');

function udp(random: Random, ports: readonly [number, number], payload: string): Buffer {
  return octets(udpFrame(mac(random), mac(random), ipv4(random), ipv4(random), ports, payload));
}

function ipv4Packet(random: Random, protocol: number, payload: string, flags = 0x4000): Buffer {
  const length = hex(20 + payload.length / 2, 2);
  const head = `45${hex(random.below(256), 1)}${length}${hex(random.below(65_536), 2)}${hex(flags, 2)}`;
  const ends = `${ipv4Hex(ipv4(random))}${ipv4Hex(ipv4(random))}`;
  return octets(
    `${mac(random)}${mac(random)}0800${head}${hex(random.between(1, 255), 1)}${hex(protocol, 1)}0000${ends}${payload}`,
  );
}

function ipv6Packet(random: Random, next: number, payload: string): Buffer {
  const ends = `${ipv6Hex(ipv6(random))}${ipv6Hex(ipv6(random))}`;
  const head = `6${hex(random.below(2 ** 28), 4).slice(1)}${hex(payload.length / 2, 2)}${hex(next, 1)}ff`;
  return octets(`${mac(random)}${mac(random)}86dd${head}${ends}${payload}`);
}

function tcp(random: Random): Buffer {
  const options = random
    .pick(['', '0101080a0000000100000002', '020405b4 0402 01 030307', '0101050a0000000100000009'])
    .replaceAll(' ', '');
  const padded = options.padEnd(Math.ceil(options.length / 8) * 8, '0');
  const offset = (5 + padded.length / 8) << 12;
  const flags = random.pick([0x002, 0x012, 0x010, 0x018, 0x011, 0x004, 0x0c2]);
  const head = `${hex(random.between(1024, 65_535), 2)}${hex(random.pick([80, 443, 22]), 2)}${hex(random.next(), 4)}${hex(random.next(), 4)}`;
  const segment = `${head}${hex(offset | flags, 2)}${hex(random.below(65_536), 2)}00000000${padded}${random.bytes(random.below(40)).toString('hex')}`;
  return random.once(2) ? ipv4Packet(random, 6, segment) : ipv6Packet(random, 6, segment);
}

function dnsName(random: Random): string {
  const labels = Array.from({ length: random.between(1, 4) }, () =>
    random.pick(['www', 'printer', 'example', 'a', 'x-1']),
  );
  return `${labels.map((label) => `${hex(label.length, 1)}${ascii(label)}`).join('')}00`;
}

function dns(random: Random): Buffer {
  const type = random.pick([1, 28, 12, 16, 33]);
  const isResponse = random.once(2);
  const answer = {
    1: `0004${random.bytes(4).toString('hex')}`,
    28: `001020010db8${random.bytes(12).toString('hex')}`,
    12: '0002c00c',
    16: `000504${ascii('text')}`,
    33: '0008000100021f90c00c',
  }[type as 1];
  const answers = isResponse ? random.below(3) : 0;
  const head = `${hex(random.below(65_536), 2)}${isResponse ? '8180' : '0100'}0001${hex(answers, 2)}00000000`;
  const records = `c00c${hex(type, 2)}0001${hex(random.below(100_000), 4)}${answer}`.repeat(answers);
  const message = `${head}${dnsName(random)}${hex(type, 2)}0001${records}`;
  const ports = random.pick([53, 53, 5353, 5355]);
  return udp(random, isResponse ? [ports, 40_000] : [40_000, ports], message);
}

function dhcp(random: Random): Buffer {
  const type = random.between(1, 8);
  const fields = {
    client: mac(random),
    transaction: random.next(),
    assigned: ipv4(random),
    leaseSeconds: random.below(100_000),
  };
  const name = random.pick(['laptop', 'camera-7']);
  const payload = dhcpPayload(type, fields).replace(/ff$/, `0c${hex(name.length, 1)}${ascii(name)}ff`);
  return udp(random, random.once(2) ? [68, 67] : [67, 68], payload);
}

function icmp(random: Random): Buffer {
  if (random.once(3)) {
    const quoted = ipv4Packet(random, 17, '0035003500100000').subarray(14).toString('hex');
    return ipv4Packet(random, 1, `${random.pick(['0301', '0303', '0b00'])}000000000000${quoted}`);
  }
  return ipv4Packet(
    random,
    1,
    `${random.pick(['00', '08'])}000000${hex(random.below(65_536), 2)}${hex(random.below(65_536), 2)}${random.bytes(16).toString('hex')}`,
  );
}

function icmpv6(random: Random): Buffer {
  const target = ipv6Hex(ipv6(random));
  const id = `${hex(random.below(65_536), 2)}${hex(random.below(65_536), 2)}`;
  return ipv6Packet(
    random,
    58,
    random
      .pick([
        `8000 0000 ${id} 01020304`,
        `8100 0000 ${id} 01020304`,
        `8500 0000 00000000 0101${mac(random)}`,
        `8600 0000 40c0${hex(random.below(65_536), 2)} 00000000 00000000 0101${mac(random)} 05010000 000005dc 0304 40c0 00015180 00003840 00000000 20010db8000000010000000000000000`,
        `8700 0000 00000000 ${target} 0101${mac(random)}`,
        `8800 0000 60000000 ${target} 0201${mac(random)}`,
        `8900 0000 00000000 ${target} ${target}`,
        `0200 0000 ${hex(random.between(1280, 1500), 4)} 60000000 0008 11 40 ${target} ${target} 0035003500080000`,
        `0104 0000 00000000 60000000 0008 11 40 ${target} ${target} 0035003500080000`,
      ])
      .replaceAll(' ', ''),
  );
}

/** Extension headers in front of UDP. */
function extensions(random: Random): Buffer {
  const datagram = '1388 1389 000c 0000 01020304'.replaceAll(' ', '');
  return random.pick([
    () => ipv6Packet(random, 0, `1100 0502 0000 0100 ${datagram}`.replaceAll(' ', '')),
    () => ipv6Packet(random, 60, `1100 0104 00000000 ${datagram}`.replaceAll(' ', '')),
    () => ipv6Packet(random, 43, `1102 0401 00000000 ${ipv6Hex(ipv6(random))} ${datagram}`.replaceAll(' ', '')),
    () => ipv6Packet(random, 44, `1100 0000 ${hex(random.next(), 4)} ${datagram}`.replaceAll(' ', '')),
    () =>
      ipv6Packet(
        random,
        44,
        `1100 ${hex(8 * random.between(1, 100), 2)} ${hex(random.next(), 4)} ${datagram}`.replaceAll(' ', ''),
      ),
    () => ipv6Packet(random, 0, `3c00 0502 0000 0100 1100 0104 00000000 ${datagram}`.replaceAll(' ', '')),
  ])();
}

function groups(random: Random): Buffer {
  const group = random.pick(['239.1.2.3', '224.0.1.9', 'ff05::1:3', 'ff0e::9']);
  return random.pick([
    () => joinFrame(group, { station: random.between(1, 200) }),
    () => leaveFrame(group),
    () => queryFrame(random.once(2) ? { group } : { family: random.pick([4, 6] as const) }),
    () =>
      recordsFrame([
        { type: random.between(1, 6), group, sources: group.includes(':') ? ['2001:db8::5'] : ['10.0.0.5'] },
      ]),
  ])();
}

function bpdu(random: Random): Buffer {
  const address = (): MacAddress => Number.parseInt(mac(random), 16) as MacAddress;
  if (random.once(6)) return Buffer.from(encodeBpdu({ type: 'tcn' }, address()));
  const message = {
    type: random.pick(['config', 'rst'] as const),
    flags: random.pick([0x7c, 0x3c, 0x0e, 0x01, 0x78]),
    rootId: bridgeIdOf(4096 * random.below(16), address()),
    rootPathCost: random.next(),
    bridgeId: bridgeIdOf(4096 * random.below(16), address()),
    portId: 0x8000 + random.below(4096),
    messageAge: random.below(20),
    maxAge: 20,
    helloTime: 2,
    forwardDelay: 15,
  };
  return Buffer.from(encodeBpdu(message, address()));
}

function lldp(random: Random): Buffer {
  return lldpFrame(Number.parseInt(mac(random), 16) as MacAddress, {
    chassisId: { subtype: 4, octets: octets(mac(random)) },
    portId: { subtype: 5, octets: Buffer.from(random.pick(['uplink', 'ge-0/0/1'])) },
    ttlSeconds: random.between(1, 65_535),
    systemName: random.pick(['core', 'edge-7']),
    systemDescription: 'a switch',
    capabilities: { supported: 0x14, enabled: 0x04 },
  });
}

function arp(random: Random): Buffer {
  const ends = `${mac(random)}${ipv4Hex(ipv4(random))}${mac(random)}${ipv4Hex(ipv4(random))}`;
  return octets(`ffffffffffff${mac(random)}0806000108000604000${random.between(1, 2)}${ends}`);
}

function encapsulated(random: Random): Buffer {
  const inner = random.pick([tcp, icmp, arp])(random).toString('hex');
  return random.pick([
    () => udp(random, [50_000, 4789], `08000000${hex(random.below(2 ** 24), 3)}00${inner}`),
    () => ipv4Packet(random, 47, `00006558${inner}`),
    () => ipv4Packet(random, 4, icmp(random).subarray(14).toString('hex')),
  ])();
}

const MAKERS = [tcp, dns, dhcp, icmp, icmpv6, extensions, groups, bpdu, lldp, arp, encapsulated];

/** A whole frame, which may have one or two tags. */
export function protocolFrame(random: Random): Buffer {
  const frame = random.pick(MAKERS)(random);
  if (!random.once(4)) return frame;
  const tags = random.pick(
    ['8100', '88a80064 8100'].map((types) => `${types}${hex((random.below(8) << 13) | random.between(1, 4094), 2)}`),
  );
  return Buffer.concat([frame.subarray(0, 12), octets(tags), frame.subarray(12)]);
}
