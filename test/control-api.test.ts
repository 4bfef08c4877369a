import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { ALLOW_ALL, type Authenticator } from '../src/auth/authenticator.ts';
import type { Port } from '../src/bridge/port.ts';
import type { Described, InterfaceChange, InterfaceSettings, NetworkInterface } from '../src/bridge/port-details.ts';
import { captureEntry } from '../src/control/capture-entries.ts';
import { fdbEntry, interfaceEntry, portEntry } from '../src/control/entries.ts';
import { paramsSchema } from '../src/control/json-schema.ts';
import { mdbEntry } from '../src/control/multicast-entries.ts';
import { neighborEntry } from '../src/control/neighbor-entries.ts';
import { networkEntry } from '../src/control/network-entries.ts';
import { observationEntry } from '../src/control/observe-entries.ts';
import { pingEntry, traceEntry } from '../src/control/reach-entries.ts';
import { METHODS, type MethodName, SET_INTERFACE } from '../src/control/schema.ts';
import { portPage, statusEntry } from '../src/control/status-entries.ts';
import { stpEntry, stpPortEntry } from '../src/control/stp-entries.ts';
import { vlanEntry } from '../src/control/vlan-entries.ts';
import { EVENT_KINDS } from '../src/events/event.ts';
import { Switch } from '../src/networks/switch.ts';
import { RunningSwitch } from '../src/networks/switch-control.ts';
import { BRIDGE_PORT_OPTIONS } from '../src/schema/bridge-port-options.ts';
import { DIAL_OPTIONS } from '../src/schema/dial-options.ts';
import { NETWORK_OPTIONS } from '../src/schema/network-options.ts';
import { PORT_SPECS } from '../src/schema/port-spec.ts';
import { TAP_OPTIONS } from '../src/schema/tap-options.ts';
import { OFFLOAD_NONE } from '../src/wire/offload/virtio-header.ts';
import { createAuthority } from './support/certificates.ts';
import { type FakeControl, startFakeControl } from './support/fake-switch.ts';
import { run } from './support/process.ts';
import { missingTools } from './support/tools.ts';
import { once, until } from './support/waits.ts';

/** Checks the page about the control API: runs its requests by curl, and compares the responses. */

const PAGE = readFileSync('docs/reference/control-api.md', 'utf8');

interface Example {
  readonly request: string;
  /** the JSON block after the request, if the page has one */
  readonly answer: string | undefined;
}

const EXAMPLES: readonly Example[] = [...PAGE.matchAll(/```sh\n([\s\S]*?)```\n(?:\n```json\n([\s\S]*?)```)?/g)].map(
  ([, request = '', answer]) => ({ request, answer }),
);

