import { TUNNEL_SETTINGS } from './bridge-port-options.ts';
import type { Complaint } from './check.ts';
import { congestionName, eitherOf, urlPath, webOrigin } from './sw-values.ts';
import { objectOf, type Table, type ValuesOf } from './table.ts';
import { given, implies, type Together, together } from './together.ts';
import { anyText, flag, listOf, wholeNumber } from './types.ts';

/** The options of the two services of a switch: where each is served, and for whom. */

const MOST_GRACE_SECONDS = 3600;

const listenPort = wholeNumber(0, 65_535);

/** Where tunnels are accepted. */
export const TUNNEL_OPTIONS = {
  path: { type: urlPath, default: '/', flag: '--path', metavar: 'path', help: 'where tunnels are accepted' },
  host: { type: anyText, defaultText: 'all', flag: '--host', metavar: 'host', help: 'address to listen on' },
  port: {
    type: listenPort,
    defaultText: '80, with TLS 443',
    flag: '--port',
    metavar: 'port',
    help: 'port to listen on',
  },
  wire: {
    type: eitherOf('auto', 'raw'),
    default: 'auto',
    flag: '--wire',
    metavar: 'wire',
    help: 'auto: many frames a message between switches that know it; raw: always as 1.x',
  },
  congestion: {
    type: congestionName,
    default: 'auto',
    flag: '--congestion',
    metavar: 'name',
    help: "auto, system, or how the tunnels' TCP answers congestion: cubic, bbr, …",
  },
  aes: {
    type: eitherOf('auto', 'openssl'),
    default: 'auto',
    flag: '--aes',
    metavar: 'library',
    help: "auto: the fastest library for tunnels' AES-GCM that is there; openssl: Node's own",
  },
  grace: {
    type: wholeNumber(0, MOST_GRACE_SECONDS),
    default: 30,
    unit: 'seconds',
    flag: '--grace',
    metavar: 'sec',
    help: 'how long the port of a lost tunnel waits for its client; 0: not at all',
  },
  htpasswd: readFile('--htpasswd', 'users that may join: a file made by htpasswd'),
  tokenkeys: readFile(
    '--tokenkeys',
    'clients that may join: with tokens that these keys signed (JWKS, PEM, or a secret)',
  ),
  tokenaudience: audience('--tokenaudience'),
  clientCa: readFile('--client-ca', 'clients that may join: with certificates of these authorities, PEM'),
  origins: {
    type: listOf(webOrigin),
    flag: '--origin',
    metavar: 'origin',
    help: "pages of this web origin may join, too ('*' for all; repeatable)",
  },
  settings: TUNNEL_SETTINGS,
  sslkey: readFile('--sslkey', 'private key, PEM'),
  sslcert: readFile('--sslcert', 'certificate and its chain, PEM'),
} as const satisfies Table;

/** Where the control API is served. */
export const CONTROL_OPTIONS = {
  path: { type: urlPath, default: '/ctl', flag: '--ctlpath', metavar: 'path', help: 'where the control API is served' },
  host: {
    type: anyText,
    default: '127.0.0.1',
    flag: '--ctlhost',
    metavar: 'host',
    help: "address to listen on ('' for all)",
  },
  port: { type: listenPort, default: 7867, flag: '--ctlport', metavar: 'port', help: 'port to listen on' },
  htpasswd: readFile('--ctlhtpasswd', 'users that may control: a file made by htpasswd'),
  tokenkeys: readFile('--ctltokenkeys', 'callers that may control: with tokens that these keys signed'),
  tokenaudience: audience('--ctltokenaudience'),
  clientCa: readFile('--ctlclient-ca', 'callers that may control: with certificates of these authorities, PEM'),
  sslkey: readFile('--ctlsslkey', 'private key, PEM'),
  sslcert: readFile('--ctlsslcert', 'certificate and its chain, PEM'),
  group: {
    type: anyText,
    flag: '--ctlgroup',
    metavar: 'group',
    help: 'obey the members of this group, beside root and the user of the switch',
  },
  anybody: { type: flag, flag: '--ctl-anybody', help: 'obey every user of this host, as 1.x did' },
  socket: {
    type: anyText,
    file: 'made',
    flag: '--ctlsocket',
    metavar: 'path',
    help: 'serve it on a Unix socket, too, for root and the user of the switch',
  },
  tcp: { type: flag, default: true, flag: '--no-ctl-tcp', help: 'serve it on the Unix socket only' },
  console: {
    type: flag,
    default: true,
    flag: '--no-console',
    help: 'do not serve the console, the pages for browsers under /console/',
  },
  names: {
    type: listOf(anyText),
    flag: '--ctlname',
    metavar: 'name',
    help: 'a host name under which the control API may be addressed (repeatable)',
  },
} as const satisfies Table;

