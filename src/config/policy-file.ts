import type { IngressRules } from '../bridge/ingress-policy.ts';
import type { Rate } from '../bridge/token-bucket.ts';
import { METHOD_REACH } from '../control/method-reach.ts';
import { METHODS, type MethodName } from '../control/schema.ts';
import { BRIDGE_PORT_OPTIONS, type BridgePortValues } from '../schema/bridge-port-options.ts';
import { examine } from '../schema/check.ts';
import { isNetworkName } from '../schema/network-options.ts';
import { objectOf, type Row } from '../schema/table.ts';
import { isGroupAddress, type MacAddress, parseMacAddress } from '../wire/ethernet/mac-address.ts';
import { fileKey, rowName } from './key-names.ts';
import { YamlFile, type YamlValue } from './yaml-reader.ts';

/** The rules for a user's tunnels. */
export interface TunnelRules {
  readonly isAllowed: boolean;
  /** undefined: the limit is that of `--max-per-user` */
  readonly maxPorts: number | undefined;
  /** the networks that the tunnels may join; undefined: all */
  readonly networks: readonly string[] | undefined;
  /** what ports of the tunnels have from the start */
  readonly settings: BridgePortValues;
  /** undefined: all frames are accepted */
  readonly ingress: IngressRules | undefined;
}

/** The rights of users. Without rules everything is allowed, as in 1.x. */
export interface AccessPolicy {
  /** @param user null: the service asks for no credentials */
  tunnelsOf(user: string | null): TunnelRules;
  mayCall(user: string | null, method: string): boolean;
  /** The networks that a user may reach by the control API; undefined: all, and the switch itself. */
  controlledBy(user: string | null): readonly string[] | undefined;
}

export const NO_TUNNEL_RULES: TunnelRules = {
  isAllowed: true,
  maxPorts: undefined,
  networks: undefined,
  settings: {},
  ingress: undefined,
};

/** The rules of a user, a group, or `default`. */
interface Subject {
  readonly tunnels: TunnelRules | undefined;
  readonly control: ControlRules | undefined;
}

/** What users may do by the control API. */
interface ControlRules {
  readonly methods: ReadonlySet<string>;
  /** undefined: all, and the switch itself */
  readonly networks: readonly string[] | undefined;
}

const ETHER_TYPES: Readonly<Record<string, number>> = {
  ipv4: 0x0800,
  arp: 0x0806,
  ipv6: 0x86dd,
  '802.3': 0,
};
/** A policy that says nothing of the control API leaves itself to all of its users. */
const POLICY_CHANGES: readonly string[] = ['setClusterPolicy', 'rollbackCluster'];
/**
 * The methods of `all`. Captures show the traffic of other users, and a caller that changes the policy may give itself every
 * right, so these are allowed only by their own names.
 */
const ORDINARY: readonly string[] = Object.keys(METHODS).filter(
  (name) => !/capture/i.test(name) && !POLICY_CHANGES.includes(name),
);
/** The methods of `all` where networks are named: not those that open devices of the host, dial, or set its addresses. */
const ORDINARY_WITHIN: readonly string[] = ORDINARY.filter((name) => name !== 'addPort' && name !== 'setInterface');
/** Methods with those that end what they begin, or that do the same at all nodes: a user that may call the first may call the second. */
const ENDS = [
  ['capture', 'endCapture'],
  ['capture', 'captureCluster'],
  ['subscribe', 'subscribeCluster'],
  ['observe', 'unobserve'],
] as const;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };
const DEFAULT_BURST_MS = 100;
/** A smaller token bucket would never hold enough for a frame of full size. */
const LEAST_BURST = { frames: 1, bits: 12_000 } as const;

/**
 * Parses a policy; docs/operate/policy.md describes it. For each of `tunnels` and
 * `control` the rules are those of the first of these that has any: the user, the
 * first group with that user, `default`.
 * @throws EtherwsError POLICY_INVALID with file, line and column
 */
