import type { BridgePort } from '../bridge/bridge-port.ts';
import type { Membership } from '../bridge/multicast/membership.ts';
import type { MulticastSnooper } from '../bridge/multicast/multicast-snooper.ts';
import type { SnoopedVlan } from '../bridge/multicast/snooped-vlan.ts';
import type { MdbEntry } from '../control/multicast-entries.ts';
import { permanentMembers } from './mdb-commands.ts';
import type { Switch } from './switch.ts';

/** An entry without the facts that the switch adds: the name of its port, and its network. */
type MulticastFacts = Omit<MdbEntry, 'port' | 'portName' | 'state' | 'network'> & {
  readonly port: BridgePort | undefined;
};

const NO_SOURCES: Pick<MdbEntry, 'filterMode' | 'sourceList'> = { filterMode: null, sourceList: [] };
const ALL_GROUPS = { 4: '224.0.0.0/4', 6: 'ff00::/8' } as const;

/** The entries of `listMdb`. @param network default: all. @throws EtherwsError NETWORK_NOT_FOUND */
export function listMdb(owner: Switch, network: string | undefined): MdbEntry[] {
  const nowMs = performance.now();
  return owner.networksNamed(network).flatMap(({ name, bridge: { multicast }, settings }): MdbEntry[] => {
    // The ports have them also before the first frame to a group, and while they are down.
    const permanent = settings.multicastSnooping === 'off' ? [] : [...permanentMembers(owner.attachedPorts(name))];
    const facts = multicast === undefined ? [] : multicastFacts(multicast, nowMs);
    const found = facts.map(({ port, ...others }) => ({
      ...others,
      port: port?.number ?? null,
      portName: port === undefined ? null : (owner.nameOf(port) ?? null),
      state: others.expires === null ? ('permanent' as const) : ('temporary' as const),
      network: name,
    }));
    return [...found, ...permanent].sort(compare);
  });
}

/** What was heard in a network: queriers, router ports, and members. */
function multicastFacts(snooper: MulticastSnooper, nowMs: number): MulticastFacts[] {
  const facts: MulticastFacts[] = [];
  for (const vlan of snooper.vlans()) {
    if (vlan.querier.isOtherPresent(nowMs) || vlan.querier.isOwn(nowMs)) facts.push(querierOf(vlan, snooper, nowMs));
    facts.push(...routersOf(vlan, snooper, nowMs));
  }
  for (const membership of snooper.memberships(nowMs)) {
    const member = memberOf(membership, nowMs);
    if (member !== undefined) facts.push(member);
  }
  return facts;
}

/** What hosts have told; undefined: only the operator. */
function memberOf(membership: Membership, nowMs: number): MulticastFacts | undefined {
  const { group, port, groupUntilMs, sources, isPermanent } = membership;
  const { vid, address } = group;
  const isExclude = membership.isExclude(nowMs);
  const heard = sources.filter(({ untilMs }) => Number.isFinite(untilMs) && (isExclude || untilMs > nowMs));
  if (isPermanent || (!isExclude && heard.length === 0)) return undefined;
  const untilMs = heard.reduce((latestMs, listed) => Math.max(latestMs, listed.untilMs), groupUntilMs);
  const sourceList = heard
    .map((listed) => ({
      address: String(listed.source.address),
      expires: Math.max(0, Math.ceil((listed.untilMs - nowMs) / 1000)),
    }))
    .sort((one, other) => (one.address < other.address ? -1 : 1));
  return {
    ...{ kind: 'member', vid, address: String(address), port },
    ...{ filterMode: isExclude ? 'exclude' : 'include', sourceList, expires: secondsUntil(untilMs, nowMs) },
  };
}

function querierOf({ vid, family, querier }: SnoopedVlan, snooper: MulticastSnooper, nowMs: number): MulticastFacts {
  if (querier.isOwn(nowMs)) {
    const address = String(snooper.ownAddress(family));
    return { kind: 'querier', vid, address, port: undefined, ...NO_SOURCES, expires: null };
  }
  const { address, port, untilMs } = querier;
  return { kind: 'querier', vid, address: String(address), port, ...NO_SOURCES, expires: secondsUntil(untilMs, nowMs) };
}

function* routersOf(vlan: SnoopedVlan, snooper: MulticastSnooper, nowMs: number): IterableIterator<MulticastFacts> {
  const { vid, family } = vlan;
  const router = { kind: 'router', vid, address: ALL_GROUPS[family], ...NO_SOURCES } as const;
  for (const port of snooper.permanentRouters) yield { ...router, port, expires: null };
  for (const [port, untilMs] of vlan.routers.entries()) {
    if (untilMs > nowMs) yield { ...router, port, expires: secondsUntil(untilMs, nowMs) };
  }
}

function secondsUntil(untilMs: number, nowMs: number): number | null {
  return Number.isFinite(untilMs) ? Math.ceil((untilMs - nowMs) / 1000) : null;
}

const KINDS = ['querier', 'router', 'member'];

/** By kind, VLAN, address and port. */
function compare(one: MdbEntry, other: MdbEntry): number {
  return (
    KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) ||
    one.vid - other.vid ||
    (one.address < other.address ? -1 : one.address > other.address ? 1 : 0) ||
    (one.port ?? 0) - (other.port ?? 0)
  );
}
