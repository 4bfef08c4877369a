/** What a reason of a discard means, and the page of the docs with more about it. */
export interface DiscardMeaning {
  /** continues "Frames that …" */
  readonly words: string;
  readonly page: string;
}

const API = 'docs/reference/control-api.md';
const VLANS = 'docs/operate/vlans.md';
const POLICY = 'docs/operate/policy.md';
const SECURITY = 'docs/operate/port-security.md';
const STORMS = 'docs/operate/storms-and-loops.md';
const TREE = 'docs/operate/spanning-tree.md';
const TUNNELS = 'docs/use/tunnels.md';
const DEVICES = 'docs/use/devices.md';

const MEANINGS: Readonly<Record<string, DiscardMeaning>> = {
  runt: { words: 'are shorter than an Ethernet header', page: API },
  tooLong: { words: 'are longer than the port takes: check the MTUs', page: DEVICES },
  shut: { words: 'came while the operator had shut the port', page: API },
  linkDown: { words: 'came while its link was not up', page: TUNNELS },
  queueFull: { words: 'exceeded the limit of the queue: more comes than the link carries', page: TUNNELS },
  queueDelay: { words: 'had waited too long in the queue: more comes than the link carries', page: TUNNELS },
  deviceError: { words: 'the device refused', page: DEVICES },
  badOffload: { words: 'have an offload header that contradicts their octets', page: DEVICES },
  filtered: { words: 'have their destination at the port that received them. A few are usual', page: API },
  reserved: { words: 'go to an address that bridges do not relay, such as that of LLDP. These are usual', page: API },
  badSource: { words: 'have a source address that is not one of a station', page: API },
  badVid: { words: 'are in VLAN 4095, which is reserved', page: VLANS },
  vlanFiltered: { words: 'are in a VLAN of which the port is no member', page: VLANS },
  tagDenied: { words: 'have a tag, and an access port takes none', page: VLANS },
  tagMissing: { words: 'have no tag, and a trunk takes tagged ones only', page: VLANS },
  badMembership: {
    words: 'are IGMP or MLD messages with wrong lengths or checksums',
    page: 'docs/operate/multicast.md',
  },
  echoed: {
    words: 'are group frames that this port had sent within the last second, and that came back',
    page: STORMS,
  },
  standby: { words: 'met a tunnel that stands by for another one to the same switch', page: TUNNELS },
  discarding: { words: 'met a port that the spanning tree does not let forward. These are usual there', page: TREE },
  isolated: { words: 'go from one isolated port to another', page: SECURITY },
  splitHorizon: { words: 'came from one node of the cluster for a station at another one', page: API },
  mirrorOutput: { words: 'met a port that is reserved for the copies of a mirror', page: 'docs/operate/mirrors.md' },
  sourceDenied: { words: 'have a source address that the policy does not allow', page: POLICY },
  typeDenied: { words: 'have an EtherType that the policy does not allow', page: POLICY },
  serverDenied: { words: 'come from a DHCP server or a router, which may not be behind this port', page: POLICY },
  rateExceeded: { words: 'exceed the rate of the policy', page: POLICY },
  protected: { words: 'met a port that the switch has shut: it is in a loop, or had too many addresses', page: STORMS },
  macLimit: { words: 'have one source address more than the port may have', page: SECURITY },
  locked: { words: 'have a source that is not entered at this locked port', page: SECURITY },
  floodOff: { words: 'would be flooded, and the port does not get such frames', page: SECURITY },
  stormBroadcast: { words: 'are broadcasts beyond the rate of storm control', page: STORMS },
  stormMulticast: { words: 'are group frames beyond the rate of storm control', page: STORMS },
  stormUnicast: { words: 'go to unknown stations, beyond the rate of storm control', page: STORMS },
  ipSourceDenied: { words: 'have an IP source that is not bound to their station', page: SECURITY },
  arpDenied: { words: 'are ARP packets with an address that is not bound to their station', page: SECURITY },
  ndDenied: { words: 'are of neighbour discovery, with an address that is not bound to their station', page: SECURITY },
};

/** A newer switch may count reasons that this page does not know. */
export function meaningOf(reason: string): DiscardMeaning {
  return Object.hasOwn(MEANINGS, reason) ? (MEANINGS[reason] as DiscardMeaning) : { words: reason, page: API };
}

/** The reasons with a meaning. */
export const KNOWN_REASONS: readonly string[] = Object.keys(MEANINGS);

export interface Discard {
  readonly direction: 'rx' | 'tx';
  readonly reason: string;
  readonly frames: number;
}

/** The discards of a port, the most frequent first. */
export function discardsOf(port: {
  readonly rxDiscards: Readonly<Record<string, number>>;
  readonly txDiscards: Readonly<Record<string, number>>;
}): Discard[] {
  const of = (direction: Discard['direction'], counts: Readonly<Record<string, number>>): Discard[] =>
    Object.entries(counts).map(([reason, frames]) => ({ direction, reason, frames }));
  return [...of('rx', port.rxDiscards), ...of('tx', port.txDiscards)].sort((one, other) => other.frames - one.frames);
}