/** The rows of the first table of the page whose head begins with `title`, as cells. @param from a text before it */
function tableBehind(title: string, from = ''): string[][] {
  const page = PAGE.slice(PAGE.indexOf(from));
  const [, rows = ''] = new RegExp(`^\\| ${title} \\|.*\n\\|[-|]+\n((?:\\|.*\n)+)`, 'm').exec(page) ?? [];
  assert.ok(page.startsWith(from) && rows !== '', `no table of ${title}`);
  return rows
    .trimEnd()
    .split('\n')
    .map((row) =>
      row
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
}

function namesBehind(title: string, from?: string): string[] {
  return tableBehind(title, from).flatMap(([names = '']) => namesIn(names));
}

/** The first code of each list item in the section `heading`. */
function bulletsOf(heading: string): string[] {
  const [, section = ''] = PAGE.split(`${heading}\n`);
  const [own = ''] = section.split(/^#/m);
  return [...own.matchAll(/^- `(\w+)`:/gm)].map(([, name = '']) => name);
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
}

/** The parameters of a method, for all types of ports. */
function parametersOf(name: MethodName): string[] {
  const found = new Set<string>();
  const look = ({ properties = {}, anyOf = [], oneOf = [] }: Branches): void => {
    for (const key of Object.keys(properties)) found.add(key);
    for (const branch of [...anyOf, ...oneOf]) look(branch);
  };
  look(paramsSchema(name) as Branches);
  return [...found];
}

interface Branches {
  readonly properties?: object;
  readonly anyOf?: readonly Branches[];
  readonly oneOf?: readonly Branches[];
}

function sorted(names: readonly string[]): string[] {
  return names.toSorted();
}

function byName([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}

/** A port that looks like one of a TAP device. */
function fakeTap(target: string): Port & Described {
  let settings: InterfaceSettings = { addresses: [], mtu: 1500 };
  const networkInterface: NetworkInterface = {
    read: () => settings,
    configure: ({ addresses = [], mtu = settings.mtu }: InterfaceChange) => {
      settings = { addresses: [...settings.addresses, ...addresses], mtu };
    },
  };
  return {
    type: 'tap',
    target,
    offloads: OFFLOAD_NONE,
    maxFrameBytes: 1514,
    details: { kind: 'device', networkInterface, netns: undefined },
    open: () => undefined,
    send: () => undefined,
    flush: () => undefined,
    close: () => Promise.resolve(),
  };
}

const onlyAnn: Authenticator = {
  ...ALLOW_ALL,
  challenge: 'Basic realm=etherws',
  authenticate: ({ authorization }) => {
    const isAnn = authorization === `Basic ${Buffer.from('ann:secret').toString('base64')}`;
    return Promise.resolve(isAnn ? { isAllowed: true, user: 'ann' } : { isAllowed: false, reason: 'wrong' });
  },
};

describe('docs/reference/control-api.md', () => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-api-'));
  const target = new Switch();
  let plain: FakeControl;

  before(async () => {
    plain = await startFakeControl({ service: new RunningSwitch(target, async (spec) => fakeTap(spec.target)) });
  });
  after(async () => {
    await plain.close();
    await target.close();
    rmSync(directory, { recursive: true });
  });

  it('has every method with every parameter, and no other', () => {
    const settings = Object.keys(BRIDGE_PORT_OPTIONS);
    const options = Object.keys(NETWORK_OPTIONS);
    const onPage = tableBehind('method').map(([name = '', parameters = '']) => {
      const further = parameters.includes('[settings](#settings)') ? settings : [];
      const ofNetworks = parameters.includes('[options](#addnet') ? options : [];
      return [name, sorted([...namesIn(parameters), ...further, ...ofNetworks])];
    });
    const known = Object.keys(METHODS).map((name) => [`\`${name}\``, sorted(parametersOf(name as MethodName))]);
    assert.deepEqual(onPage.toSorted(byName), known.toSorted(byName));
  });

  it('has every kind of port, every option and every member of an entry, and no other', () => {
    const { port: _, ...interfaceParameters } = SET_INTERFACE;
    for (const [onPage, known] of [
      [bulletsOf('### addPort'), PORT_SPECS],
      [namesBehind('tap option'), TAP_OPTIONS],
      [namesBehind('client option'), DIAL_OPTIONS],
      [bulletsOf('### setInterface'), interfaceParameters],
      [namesBehind('parameter', '**Settings**'), BRIDGE_PORT_OPTIONS],
      [namesBehind('member', 'A port:'), portEntry.entries],
      [namesBehind('member', 'An interface:'), interfaceEntry.entries],
      [namesBehind('member', 'An address:'), fdbEntry.entries],
      [namesBehind('multicast member'), mdbEntry.entries],
      [namesBehind('member of the status'), statusEntry.entries],
      [[...namesBehind('further member of a port'), ...Object.keys(portEntry.entries)], portPage.entries],
      [namesBehind('tree member'), stpEntry.entries],
      [namesBehind('tree port member'), stpPortEntry.entries],
      [namesBehind('network option'), NETWORK_OPTIONS],
      [namesBehind('network member'), networkEntry.entries],
      [namesBehind('neighbour member'), neighborEntry.entries],
      [namesBehind('VLAN member'), vlanEntry.entries],
      [namesBehind('ping member'), pingEntry.entries],
      [namesBehind('trace member'), traceEntry.entries],
      [namesBehind('capture member'), captureEntry.entries],
      [namesBehind('observation member'), observationEntry.entries],
    ] as const) {
      assert.deepEqual(sorted(onPage), sorted(Object.keys(known)));
    }
  });

  it('has every kind of event, and no other', () => {
    const onPage = tableBehind('event').map(([name = '']) => name.replaceAll('`', ''));
    assert.deepEqual(sorted(onPage), sorted(EVENT_KINDS));
  });

  it('names the command that prints the schema', () => {
    assert.ok(PAGE.includes('`etherws ctl schema [METHOD]`'));
  });

  it('has requests that curl can send, and answers as they come', { skip: missingTools('bash', 'curl') }, async () => {
    const examples = EXAMPLES.filter(({ request }) => request.includes('http://127.0.0.1:7867/ctl'));
    assert.ok(examples.length >= 5);
    for (const { request, answer } of examples) {
      const command = request.replace('http://127.0.0.1:7867/ctl', plain.url);
      const { status, stdout, stderr } = await run(['bash', '-c', command]);
      assert.deepEqual([status, stderr], [0, ''], request);
      if (answer === undefined) assert.ok(JSON.parse(stdout).result.entries.length > 0, stdout);
      else assert.deepEqual(JSON.parse(stdout), JSON.parse(answer), request);
    }
  });

  it('has an observation as it comes', async (t) => {
    const [, section = ''] = PAGE.split('## Tables as they change\n');
    const [request = '', ...expected] = [...section.matchAll(/```json\n(.*)\n```/g)]
      .slice(0, 4)
      .map(([, text]) => text);
    const messages: unknown[] = [];
    const webSocket = new WebSocket(plain.url.replace('http', 'ws'));
    t.after(() => webSocket.terminate());
    webSocket.on('message', (data) => messages.push(JSON.parse(String(data))));
    await once(webSocket, 'open');
    webSocket.send(request);
    await until(() => messages.length === 2);
    target.administration.setShut(1, false);
    await until(() => messages.length === 3);
    assert.deepEqual(
      messages,
      expected.map((text = '') => JSON.parse(text)),
    );
  });

  it('shows how to do it with TLS and a password', { skip: missingTools('bash', 'curl', 'openssl') }, async (t) => {
    const authority = await createAuthority(directory);
    const files = await authority.issue('switch', ['127.0.0.1']);
    const tls = { key: readFileSync(files.key, 'utf8'), cert: readFileSync(files.certificate, 'utf8') };
    const guarded = await startFakeControl({ tls, authenticator: onlyAnn });
    t.after(() => guarded.close());
    const [example, ...others] = EXAMPLES.filter(({ request }) => request.includes('https://switch.example'));
    assert.ok(example !== undefined && others.length === 0);

    const command = example.request
      .replace('https://switch.example:7867/ctl', guarded.url)
      .replace('ca.pem', authority.certificate);
    for (const [user, expected] of [
      ['ann:secret', '"result":{"entries":[]}'],
      ['ann:wrong', '"data":"AUTH_FAILED: '],
    ] as const) {
      const { status, stdout } = await run(['bash', '-c', command.replace('-u ann ', `-u ${user} `)]);
      assert.equal(status, 0);
      assert.ok(stdout.includes(expected), stdout);
    }
  });

  it('is right about curl that sends too much', { skip: missingTools('bash', 'curl') }, async () => {
    const options = `-s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' --data-binary @-`;
    for (const more of ['', `-H 'Transfer-Encoding: chunked'`]) {
      const command = `head -c 3000000 /dev/zero | curl ${options} ${more} ${plain.url}`;
      assert.equal((await run(['bash', '-c', command])).stdout, '413', more);
    }
  });
});
