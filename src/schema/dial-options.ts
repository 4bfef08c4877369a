import * as v from 'valibot';
import type { Complaint } from './check.ts';
import { bearerToken, headerField, hostAddress, proxyUrl, publicKeyPins, serverName } from './dial-values.ts';
import { objectOf, type ValuesOf } from './table.ts';
import { flag, integer, type Keywords, listOf, oneOf, rule } from './types.ts';
import { deviceName, filePath, password, tunnelUrl, userName, waitSeconds } from './values.ts';

/** The options of a client port. */

/** Each URL is tried for seconds, so an attempt with more of them would take minutes. */
const MOST_URLS = 16;
const MOST_HEADERS = 32;
/** A mark has 32 bits in the kernel. */
const MOST_FWMARK = 0xffff_ffff;

/** The wait between two attempts, in seconds. */
export const DEFAULT_RECONNECT_MIN = 1;
export const DEFAULT_RECONNECT_MAX = 60;
/** The interval of attempts at the first URL for `--prefer-first` without a value, in seconds. */
export const DEFAULT_PREFER_FIRST = 60;

export const WIRE_CHOICES = ['auto', 'raw'] as const;
export type WireChoice = (typeof WIRE_CHOICES)[number];

export const DIAL_OPTIONS = {
  user: {
    type: userName,
    emptyIsAbsent: true,
    flag: '--user',
    metavar: 'USER',
    help: 'user that the other switch knows',
  },
  passwd: {
    type: password,
    secret: true,
    emptyIsAbsent: true,
    flag: '--passwd',
    metavar: 'PASSWD',
    help: 'its password',
    note: 'visible in the process list, so rather let it be asked',
  },
  cacerts: {
    type: filePath,
    file: 'read',
    emptyIsAbsent: true,
    flag: '--cacerts',
    metavar: 'FILE',
    help: 'certificates (PEM) to verify the other switch with; a path on the host of this switch',
  },
  insecure: {
    type: flag,
    emptyIsAbsent: true,
    flag: '--insecure',
    help: 'do not verify the certificate of the other switch',
  },
  wire: {
    type: oneOf(WIRE_CHOICES),
    flag: '--wire',
    metavar: 'WIRE',
    help: 'auto: many frames a message with a switch that knows it; raw: always as 1.x',
  },
  token: { type: bearerToken, secret: true, help: 'a bearer token, instead of a user' },
  cert: {
    type: filePath,
    file: 'read',
    flag: '--cert',
    metavar: 'FILE',
    help: 'certificate (PEM) to show; like its key, a path on the host of this switch',
  },
  key: { type: filePath, file: 'read', flag: '--key', metavar: 'FILE', help: 'private key (PEM) of that certificate' },
  pin: {
    type: publicKeyPins,
    flag: '--pin',
    metavar: 'PIN',
    help: 'take only this public key, sha256//BASE64; several with semicolons between them',
  },
  servername: {
    type: serverName,
    flag: '--servername',
    metavar: 'NAME',
    help: 'name that TLS asks for and verifies, instead of that of the URL',
  },
  proxy: {
    type: proxyUrl,
    secret: true,
    flag: '--proxy',
    metavar: 'URL',
    help: 'http(s)://, socks5(h)://, or direct; default: HTTPS_PROXY … and NO_PROXY of the switch',
  },
  bindAddress: {
    type: hostAddress,
    flag: '--bind-address',
    metavar: 'A',
    help: 'address of the host of this switch to dial from',
  },
  bindDevice: {
    type: deviceName,
    flag: '--bind-device',
    metavar: 'NAME',
    help: 'device of that host to dial through, whatever its routes say',
  },
  fwmark: {
    type: integer(1, MOST_FWMARK),
    flag: '--fwmark',
    metavar: 'N',
    help: "mark of the packets, for that host's routing rules",
    hex: true,
    note: 'decimal or 0x…',
  },
  headers: {
    type: listOf(headerField, MOST_HEADERS),
    secret: true,
    flag: '--header',
    metavar: 'NAME:VALUE',
    help: 'header field of the opening handshake',
    note: 'may be repeated',
  },
  allowParallel: {
    type: flag,
    flag: '--allow-parallel',
    help: 'forward beside another tunnel to the same switch, where something else breaks the loop',
  },
  alternatives: {
    type: listOf(tunnelUrl, MOST_URLS),
    help: 'further URLs, tried in order when the target cannot be had',
  },
  redirect: {
    type: flag,
    default: true,
    flag: '--no-redirect',
    help: 'do not go to other nodes of a cluster: neither by redirects nor when the own URLs fail',
  },
  wait: { type: flag, default: true, flag: '--no-wait', help: 'add the port at once and dial in the background' },
  reconnect: { type: flag, default: true, flag: '--no-reconnect', help: 'do not dial again when the tunnel ends' },
  reconnectMin: {
    type: waitSeconds,
    default: DEFAULT_RECONNECT_MIN,
    unit: 'seconds',
    flag: '--reconnect-min',
    metavar: 'SECONDS',
    help: 'the longest first wait before dialling again; it doubles with every failure',
  },
  reconnectMax: {
    type: waitSeconds,
    default: DEFAULT_RECONNECT_MAX,
    unit: 'seconds',
    flag: '--reconnect-max',
    metavar: 'SECONDS',
    help: 'the longest wait of all',
  },
  preferFirst: {
    type: waitSeconds,
    unit: 'seconds',
    bare: DEFAULT_PREFER_FIRST,
    flag: '--prefer-first',
    metavar: 'SECONDS',
    help: 'with several URLs: try the first so often, and go back to it',
  },
} as const;