export function readPolicy(path: string, text: string): AccessPolicy {
  const root = new YamlFile(path, text).root;
  if (root.isEmpty) return combine(new Map(), [], undefined);
  const { users, groups, default: fallback } = root.fields('users', 'groups', 'default');
  const byUser = new Map<string, Subject>();
  for (const [name, value] of users?.entries() ?? []) byUser.set(name, readSubject(value.fields('tunnels', 'control')));
  const all: { members: ReadonlySet<string>; subject: Subject }[] = [];
  for (const [, value] of groups?.entries() ?? []) {
    const fields = value.fields('members', 'tunnels', 'control');
    const members = new Set(fields.members?.list().map((member) => member.text()) ?? value.fail('needs members'));
    all.push({ members, subject: readSubject(fields) });
  }
  return combine(byUser, all, fallback && readSubject(fallback.fields('tunnels', 'control')));
}

function combine(
  users: ReadonlyMap<string, Subject>,
  groups: readonly { members: ReadonlySet<string>; subject: Subject }[],
  fallback: Subject | undefined,
): AccessPolicy {
  function find<Part extends keyof Subject>(user: string | null, part: Part): Subject[Part] | undefined {
    const own = user === null ? undefined : users.get(user)?.[part];
    if (own !== undefined) return own;
    const group = groups.find(
      ({ members, subject }) => user !== null && members.has(user) && subject[part] !== undefined,
    );
    return group?.subject[part] ?? fallback?.[part];
  }
  const subjects = [...users.values(), ...groups.map(({ subject }) => subject), ...(fallback ? [fallback] : [])];
  const isAboutControl = subjects.some(({ control }) => control !== undefined);
  const otherwise = isAboutControl ? ORDINARY : [...ORDINARY, ...POLICY_CHANGES];
  return {
    tunnelsOf: (user) => find(user, 'tunnels') ?? NO_TUNNEL_RULES,
    mayCall: (user, method) => find(user, 'control')?.methods.has(method) ?? otherwise.includes(method),
    controlledBy: (user) => find(user, 'control')?.networks,
  };
}

function readSubject({ tunnels, control }: { tunnels?: YamlValue; control?: YamlValue }): Subject {
  return {
    tunnels: tunnels === undefined ? undefined : readTunnels(tunnels),
    control: control === undefined ? undefined : readControl(control),
  };
}

function readControl(control: YamlValue): ControlRules {
  const { methods, networks } = control.fields('methods', 'networks');
  if (methods === undefined) return control.fail('needs methods');
  if (networks === undefined) return { methods: readMethods(methods, ORDINARY), networks: undefined };
  const named = readMethods(methods, ORDINARY_WITHIN);
  const within = [...named].filter((name) => METHOD_REACH[name as MethodName] !== 'switch');
  return { methods: new Set(within), networks: networks.list().map(readNetwork) };
}

/** @param ordinary the methods of `all` */
function readMethods(methods: YamlValue, ordinary: readonly string[]): ReadonlySet<string> {
  const known = Object.keys(METHODS) as MethodName[];
  if (!methods.isList) {
    const word = methods.scalar();
    if (word === 'all') return new Set(ordinary);
    return word === 'none' ? new Set() : methods.fail('must be a list, all, or none');
  }
  const listed = methods.list().flatMap((value) => {
    const name = value.text();
    if (name === 'all') return ordinary;
    return (known as string[]).includes(name) ? name : value.fail(`is no method; there are ${known.join(', ')}`);
  });
  const ends = ENDS.flatMap(([begin, end]) => (listed.includes(begin) ? [end] : []));
  return new Set([...listed, ...ends]);
}

