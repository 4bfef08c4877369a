import { parseServers } from '../net/nats-url.ts';
import { objectOf, type Table } from './table.ts';
import { given, implies, together } from './together.ts';
import { anyText, oneOf, text } from './types.ts';

/** The options by which a switch becomes a node of a cluster. */

/** The value of `--cluster` that starts a server. */
export const EMBEDDED = 'embedded';

const NAME = /^[A-Za-z0-9_-]{1,63}$/;

const name = text((value) => (NAME.test(value) ? undefined : 'must be 1 to 63 letters, digits, "-" and "_"'), {
  pattern: NAME.source,
});

const servers = text((value) => {
  if (value === EMBEDDED || parseServers(value) !== undefined) return undefined;
  return 'is neither "embedded" nor a list of URLs such as nats://a.example,nats://b.example:4222';
});

const advertised = text((value) => {
  if (value === 'none') return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isTunnelUrl = url !== undefined && /^wss?:$/.test(url.protocol) && url.search === '' && url.hash === '';
  return isTunnelUrl && url.username === '' ? undefined : 'is neither "none" nor a URL such as wss://r1.example/';
});

export const CLUSTER_OPTIONS = {
  servers: {
    type: servers,
    flag: '--cluster',
    metavar: 'urls',
    help: 'be a node of a cluster that these NATS servers keep (nats://a,b,c), or that one started here keeps: embedded',
    required: true,
    missing: {
      sentence: '{name} is missing: other options of a cluster are given without the NATS servers that keep it',
      hint: 'Name them, as in nats://a.example,nats://b.example; "embedded" starts one here; without a cluster leave the others out',
    },
  },
  name: {
    type: name,
    default: 'etherws',
    flag: '--cluster-name',
    metavar: 'name',
    help: 'the name of the cluster; one NATS server may keep several',
  },
  node: {
    type: name,
    defaultText: 'the host name without its domain',
    flag: '--node',
    metavar: 'name',
    help: 'the name of this node, unique in the cluster',
  },
  advertise: {
    type: advertised,
    defaultText: 'the address towards the NATS server',
    flag: '--advertise',
    metavar: 'url',
    help: 'where the other nodes reach the tunnels of this one; none: it only dials',
  },
  redirect: {
    type: oneOf(['on', 'off']),
    default: 'on',
    flag: '--cluster-redirect',
    metavar: 'on|off',
    help: 'send new clients that follow redirects to a node with a lower load, and tell them of other nodes',
  },
  secret: {
    type: anyText,
    file: 'read',
    defaultText: 'none: a key in the store',
    flag: '--cluster-secret',
    metavar: 'file',
    help: 'file with the secret of the cluster, the same at all nodes: what comes by the store is believed with its code only',
  },
  creds: {
    type: anyText,
    file: 'read',
    flag: '--cluster-creds',
    metavar: 'file',
    help: 'credentials of the NATS user: a file made by nsc',
  },
  nkey: {
    type: anyText,
    file: 'read',
    flag: '--cluster-nkey',
    metavar: 'file',
    help: 'seed of the NKey of the NATS user',
  },
  token: {
    type: anyText,
    file: 'read',
    flag: '--cluster-token',
    metavar: 'file',
    help: 'file that holds the token of the NATS servers',
  },
  cacerts: {
    type: anyText,
    file: 'read',
    defaultText: "the host's",
    flag: '--cluster-cacerts',
    metavar: 'file',
    help: 'authorities of the NATS servers and of the other nodes, PEM',
  },
  cert: {
    type: anyText,
    file: 'read',
    flag: '--cluster-cert',
    metavar: 'file',
    help: 'certificate for the NATS servers, PEM',
  },
  key: {
    type: anyText,
    file: 'read',
    flag: '--cluster-key',
    metavar: 'file',
    help: 'private key of that certificate, PEM',
  },
} as const satisfies Table;

export const clusterOptions = together(objectOf(CLUSTER_OPTIONS), [
  {
    complain: ({ cert, key }) =>
      (cert === undefined) !== (key === undefined) && {
        sentence: '{.cert} and {.key} need each other',
      },
    keywords: { ...implies(given('cert'), given('key')) },
  },
  {
    complain: ({ creds, nkey, token }) =>
      [creds, nkey, token].filter((file) => file !== undefined).length > 1 && {
        sentence: '{.creds}, {.nkey} and {.token} exclude each other',
      },
  },
]);