export type DialOptions = ValuesOf<typeof DIAL_OPTIONS>;

/** JSON Schema of an object in which `key` is given. */
function has(key: keyof DialOptions, value: Keywords = { not: { enum: [null, ''] } }): Keywords {
  return { required: [key], properties: { [key]: value } };
}

function implies(condition: Keywords, consequence: Keywords): Keywords {
  return { anyOf: [{ not: condition }, consequence] };
}

/** A rule about several options. Without keywords it is not in the JSON Schema. */
interface Together {
  complain(options: DialOptions): Complaint | false;
  readonly keywords?: Keywords;
}

export const DIAL_RULES: readonly Together[] = [
  {
    complain: ({ user, passwd }) =>
      passwd !== undefined &&
      user === undefined && { sentence: 'A password was given without a user', hint: 'Give the user, too' },
    keywords: implies(has('passwd'), has('user')),
  },
  {
    complain: ({ user, token }) =>
      token !== undefined &&
      user !== undefined && { sentence: 'A user and a token exclude each other', hint: 'Give one of them' },
    keywords: { not: { allOf: [has('user'), has('token')] } },
  },
  {
    complain: ({ cert, key }) =>
      (cert === undefined) !== (key === undefined) && {
        sentence: 'A client certificate needs its key, and a key its certificate',
        hint: 'Give both, {.cert} and {.key}',
      },
    keywords: implies({ anyOf: [has('cert'), has('key')] }, { allOf: [has('cert'), has('key')] }),
  },
  {
    complain: ({ preferFirst, alternatives = [] }) =>
      preferFirst !== undefined &&
      alternatives.length === 0 && {
        sentence: '{.preferFirst} was given with one URL only',
        hint: 'Give {.alternatives}, too: further URLs to dial',
      },
    keywords: implies(has('preferFirst'), has('alternatives', { type: 'array', minItems: 1 })),
  },
  {
    complain: ({ preferFirst, reconnect }) =>
      preferFirst !== undefined &&
      reconnect === false && {
        sentence: '{.preferFirst} and {.reconnect:false} exclude each other',
        hint: 'Give one of them',
      },
    keywords: { not: { allOf: [has('preferFirst'), has('reconnect', { enum: [false, 0] })] } },
  },
  {
    complain: ({ reconnectMin: min = DEFAULT_RECONNECT_MIN, reconnectMax: max = DEFAULT_RECONNECT_MAX }) =>
      min > max && { sentence: `{.reconnectMin} ${min} is above {.reconnectMax} ${max}`, hint: 'Give both' },
  },
];

/** The options of a client port, and the rules about several of them. */
export const dialOptions = v.pipe(
  objectOf(DIAL_OPTIONS),
  rule(
    (options: DialOptions) => {
      for (const { complain } of DIAL_RULES) {
        const complaint = complain(options);
        if (complaint !== false) return complaint;
      }
      return undefined;
    },
    { allOf: DIAL_RULES.flatMap(({ keywords }) => keywords ?? []) },
  ),
);