function readTunnels(tunnels: YamlValue): TunnelRules {
  const fields = tunnels.fields(
    'allowed',
    'max-ports',
    'networks',
    'source-macs',
    'claim-first',
    'ethertypes',
    'rate',
    'broadcast-rate',
    'dhcp-server',
    'router-advertisements',
    'settings',
  );
  const rate = fields.rate && readRate(fields.rate);
  const groupRate = fields['broadcast-rate'] && readRate(fields['broadcast-rate']);
  const sources = fields['source-macs']?.list().map(readSource);
  const ingress: IngressRules = {
    ...(sources === undefined ? {} : { sources: new Set(sources) }),
    ...(fields['claim-first'] === undefined ? {} : { claims: fields['claim-first'].whole(1, 65_536) }),
    ...(fields.ethertypes === undefined ? {} : { etherTypes: new Set(fields.ethertypes.list().map(readEtherType)) }),
    ...(rate?.frames === undefined ? {} : { frames: rate.frames }),
    ...(rate?.bits === undefined ? {} : { bits: rate.bits }),
    ...(groupRate?.frames === undefined ? {} : { groupFrames: groupRate.frames }),
    ...(groupRate?.bits === undefined ? {} : { groupBits: groupRate.bits }),
    ...(fields['dhcp-server']?.flag() === false ? { forbidsDhcpServer: true } : {}),
    ...(fields['router-advertisements']?.flag() === false ? { forbidsRouterAdvertisements: true } : {}),
  };
  return {
    isAllowed: fields.allowed?.flag() ?? true,
    maxPorts: fields['max-ports']?.whole(1, 1_000_000),
    networks: fields.networks?.list().map(readNetwork),
    settings: fields.settings === undefined ? {} : readSettings(fields.settings),
    ingress: Object.keys(ingress).length === 0 ? undefined : ingress,
  };
}

/** Settings of a bridge port, by the names of a configuration file. */
function readSettings(settings: YamlValue): BridgePortValues {
  const rows: Readonly<Record<string, Row>> = BRIDGE_PORT_OPTIONS;
  const fields = settings.fields(...Object.keys(rows).map(fileKey));
  return Object.assign(
    {},
    ...Object.entries(fields).map(([name, value]) => {
      const key = rowName(name);
      const { values, problems } = examine(objectOf({ [key]: rows[key] as Row }), { [key]: value?.plain() });
      const [problem] = problems;
      return problem === undefined ? values : value?.fail(problem.toError(() => '').message.trim());
    }),
  );
}

function readRate(value: YamlValue): { frames?: Rate; bits?: Rate } {
  const { frames, bits, burst } = value.fields('frames', 'bits', 'burst');
  if (frames === undefined && bits === undefined) value.fail('needs frames or bits, a second');
  const burstMs = burst?.whole(1, 60_000) ?? DEFAULT_BURST_MS;
  const rate = (perSecond: number, least: number): Rate => ({
    perSecond,
    burst: Math.max(least, (perSecond * burstMs) / 1000),
  });
  return {
    ...(frames === undefined ? {} : { frames: rate(readAmount(frames), LEAST_BURST.frames) }),
    ...(bits === undefined ? {} : { bits: rate(readAmount(bits), LEAST_BURST.bits) }),
  };
}

/** `1000`, `10k`, `2.5M`, `1G` */
function readAmount(value: YamlValue): number {
  const parts = /^(\d{1,12}(?:\.\d{1,3})?)([kMG]?)$/.exec(String(value.scalar()));
  const amount = Number(parts?.[1]) * (UNITS[parts?.[2] ?? ''] ?? Number.NaN);
  return amount >= 1 ? amount : value.fail('must be a number above 0 such as 1000, 10k, 2.5M or 1G');
}

function readSource(value: YamlValue): MacAddress {
  const text = value.text();
  try {
    const source = parseMacAddress(text);
    if (!isGroupAddress(source)) return source;
  } catch {
    // Reported below.
  }
  return value.fail(`must be the MAC address of a station, such as 02:00:00:00:00:01, got "${text}"`);
}

function readNetwork(value: YamlValue): string {
  const name = value.text();
  return isNetworkName(name) ? name : value.fail(`must be the name of a network, got ${JSON.stringify(name)}`);
}

function readEtherType(value: YamlValue): number {
  const given = value.scalar();
  const named = typeof given === 'string' || typeof given === 'number' ? ETHER_TYPES[String(given)] : undefined;
  if (named !== undefined) return named;
  // YAML parses 0x88b5 as a number.
  if (typeof given === 'number' && Number.isInteger(given) && given >= 0x600 && given <= 0xffff) return given;
  return value.fail(`must be an EtherType such as 0x88b5, or one of ${Object.keys(ETHER_TYPES).join(', ')}`);
}
