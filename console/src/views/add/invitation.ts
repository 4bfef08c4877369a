import type { StatusEntry } from '../../../../src/control/status-entries.ts';
import type { DialOptions } from '../../../../src/schema/dial-options.ts';

/** What the other side needs to dial this switch: its URL, and the command or the lines of a configuration file. */

export type Service = StatusEntry['services'][number];
export type Credential = Service['credentials'][number];

/** How the other side knows that it talks to this switch. `none`: without TLS. */
export type Trust = 'pin' | 'authority' | 'file' | 'none';

export interface Invitation {
  /** of the tunnels of this switch as the other side reaches it, without a network */
  readonly address: string;
  /** that the tunnel joins here; `default` needs no name in the URL */
  readonly network: string;
  /** of the port there; '' for none */
  readonly name: string;
  readonly credential: Credential | 'none';
  readonly user: string;
  readonly trust: Trust;
  /** of this switch's public key */
  readonly pin: string | null;
  readonly wire: NonNullable<DialOptions['wire']>;
  readonly reconnect: boolean;
  /** the network there */
  readonly networkThere: string;
}

export const DEFAULT_NETWORK = 'default';
/** Files that the other side has to make, with names that say what is in them. */
export const FILES = {
  password: 'etherws.password',
  token: 'etherws.token',
  cert: 'client.pem',
  key: 'client.key',
  authority: 'authority.pem',
} as const;

/** The host of a listening address that means all addresses. */
const ANY_ADDRESS = ['0.0.0.0', '[::]'];

/**
 * Where tunnels are accepted.
 * @param here the host of the page, for a switch that listens on all addresses
 */
export function addressOf({ url }: Service, here: string): string {
  const [, scheme = 'ws:', host = '', port = '', path = '/'] =
    /^(wss?:)\/\/(\[[^\]]*\]|[^:/]*)(?::(\d+))?(\/.*)?$/.exec(url) ?? [];
  const reached = ANY_ADDRESS.includes(host) ? here : host;
  const usual = scheme === 'wss:' ? '443' : '80';
  return `${scheme}//${reached}${port === '' || port === usual ? '' : `:${port}`}${path}`;
}

/** Whether an address can be reached from this host only. */
export function isLoopback(address: string): boolean {
  return /^wss?:\/\/(127\.|localhost[:/]|\[::1\])/.test(address);
}

/** Why an address cannot be dialled; undefined: it can. */
export function addressProblem(address: string): string | undefined {
  if (!/^wss?:\/\//.test(address)) return 'Begin it with ws:// or wss://';
  if (!/^wss?:\/\/(\[[0-9a-f:.]+\]|[^\s/?#:[\]@]+)(:\d{1,5})?(\/[^\s?#]*)?$/i.test(address))
    return 'Write it as wss://relay.example/ or ws://192.0.2.1:8000/';
  return undefined;
}

/** The address with the network as its last segment (docs/operate/networks.md). */
export function urlOf({ address, network }: Pick<Invitation, 'address' | 'network'>): string {
  if (network === DEFAULT_NETWORK || network === '') return /\/\/[^/]*$/.test(address) ? `${address}/` : address;
  return `${address.replace(/\/$/, '')}/${encodeURIComponent(network)}`;
}

/** The options of the port, as words of `etherws ctl addport client`. */
export function wordsOf(invitation: Invitation): string[] {
  const { credential, user, trust, pin, wire, reconnect, name, networkThere } = invitation;
  return [
    urlOf(invitation),
    ...(credential === 'password' ? ['--user', user] : []),
    ...(credential === 'token' ? ['--token-file', FILES.token] : []),
    ...(credential === 'certificate' ? ['--cert', FILES.cert, '--key', FILES.key] : []),
    ...(trust === 'pin' && pin !== null ? ['--pin', pin] : []),
    ...(trust === 'file' ? ['--cacerts', FILES.authority] : []),
    ...(wire === 'auto' ? [] : ['--wire', wire]),
    ...(reconnect ? [] : ['--no-reconnect']),
    ...(name === '' ? [] : ['--name', name]),
    ...(networkThere === DEFAULT_NETWORK || networkThere === '' ? [] : ['--net', networkThere]),
  ];
}

export function commandOf(invitation: Invitation): string {
  return `etherws ctl addport client ${wordsOf(invitation).map(quoted).join(' ')}`;
}

/** A word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

type Row = readonly [key: string, value: string | boolean];

/** The same port in a configuration file. Texts in double quotes are JSON, which YAML takes. */
export function fileLinesOf(invitation: Invitation): string {
  const { credential, user, trust, pin, wire, reconnect, name, networkThere } = invitation;
  const rows: Row[] = [
    ['target', urlOf(invitation)],
    ...rowsIf(name !== '', ['name', name]),
    ...rowsIf(networkThere !== DEFAULT_NETWORK && networkThere !== '', ['network', networkThere]),
  ];
  const options: Row[] = [
    ...rowsIf(credential === 'password', ['user', user], ['passwd-file', FILES.password]),
    ...rowsIf(credential === 'token', ['token-file', FILES.token]),
    ...rowsIf(credential === 'certificate', ['cert', FILES.cert], ['key', FILES.key]),
    ...rowsIf(trust === 'pin' && pin !== null, ['pin', pin ?? '']),
    ...rowsIf(trust === 'file', ['cacerts', FILES.authority]),
    ...rowsIf(wire !== 'auto', ['wire', wire]),
    ...rowsIf(!reconnect, ['reconnect', false]),
  ];
  return [
    'ports:',
    '  - type: client',
    ...rows.map((row) => `    ${lineOf(row)}`),
    ...(options.length === 0 ? [] : ['    options:', ...options.map((row) => `      ${lineOf(row)}`)]),
  ].join('\n');
}

function rowsIf(isGiven: boolean, ...rows: readonly Row[]): readonly Row[] {
  return isGiven ? rows : [];
}

function lineOf([key, value]: Row): string {
  return `${key}: ${JSON.stringify(value)}`;
}
