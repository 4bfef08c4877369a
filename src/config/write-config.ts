import { stringify } from 'yaml';
import type { ConfigEntry } from '../control/schema.ts';
import { shownServers } from '../net/nats-url.ts';
import { shownUrl } from '../net/shown-url.ts';
import { DIAL_OPTIONS } from '../schema/dial-options.ts';
import { DEFAULT_NETWORK } from '../schema/network-options.ts';
import type { SwValues } from '../schema/sw-options.ts';
import type { Row } from '../schema/table.ts';
import { fileKey } from './key-names.ts';
import { changesOf, type RunningNetwork } from './network-plan.ts';
import type { RunningPort } from './port-plan.ts';

const HEAD = '# Written by `etherws ctl save`. Paths are absolute, and secrets are in files of their own.\n';

/** The options for a file with a secret, by the option of the secret. */
const IN_FILES: Readonly<Record<string, string>> = { passwd: 'passwd-file', token: 'token-file' };

/** The text of a configuration file with these options, networks and ports. */
export function writeConfig(
  options: SwValues,
  networks: readonly RunningNetwork[],
  ports: readonly RunningPort[],
): ConfigEntry {
  const omissions: string[] = [];
  const items = ports.map((port) => {
    const { text, comments } = itemOf(port);
    for (const { sentence } of comments)
      omissions.push(`port ${port.number} (${port.name || shownUrl(port.opened.spec.target)}): ${sentence}`);
    return indented(text) + comments.map(({ line }) => `    # ${line}\n`).join('');
  });
  const document = withFileKeys(withoutPassword(options, omissions)) as object;
  const head = Object.keys(document).length === 0 ? '' : `\n${stringify(document)}`;
  const list = networks.flatMap(networkItem);
  const listed = list.length === 0 ? '' : `\nnetworks:\n${indented(stringify(list))}`;
  return { text: `${HEAD}${head}${listed}${items.length === 0 ? '' : `\nports:\n${items.join('')}`}`, omissions };
}

/** The password for the servers of a cluster gives its whole configuration away. */
function withoutPassword(options: SwValues, omissions: string[]): SwValues {
  const { cluster } = options;
  if (cluster === undefined) return options;
  const servers = shownServers(cluster.servers);
  if (servers === cluster.servers) return options;
  omissions.push('cluster.servers: its user and password are left out: name a file as nkey, creds or token instead');
  return { ...options, cluster: { ...cluster, servers } };
}

/** A network with the settings that are not those of a new one; none for the default network without any. */
function networkItem({ name, settings, origin }: RunningNetwork): object[] {
  const changes = changesOf({ name, settings: {}, place: '' }, settings);
  if (origin === 'auto' || (name === DEFAULT_NETWORK && Object.keys(changes).length === 0)) return [];
  return [withFileKeys({ name, ...changes }) as object];
}

interface Comment {
  /** the line that the file has instead */
  readonly line: string;
  readonly sentence: string;
}

function itemOf(port: RunningPort): { text: string; comments: Comment[] } {
  const { type, target, network, options = {} } = port.opened.spec;
  const { passwd, token } = port.opened.secretFiles;
  const [kept, comments] = withoutSecrets(options, port);
  const shown = shownUrl(target);
  if (
    [target, ...(port.opened.spec.type === 'client' ? (port.opened.spec.options?.alternatives ?? []) : [])].some(
      hasSecret,
    )
  ) {
    comments.push(SECRET_IN_URL);
  }
  const item = {
    type,
    target: shown,
    ...(port.name === '' ? {} : { name: port.name }),
    ...(port.description === '' ? {} : { description: port.description }),
    ...(network === undefined || network === DEFAULT_NETWORK ? {} : { network }),
    ...(port.shut ? { shut: true } : {}),
    ...port.values,
    ...(port.addresses.length === 0 ? {} : { addresses: port.addresses }),
    ...(port.mtu === undefined ? {} : { mtu: port.mtu }),
    options: {
      ...kept,
      ...(passwd === undefined ? {} : { passwdFile: passwd }),
      ...(token === undefined ? {} : { tokenFile: token }),
    },
  };
  return { text: stringify([withFileKeys(item)]), comments };
}

function withoutSecrets(options: object, port: RunningPort): [Record<string, unknown>, Comment[]] {
  const kept: Record<string, unknown> = {};
  const comments: Comment[] = [];
  const rows: Readonly<Record<string, Row>> = DIAL_OPTIONS;
  for (const [key, value] of Object.entries(options)) {
    // A port of a file dials in the background by default; `wait` of a call concerned only that call.
    if (key === 'wait' && (value === false || port.origin === 'ctl')) continue;
    const isSecret = rows[key]?.secret === true && !(key === 'proxy' && isPublicUrl(String(value)));
    if (!isSecret) kept[key] = key === 'alternatives' ? (value as string[]).map(shownUrl) : value;
    else if (!Object.hasOwn(port.opened.secretFiles, key)) comments.push(commentOn(key));
  }
  return [kept, comments];
}

function commentOn(key: string): Comment {
  const inFile = IN_FILES[key];
  const name = fileKey(key);
  if (inFile === undefined) {
    return {
      line: `options.${name}: left out, since it is a secret`,
      sentence: `${name}: left out, since it is a secret`,
    };
  }
  return {
    line: `options.${inFile}: FILE   put the secret on the first line of a file of mode 0600, and name it here`,
    sentence: `its ${name} came by a call: put it into a file, and name that as ${inFile}`,
  };
}

function hasSecret(url: string): boolean {
  return shownUrl(url) !== url;
}

const SECRET_IN_URL: Comment = {
  line: 'URLs: without the secrets of their queries; options.token-file can name a file that has one',
  sentence: 'its URL holds a secret, which is left out: put it into a file, and name that as token-file',
};

/** Whether a URL has neither a user nor a password. */
function isPublicUrl(text: string): boolean {
  return !text.includes('@');
}

/** The same value with the keys of a file, without absent options and without empty sections. */
function withFileKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).flatMap(([key, below]): [string, unknown][] => {
    const converted = withFileKeys(below);
    const isEmpty = typeof converted === 'object' && converted !== null && Object.keys(converted).length === 0;
    return converted === undefined || (isEmpty && !Array.isArray(converted)) ? [] : [[fileKey(key), converted]];
  });
  return Object.fromEntries(entries);
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
