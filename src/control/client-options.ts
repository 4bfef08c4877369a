import { bearerToken, headerField, hostAddress, proxyUrl, publicKeyPins, serverName } from './dial-values.ts';
import { exactly, flag, integer, invalid, listOf, oneOf, optional, optionalOrEmpty, type Shape } from './shape.ts';
import { deviceName, filePath, password, tunnelUrl, userName, waitSeconds } from './values.ts';

/** How a client port dials; a password needs a user. */
export interface ClientOptions {
  user?: string;
  passwd?: string;
  cacerts?: string;
  insecure?: boolean;
  /** `auto`: the batched wire with a switch that knows it; `raw`: always as 1.x. Default `auto` */
  wire?: WireChoice;
  /** true: forwards beside other tunnels to the same switch, instead of standing by. Default false */
  allowParallel?: boolean;
  /** further URLs, tried in order when the target cannot be had */
  alternatives?: string[];
  /** false: the port is there at once and dials in the background. Default true: a first failure is an error */
  wait?: boolean;
  /** false: a tunnel that ended is not dialled again. Default true */
  reconnect?: boolean;
  /** seconds: the ceiling of the first wait between two tries, which doubles with every failure. Default 1 */
  reconnectMin?: number;
  /** seconds: the ceiling of all waits. Default 60 */
  reconnectMax?: number;
  /** seconds: how often the target is tried while the tunnel is one of an alternative, to go back there */
  preferFirst?: number;
  /** `http://`, `https://`, `socks5://` or `socks5h://`, or `direct`; default: what the switch's environment says */
  proxy?: string;
  /** a bearer token, instead of a user */
  token?: string;
  /** header fields of the opening handshake, each as `NAME:VALUE` */
  headers?: string[];
  /** the name that TLS asks for and verifies, instead of the URL's */
  servername?: string;
  /** the address of the switch's host to dial from */
  bindAddress?: string;
  /** the device of the switch's host to dial through, whatever its routes say */
  bindDevice?: string;
  /** the mark of the connection's packets, for routing rules and packet filters of that host */
  fwmark?: number;
  /** the public key that the server must have, `sha256//BASE64`; several with semicolons between them */
  pin?: string;
  /** paths on the switch's host of the certificate to show, and of its key */
  cert?: string;
  key?: string;
}

/** As a reconnecting client waits when nothing else is said; seconds. */
export const DEFAULT_RECONNECT_MIN = 1;
export const DEFAULT_RECONNECT_MAX = 60;
/** How often the first URL is tried where it is preferred without saying how often; seconds. */
export const DEFAULT_PREFER_FIRST = 60;

export const WIRE_CHOICES = ['auto', 'raw'] as const;
export type WireChoice = (typeof WIRE_CHOICES)[number];

/** Every URL is tried for seconds: with more of them a try would take minutes. */
const MOST_URLS = 16;

const MOST_HEADERS = 32;

/** The kernel has 32 bits for a mark. */
const MOST_FWMARK = 0xffff_ffff;

const clientFields: Shape<ClientOptions> = exactly<ClientOptions>({
  user: optionalOrEmpty(userName),
  passwd: optionalOrEmpty(password),
  cacerts: optionalOrEmpty(filePath),
  insecure: optionalOrEmpty(flag),
  wire: optional(oneOf(WIRE_CHOICES)),
  allowParallel: optional(flag),
  alternatives: optional(listOf(tunnelUrl, MOST_URLS)),
  wait: optional(flag),
  reconnect: optional(flag),
  reconnectMin: optional(waitSeconds),
  reconnectMax: optional(waitSeconds),
  preferFirst: optional(waitSeconds),
  proxy: optional(proxyUrl),
  token: optional(bearerToken),
  headers: optional(listOf(headerField, MOST_HEADERS)),
  servername: optional(serverName),
  bindAddress: optional(hostAddress),
  bindDevice: optional(deviceName),
  fwmark: optional(integer(1, MOST_FWMARK)),
  pin: optional(publicKeyPins),
  cert: optional(filePath),
  key: optional(filePath),
});

/** What a client port takes, and what must stand together. */
export const clientOptions: Shape<ClientOptions> = {
  read(value, name) {
    const options = clientFields.read(value, name);
    if (options.passwd !== undefined && options.user === undefined) {
      throw invalid('A password was given without a user', 'Give the user, too');
    }
    if (options.token !== undefined && options.user !== undefined) {
      throw invalid('A user and a token exclude each other', 'Give one of them');
    }
    if ((options.cert === undefined) !== (options.key === undefined)) {
      throw invalid('A client certificate needs its key, and a key its certificate', 'Give both, cert and key');
    }
    if (options.preferFirst !== undefined && (options.alternatives ?? []).length === 0) {
      throw invalid('preferFirst was given with one URL only', 'Give alternatives, too: further URLs to dial');
    }
    if (options.preferFirst !== undefined && options.reconnect === false) {
      throw invalid('preferFirst and reconnect: false exclude each other', 'Give one of them');
    }
    const { reconnectMin = DEFAULT_RECONNECT_MIN, reconnectMax = DEFAULT_RECONNECT_MAX } = options;
    if (reconnectMin > reconnectMax) {
      throw invalid(`reconnectMin ${reconnectMin} is above reconnectMax ${reconnectMax}`, 'Give both');
    }
    return options;
  },
};

/**
 * A device takes no options of a client. Those of 1.x may stand there and say
 * nothing: its callers send all four for every type of port.
 */
export const deviceOptions: Shape<ClientOptions> = {
  read(value, name) {
    const { insecure, ...others } = clientFields.read(value, name);
    const given = [...Object.keys(others), ...(insecure === true ? ['insecure'] : [])];
    if (given.length > 0) throw invalid(`Only a client port takes ${name}.${given[0]}`);
    return {};
  },
};
