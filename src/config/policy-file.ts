import type { IngressRules } from '../bridge/ingress-policy.ts';
import type { Rate } from '../bridge/token-bucket.ts';
import { METHODS, type MethodName } from '../control/schema.ts';
import { isNetworkName } from '../schema/network-options.ts';
import { isGroupAddress, type MacAddress, parseMacAddress } from '../wire/ethernet/mac-address.ts';
import { YamlFile, type YamlValue } from './yaml-reader.ts';

/** The rules for a user's tunnels. */
export interface TunnelRules {
  readonly isAllowed: boolean;
  /** undefined: the limit is that of `--max-per-user` */
  readonly maxPorts: number | undefined;
  /** the networks that the tunnels may join; undefined: all */
  readonly networks: readonly string[] | undefined;
  /** undefined: all frames are accepted */
  readonly ingress: IngressRules | undefined;
}

/** The rights of users. Without rules everything is allowed, as in 1.x. */
export interface AccessPolicy {
  /** @param user null: the service asks for no credentials */
  tunnelsOf(user: string | null): TunnelRules;
  mayCall(user: string | null, method: string): boolean;
}

export const NO_TUNNEL_RULES: TunnelRules = {
  isAllowed: true,
  maxPorts: undefined,
  networks: undefined,
  ingress: undefined,
};

/** The rules of a user, a group, or `default`. */
interface Subject {
  readonly tunnels: TunnelRules | undefined;
  /** undefined: all */
  readonly methods: ReadonlySet<string> | undefined;
}

const ETHER_TYPES: Readonly<Record<string, number>> = {
  ipv4: 0x0800,
  arp: 0x0806,
  ipv6: 0x86dd,
  '802.3': 0,
};
/** The methods of `all`. Captures show the traffic of other users, so they are allowed only by their own names. */
const ORDINARY: readonly string[] = Object.keys(METHODS).filter((name) => !/capture$/i.test(name));
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };
const DEFAULT_BURST_MS = 100;
/** A smaller token bucket would never hold enough for a frame of full size. */
const LEAST_BURST = { frames: 1, bits: 12_000 } as const;

/**
 * Parses a policy; docs/operate/policy.md describes it. For each of `tunnels` and
 * `control` the rules are those of the first of these that has any: the user, the
 * first group with that user, `default`.
 * @throws EtherwsError POLICY_INVALID with file and line
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
  return {
    tunnelsOf: (user) => find(user, 'tunnels') ?? NO_TUNNEL_RULES,
    mayCall: (user, method) => find(user, 'methods')?.has(method) ?? ORDINARY.includes(method),
  };
}

function readSubject({ tunnels, control }: { tunnels?: YamlValue; control?: YamlValue }): Subject {
  return {
    tunnels: tunnels === undefined ? undefined : readTunnels(tunnels),
    methods: control === undefined ? undefined : readMethods(control),
  };
}

function readMethods(control: YamlValue): ReadonlySet<string> | undefined {
  const { methods } = control.fields('methods');
  if (methods === undefined) return control.fail('needs methods');
  const known = Object.keys(METHODS) as MethodName[];
  if (!methods.isList) {
    const word = methods.scalar();
    if (word === 'all') return new Set(ORDINARY);
    return word === 'none' ? new Set() : methods.fail('must be a list, all, or none');
  }
  const listed = methods.list().flatMap((value) => {
    const name = value.text();
    if (name === 'all') return ORDINARY;
    return (known as string[]).includes(name) ? name : value.fail(`is no method; there are ${known.join(', ')}`);
  });
  return new Set(listed.includes('capture') ? [...listed, 'endCapture'] : listed);
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
    ingress: Object.keys(ingress).length === 0 ? undefined : ingress,
  };
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
