import { allOf, anyOf, both, either, type FrameView, type Test } from './frame-view.ts';

/** Which field must match: the source's, the destination's, one of them or both. */
export type Way = 'src' | 'dst' | 'either' | 'both';

export const ETHER_TYPES = { ip: 0x0800, arp: 0x0806, rarp: 0x8035, ip6: 0x86dd } as const;
export const PROTOCOLS = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmp6: 58, sctp: 132 } as const;
const TAG_TYPES = [0x8100, 0x88a8, 0x9100];
const TAG_BYTES = 4;
const FRAGMENT_HEADER = 44;
const IPV6_BYTES = 40;
const WITH_PORTS = [PROTOCOLS.tcp, PROTOCOLS.udp, PROTOCOLS.sctp];

export type EtherTypeName = keyof typeof ETHER_TYPES;
export type ProtocolName = keyof typeof PROTOCOLS;

/**
 * Makes the tests of a filter, in its order: each `vlan` shifts the offsets of the tests after it, as in
 * pcap-filter(7). Fields are compared in the order of libpcap's BPF programs, which do not check versions and lengths.
 */
export class Primitives {
  /** Octets of VLAN tags before the EtherType. */
  #tags = 0;

  etherType(type: number): Test {
    const at = 12 + this.#tags;
    return (frame) => frame.word(at) === type;
  }

  /** @param vid undefined: any */
  vlan(vid: number | undefined): Test {
    const at = 12 + this.#tags;
    this.#tags += TAG_BYTES;
    const isTagged: Test = (frame) => TAG_TYPES.includes(frame.word(at));
    return vid === undefined ? isTagged : both(isTagged, (frame) => (frame.word(at + 2) & 0x0fff) === vid);
  }

  /** The protocol of IPv4, by number. */
  ipProtocol(protocol: number): Test {
    const at = this.#payload + 9;
    return both(this.etherType(ETHER_TYPES.ip), (frame) => frame.octet(at) === protocol);
  }

  /** The next header of IPv6, also after a fragment header. */
  ip6Protocol(protocol: number): Test {
    const payload = this.#payload;
    const isFragment: Test = (frame) => frame.octet(payload + 6) === FRAGMENT_HEADER;
    const behind: Test = (frame) => frame.octet(payload + IPV6_BYTES) === protocol;
    const next: Test = (frame) => frame.octet(payload + 6) === protocol;
    return both(this.etherType(ETHER_TYPES.ip6), either(next, both(isFragment, behind)));
  }

  protocol(protocol: number): Test {
    return either(this.ipProtocol(protocol), this.ip6Protocol(protocol));
  }

  /** IPv4 addresses of IPv4, ARP and RARP. @param types the EtherTypes to test */
  ipv4(address: number, mask: number, way: Way, types: readonly EtherTypeName[] = ['ip', 'arp', 'rarp']): Test {
    const tests = types.map((type) => {
      const [source, destination] = type === 'ip' ? [12, 16] : [14, 24];
      const at = (offset: number): Test => {
        const from = this.#payload + offset;
        return (frame) => (frame.long(from) & mask) >>> 0 === address;
      };
      return both(this.etherType(ETHER_TYPES[type]), ofWay(way, at(source), at(destination)));
    });
    return anyOf(...(tests as [Test, ...Test[]]));
  }

  /** @param groups eight 16-bit numbers, as `masks` */
  ipv6(groups: readonly number[], masks: readonly number[], way: Way): Test {
    const [longs, longMasks] = [longsOf(groups), longsOf(masks)];
    const at = (offset: number): Test => {
      const from = this.#payload + offset;
      return (frame) => {
        for (let at = 0; at < 4; at++) {
          if ((frame.long(from + 4 * at) & (longMasks[at] as number)) >>> 0 !== longs[at]) return false;
        }
        return true;
      };
    };
    return both(this.etherType(ETHER_TYPES.ip6), ofWay(way, at(8), at(24)));
  }

  /** Ports of TCP, UDP and SCTP; later fragments have none and do not match. @param protocol only of this one */
  ports(least: number, most: number, way: Way, protocol?: number): Test {
    const protocols = protocol === undefined ? WITH_PORTS : [protocol];
    return either(
      both(
        this.etherType(ETHER_TYPES.ip6),
        some(protocols, (each) => this.#ip6Ports(least, most, way, each)),
      ),
      both(
        this.etherType(ETHER_TYPES.ip),
        some(protocols, (each) => this.#ipPorts(least, most, way, each)),
      ),
    );
  }

  /** @param mac six octets */
  ether(mac: readonly number[], way: Way): Test {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac;
    const [high, low] = [(a << 8) | b, ((c << 24) | (d << 16) | (e << 8) | f) >>> 0];
    const at = (offset: number): Test => {
      return (frame) => frame.long(offset + 2) === low && frame.word(offset) === high;
    };
    return ofWay(way, at(6), at(0));
  }

  etherGroup(): Test {
    return (frame) => (frame.octet(0) & 1) === 1;
  }

  get #payload(): number {
    return 14 + this.#tags;
  }

  #ipPorts(least: number, most: number, way: Way, protocol: number): Test {
    const payload = this.#payload;
    const at = (offset: number): Test => {
      return (frame) => isWithin(frame.word(payload + ipHeaderBytes(frame, payload) + offset), least, most);
    };
    return allOf(
      (frame) => frame.octet(payload + 9) === protocol,
      (frame) => (frame.word(payload + 6) & 0x1fff) === 0,
      ofWay(way, at(0), at(2)),
    );
  }

  #ip6Ports(least: number, most: number, way: Way, protocol: number): Test {
    const payload = this.#payload;
    const at = (offset: number): Test => {
      return (frame) => isWithin(frame.word(payload + IPV6_BYTES + offset), least, most);
    };
    return both((frame) => frame.octet(payload + 6) === protocol, ofWay(way, at(0), at(2)));
  }
}

function ipHeaderBytes(frame: FrameView, payload: number): number {
  return (frame.octet(payload) & 0xf) * 4;
}

/** Pairs of 16-bit numbers as 32-bit numbers. */
function longsOf(groups: readonly number[]): number[] {
  return [0, 2, 4, 6].map((at) => (((groups[at] ?? 0) << 16) | (groups[at + 1] ?? 0)) >>> 0);
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function ofWay(way: Way, source: Test, destination: Test): Test {
  if (way === 'src') return source;
  if (way === 'dst') return destination;
  return way === 'both' ? both(source, destination) : either(source, destination);
}

function some(values: readonly number[], test: (value: number) => Test): Test {
  return anyOf(...(values.map(test) as [Test, ...Test[]]));
}

/** Compares the length of the frame. */
export function lengthIs(operator: string, octets: number): Test {
  switch (operator) {
    case '>':
      return ({ length }) => length > octets;
    case '<':
      return ({ length }) => length < octets;
    case '>=':
      return ({ length }) => length >= octets;
    case '<=':
      return ({ length }) => length <= octets;
    case '!=':
      return ({ length }) => length !== octets;
    default:
      return ({ length }) => length === octets;
  }
}
