import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PortEntry } from '../../src/control/schema.ts';
import { createAuthority } from '../support/certificates.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { commandsIn, fencedBlocks } from '../support/fenced-blocks.ts';
import { LEFT, LEFT_TAP, openPair, type Pair, pings, RIGHT, RIGHT_TAP, startSwitches } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';
import type { Process } from '../support/process.ts';
import { pathOf } from '../support/tools.ts';

/*
 * Runs the configurations of docs/operate/behind-a-proxy.md; only the directory of
 * the certificates differs. The proxy and the switch behind it are on the left host,
 * the client on the right one.
 */

const PAGE = 'docs/operate/behind-a-proxy.md';
const NAME = 'relay.example';
/** The directory of the certificates in the page. */
const CERTIFICATES = `/etc/ssl/${NAME}`;
const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';
const BLOCKS = fencedBlocks(PAGE);
/** Further addresses of the client's host. */
const OTHERS = ['10.1.0.3', '10.1.0.4'] as const;
const CLIENT = 2;
const QUICK = ['--reconnect-min', '0.2', '--reconnect-max', '1'];

interface Recipe {
  readonly section: string;
  readonly program: 'nginx' | 'haproxy';
  /** whether the switch also gets the client's port */
  readonly tellsPort: boolean;
  /** the variant of the configuration that the page mentions */
  readonly vary?: (configuration: string) => string;
}

const RECIPES: readonly Recipe[] = [
  { section: 'nginx that ends TLS', program: 'nginx', tellsPort: false },
  { section: 'nginx that passes TLS on', program: 'nginx', tellsPort: true },
  { section: 'HAProxy that ends TLS', program: 'haproxy', tellsPort: false },
  { section: 'HAProxy that passes TLS on', program: 'haproxy', tellsPort: true },
  {
    section: 'HAProxy that passes TLS on',
    program: 'haproxy',
    tellsPort: true,
    vary: (configuration) => configuration.replace(/send-proxy-v2$/m, 'send-proxy'),
  },
];

/** The only block of a section in a language. */
function blockOf(section: string, language: string): string {
  const found = BLOCKS.filter((block) => block.section === section && block.language === language);
  assert.equal(found.length, 1, `one ${language} block in "${section}" of ${PAGE}`);
  return found[0]?.text ?? '';
}

/** A main file like Debian's, for the blocks of nginx; user `root`, since the namespace has no other one. */
function nginxFile(directory: string, block: string): string {
  const isStream = block.startsWith('stream');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  return [
    ...(isStream ? [`load_module ${STREAM_MODULE};`] : []),
    `user root; daemon off; pid ${directory}/nginx.pid; error_log stderr notice;`,
    'events {}',
    isStream ? block : `http { access_log off; ${paths.join(' ')}\n${block}}`,
  ].join('\n');
}

/** Starts the proxy, and waits until it listens. */
async function startProxy(host: Host, program: Recipe['program'], file: string): Promise<Process> {
  const command = program === 'nginx' ? ['-e', 'stderr', '-c', file] : ['-W', '-f', file];
  const started = host.spawn([pathOf(program) ?? program, ...command], { timeoutMs: 600_000 });
  let hasEnded = false;
  void started.exited.then(() => {
    hasEnded = true;
  });
  await eventually(
    () => host.check(['ss', '-Hltn', 'sport = :443']),
    (listening) => {
      if (hasEnded) throw new Error(`ended: ${started}`);
      return listening.includes(':443');
    },
  );
  return started;
}

async function makeCertificates({ lab }: Pair): Promise<{ directory: string; ca: string }> {
  const directory = join(lab.directory, NAME);
  mkdirSync(directory);
  const authority = await createAuthority(lab.directory);
  const { key, certificate } = await authority.issue(NAME, [NAME]);
  const [keyText, certificateText] = [readFileSync(key), readFileSync(certificate)];
  writeFileSync(join(directory, 'key.pem'), keyText);
  writeFileSync(join(directory, 'cert.pem'), certificateText);
  writeFileSync(join(directory, 'both.pem'), Buffer.concat([certificateText, keyText]));
  await lab.nameHosts({ [NAME]: LEFT.v4 });
  return { directory, ca: authority.certificate };
}