function readFile<const F extends `--${string}`>(flagName: F, help: string) {
  return { type: anyText, file: 'read', flag: flagName, metavar: 'file', help } as const;
}

function audience<const F extends `--${string}`>(flagName: F) {
  return { type: anyText, flag: flagName, metavar: 'name', help: 'what such tokens must name in "aud"' } as const;
}

/** What the rules of both services ask for. */
interface Service {
  readonly sslkey?: string;
  readonly sslcert?: string;
  readonly tokenkeys?: string;
  readonly tokenaudience?: string;
  readonly clientCa?: string;
}

const SERVICE_RULES: readonly Together<Service>[] = [
  {
    complain: ({ sslkey, sslcert }) =>
      sslkey !== undefined && sslcert === undefined && pairComplaint('sslkey', 'sslcert'),
    keywords: implies(given('sslkey'), given('sslcert')),
  },
  {
    complain: ({ sslkey, sslcert }) =>
      sslcert !== undefined && sslkey === undefined && pairComplaint('sslcert', 'sslkey'),
    keywords: implies(given('sslcert'), given('sslkey')),
  },
  {
    complain: ({ tokenkeys, tokenaudience }) =>
      tokenkeys === undefined &&
      tokenaudience !== undefined && { sentence: '{.tokenaudience} needs {.tokenkeys}, too' },
    keywords: implies(given('tokenaudience'), given('tokenkeys')),
  },
  {
    complain: ({ tokenkeys, tokenaudience }) =>
      tokenkeys !== undefined &&
      (tokenaudience === undefined || tokenaudience === '') && {
        sentence: '{.tokenkeys} needs {.tokenaudience}, too',
        hint: 'A token that was made for another service must not open this one: say what tokens for this one name in "aud"',
      },
    keywords: implies(given('tokenkeys'), given('tokenaudience')),
  },
  {
    complain: ({ clientCa, sslkey, sslcert }) =>
      clientCa !== undefined &&
      sslkey === undefined &&
      sslcert === undefined && {
        sentence: '{.clientCa} needs {.sslkey} and {.sslcert}, too',
        hint: 'Clients show certificates only in TLS',
      },
    keywords: implies(given('clientCa'), given('sslkey')),
  },
];

function pairComplaint(present: string, missing: string): Complaint {
  return { sentence: `{.${present}} needs {.${missing}}, too`, hint: 'TLS needs the private key and its certificate' };
}

type ControlValues = ValuesOf<typeof CONTROL_OPTIONS>;

const CONTROL_RULES: readonly Together<ControlValues>[] = [
  {
    complain: ({ tcp, socket }) =>
      tcp === false &&
      socket === undefined && {
        sentence: '{.tcp:false} needs {.socket}, too',
        hint: 'Otherwise nothing could control the switch',
      },
  },
  {
    complain: ({ anybody, htpasswd, tokenkeys, clientCa }) =>
      anybody === true &&
      (htpasswd ?? tokenkeys ?? clientCa) !== undefined && {
        sentence: '{.anybody} contradicts the options that ask for credentials',
        hint: 'Give either',
      },
  },
  {
    complain: ({ anybody, group, tcp }) =>
      anybody === true &&
      (group !== undefined || tcp === false) && {
        sentence: `{.anybody} contradicts ${tcp === false ? '{.tcp:false}' : '{.group}'}`,
        hint: 'It obeys every user of this host over TCP',
      },
  },
];

export const tunnelOptions = together(objectOf(TUNNEL_OPTIONS), SERVICE_RULES);

export const controlOptions = together(objectOf(CONTROL_OPTIONS), [...SERVICE_RULES, ...CONTROL_RULES]);
