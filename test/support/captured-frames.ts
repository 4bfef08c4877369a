import type { Random } from './random.ts';

/** Frames of a few stations, so that filters match some of them. */

const MACS = ['020000000001', '020000000002', 'ffffffffffff', '333300000001'];
const IPV4 = ['c0000201', 'c0000202', '0a000001', '0a010203', '00000000'];
const IPV6 = [
  '20010db8000000000000000000000001',
  '20010db8000000000000000000000002',
  'fe80000000000000000000000000000a',
];
const TYPES = ['0800', '0800', '0800', '86dd', '86dd', '0806', '8035', '88b5'];
const PROTOCOLS = [6, 6, 17, 17, 132, 1, 58, 2, 44];
const PORTS = [53, 80, 443, 5000, 65_535];
const VIDS = [0, 1, 10, 20, 4095];
const TAG_TYPES = ['8100', '8100', '88a8', '9100'];

function hex(value: number, octets: number): string {
  return value.toString(16).padStart(2 * octets, '0');
}

function transport(random: Random): string {
  const length = random.pick([0, 3, 4, 8, 20]);
  return `${hex(random.pick(PORTS), 2)}${hex(random.pick(PORTS), 2)}${'00'.repeat(16)}`.slice(0, 2 * length);
}

function ipv4(random: Random): string {
  const words = random.pick([5, 5, 6, 15]);
  const offset = random.pick([0, 0, 0, 0x2000, 0x2000, 0x2001, 0x4000, 185]);
  const head = `4${words.toString(16)}000040${'00'.repeat(2)}${hex(offset, 2)}40${hex(random.pick(PROTOCOLS), 1)}0000`;
  const options = '01'.repeat(4 * (words - 5));
  return `${head}${random.pick(IPV4)}${random.pick(IPV4)}${options}${transport(random)}`;
}

function ipv6(random: Random): string {
  const next = random.pick(PROTOCOLS);
  const fragment = next === 44 ? `${hex(random.pick(PROTOCOLS), 1)}00000000000000` : '';
  return `600000000040${hex(next, 1)}40${random.pick(IPV6)}${random.pick(IPV6)}${fragment}${transport(random)}`;
}

function arp(random: Random): string {
  const ends = [random.pick(MACS), random.pick(IPV4), random.pick(MACS), random.pick(IPV4)];
  return `0001080006040001${ends.join('')}`;
}

/** @param mayBeCut some frames end anywhere after the Ethernet header */
export function capturedFrame(random: Random, mayBeCut: boolean): Buffer {
  const tags = Array.from(
    { length: random.pick([0, 0, 1, 1, 2]) },
    () => `${random.pick(TAG_TYPES)}${hex((random.below(8) << 13) | random.pick(VIDS), 2)}`,
  );
  const type = random.pick(TYPES);
  const network = type === '0800' ? ipv4(random) : type === '86dd' ? ipv6(random) : arp(random);
  const head = `${random.pick(MACS)}${random.pick(MACS)}${tags.join('')}${type}`;
  const frame = Buffer.from(`${head}${network}${'00'.repeat(random.pick([0, 0, 30]))}`, 'hex');
  return mayBeCut && random.once(4) ? frame.subarray(0, random.between(14, frame.length)) : frame;
}

const WAYS = ['', 'src ', 'dst ', 'src or dst ', 'src and dst '];

/** A random term of the filter language. */
function term(random: Random, depth: number): string {
  const way = random.pick(WAYS);
  const number = (most: number): number => random.below(most);
  switch (number(depth > 3 ? 14 : 17)) {
    case 0:
      return `${way}host ${random.pick(['192.0.2.1', '10.0.0.1', '2001:db8::1', 'fe80::a'])}`;
    case 1:
      return `${random.pick(['ip ', 'arp ', 'rarp '])}${way || 'host '}${random.pick(['192.0.2.2', '0.0.0.0'])}`;
    case 2:
      return `${way}net ${random.pick(['10', '10.0', '192.0.2.0/24', '192.0.2.0/31', '2001:db8::/32', '0.0.0.0/0', '::/0', '10.1.0.0 mask 255.255.0.0'])}`;
    case 3:
      return `${way}port ${random.pick(PORTS)}${random.pick(['', ' or 80', ' or (53 or 443)', ' or not 80'])}`;
    case 4:
      return `${random.pick(['tcp ', 'udp ', 'sctp '])}${way}port ${random.pick([...PORTS, '0x50'])}`;
    case 5:
      return `${random.pick(['', 'udp '])}${way}portrange ${random.pick(['53-80', '443-80', '80', '5000-65535'])}`;
    case 6:
      return `ether ${way || 'host '}${random.pick(['02:00:00:00:00:01', '2:0:0:0:0:2', 'ff-ff-ff-ff-ff-ff'])}`;
    case 7:
      return `ether proto ${random.pick(['0x0800', '2054', '0x86dd', '0x88b5', '0x8100'])}`;
    case 8:
      return `vlan${random.pick(['', ' 10', ' 0', ' 4095', ' 20'])}`;
    case 9:
      return random.pick(['arp', 'rarp', 'ip', 'ip6', 'tcp', 'udp', 'icmp', 'icmp6', 'igmp', 'sctp']);
    case 10:
      return random.pick(['broadcast', 'multicast', 'ether broadcast', 'ether multicast']);
    case 11:
      return random.pick([
        'less 60',
        'greater 70',
        'len > 64',
        'len <= 80',
        'len != 54',
        'len == 74',
        'len < 54',
        'len >= 74',
      ]);
    case 12:
      return `${random.pick(['', 'ip ', 'ip6 '])}proto ${random.pick([...PROTOCOLS, '0x11'])}`;
    case 13:
      return random.pick([
        'src 10.1.2.3',
        'dst 2001:db8::2',
        'ip6 src fe80::a',
        'ip dst 0.0.0.0',
        'arp src and dst 10.0.0.1',
      ]);
    case 14:
      return `${random.pick(['not ', '! ', '!'])}${term(random, depth + 1)}`;
    default:
      return `(${filterText(random, depth + 1)})`;
  }
}

/** A random filter that is valid for pcap-filter(7) and for etherws. */
export function filterText(random: Random, depth = 0): string {
  const terms = Array.from({ length: random.between(1, 3) }, () => term(random, depth));
  return terms.reduce((left, right) => `${left} ${random.pick(['and', 'or', '&&', '||'])} ${right}`);
}