async function runRecipe(t: TestContext, recipe: Recipe): Promise<void> {
  const { section, program, tellsPort, vary = (configuration) => configuration } = recipe;
  const written = blockOf(section, program);
  const isStream = written.startsWith('stream');
  if (isStream && pathOf('nginx') !== undefined && !existsSync(STREAM_MODULE)) {
    return t.skip(`needs ${STREAM_MODULE}: apt install libnginx-mod-stream`);
  }
  const pair = await openPair(t, program, 'ping', 'openssl');
  if (pair === undefined) return;
  const { lab, left, right } = pair;
  for (const other of OTHERS) await right.check(['ip', 'address', 'add', `${other}/24`, 'dev', 'eth0']);
  const { directory, ca } = await makeCertificates(pair);
  const here = (text: string): string => text.replaceAll(CERTIFICATES, directory);
  const configuration = here(vary(written));
  assert.equal(configuration !== here(written), recipe.vary !== undefined);
  const file = join(lab.directory, 'proxy.conf');
  writeFileSync(file, program === 'nginx' ? nginxFile(lab.directory, configuration) : configuration);
  const [sw = [], addport = []] = commandsIn(here(blockOf(section, 'sh')));
  assert.deepEqual(
    [sw.slice(0, 2), addport.slice(0, 4)],
    [
      ['etherws', 'sw'],
      ['etherws', 'ctl', 'addport', 'client'],
    ],
  );

  const switched = await startSwitches(pair, [...sw.slice(2), '--max-per-address', '1']);
  const { leftSwitch, rightSwitch } = switched;
  let proxy = await startProxy(left, program, file);
  await rightSwitch.done(...addport.slice(2), '--cacerts', ca, ...QUICK);
  // Another switch, since a second tunnel of the same switch would be on standby.
  const spare = await EtherwsSwitch.start(
    right,
    ['--port', '8001', '--ctlport', '7868'],
    ['--ctlurl', 'http://127.0.0.1:7868/ctl'],
  );
  const dialSpare = async (...options: readonly string[]): Promise<number> => {
    const listed = await spare.done(...addport.slice(2), '--cacerts', ca, '--no-reconnect', '--json', ...options);
    return (JSON.parse(listed) as { entries: PortEntry[] }).entries[0]?.port ?? 0;
  };

  await t.test('frames cross, on the batched wire, and the client is known by its own address', async () => {
    assert.ok(await pings(right, LEFT_TAP.v4));
    assert.ok(await pings(left, RIGHT_TAP.v4));
    const { wire, target } = await leftSwitch.port(CLIENT);
    assert.deepEqual([wire, (await rightSwitch.port(CLIENT)).wire], ['batched', 'batched']);
    assert.match(target, tellsPort ? /^10\.1\.0\.2:\d+$/ : /^10\.1\.0\.2$/);
  });

  await t.test('the bound for an address meets the client, and not the proxy', async () => {
    await assert.rejects(dialSpare(), /429/);
    const [line] = await leftSwitch.process.output(/.*tunnel refused: Too many tunnels from your address.*(\n +.*)*/);
    assert.match(line, /10\.1\.0\.2/);
    const number = await dialSpare('--bind-address', OTHERS[0]);
    const targets = (await leftSwitch.ports()).map(({ target }) => target.replace(/:\d+$/, ''));
    assert.deepEqual(targets, ['ethws0', RIGHT.v4, OTHERS[0]]);
    await spare.done('delport', String(number));
  });

  await t.test('the proxy is reloaded, and the tunnel stays', async () => {
    proxy.signal(program === 'nginx' ? 'SIGHUP' : 'SIGUSR2');
    await proxy.output(
      program === 'nginx' ? /start worker process \d+(.|\n)*start worker process/ : /Reloading HAProxy/,
    );
    await dialSpare('--bind-address', OTHERS[1]);
    assert.ok(await pings(right, LEFT_TAP.v4));
    assert.equal((await leftSwitch.port(CLIENT)).state, 'up');
  });

  await t.test('the proxy is restarted, and the client comes back by itself', async () => {
    proxy.signal('SIGTERM');
    await proxy.exited;
    await eventually(
      () => rightSwitch.port(CLIENT),
      ({ state }) => state === 'backoff',
    );
    proxy = await startProxy(left, program, file);
    await eventually(
      () => rightSwitch.port(CLIENT),
      ({ state }) => state === 'up',
      60_000,
    );
    // The proxy forwards the resume token, so the client has its old port.
    assert.equal((await leftSwitch.port(CLIENT)).state, 'up');
    await eventually(
      () => pings(right, LEFT_TAP.v4, 1),
      (isAnswered) => isAnswered,
      60_000,
    );
  });
}

for (const recipe of RECIPES) {
  test(`${recipe.section}${recipe.vary === undefined ? '' : ', by version 1 of the protocol'}`, (t) =>
    runRecipe(t, recipe));
}
