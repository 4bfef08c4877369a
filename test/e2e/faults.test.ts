/*
 * Faults with long waits: each in its own laboratory, all at the same time. A
 * continuous ping shows when traffic flows again, and the log of a switch how it
 * has noticed the fault.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createAuthority } from '../support/certificates.ts';
import { type EtherwsSwitch, eventually } from '../support/etherws.ts';
import { LEFT, macOf, type Pair } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';
import type { PingStream } from '../support/ping-stream.ts';
import type { Process } from '../support/process.ts';
import { CLIENT, openTapPair, QUICK, settled, startOnTap, startPings, TAP } from '../support/tap-pair.ts';

const URL_OF_LEFT = `ws://${LEFT.v4}:8000/`;

/** The detection of a half-open tunnel takes 45 s; the rest is for a busy machine. */
const FOUND_MS = 120_000;
/** After the end of the fault a client waits for at most 1 s, and makes a handshake; the rest is for a busy machine. */
const BACK_MS = 60_000;
/** Sooner than a client whose waits are the longest ones comes back by itself. */
const SOON_MS = 20_000;

/** Asserts that the client's ports have their first numbers. */
async function keptItsNumbers(client: EtherwsSwitch): Promise<void> {
  assert.deepEqual(
    (await client.ports()).map(({ port, type, state }) => ({ port, type, state })),
    [
      { port: TAP, type: 'tap', state: 'up' },
      { port: CLIENT, type: 'client', state: 'up' },
    ],
  );
}

/** Waits for a change of the client port's link to this state, with such a reason. */
async function becomes(client: EtherwsSwitch, state: string, reason: RegExp, since: number, ms: number): Promise<void> {
  const line = new RegExp(`link changed.*"port":${CLIENT}\\b.*"state":"${state}".*${reason.source}`);
  await client.process.logged(line, since, ms);
}

interface Lab {
  readonly pair: Pair;
  readonly server: EtherwsSwitch;
  readonly client: EtherwsSwitch;
  /** from the client's host to the server's; one request was answered */
  readonly pings: PingStream;
}

/** Two switches with a tunnel. @returns undefined if the test was marked as skipped */
async function openLab(t: TestContext, waits: readonly string[], ...tools: string[]): Promise<Lab | undefined> {
  const pair = await openTapPair(t, ...tools);
  if (pair === undefined) return undefined;
  const server = await startOnTap(pair.left);
  const client = await startOnTap(pair.right);
  await client.done('addport', 'client', URL_OF_LEFT, ...waits);
  const pings = startPings(t, pair.right);
  await pings.answered(BACK_MS);
  return { pair, server, client, pings };
}

const faults: Readonly<Record<string, (t: TestContext) => Promise<void>>> = {
  'kill -9 of the client, which is started again': async (t) => {
    const lab = await openLab(t, QUICK);
    if (lab === undefined) return;
    const { pair, server, pings } = lab;
    await lab.client.stop('SIGKILL');
    const client = await startOnTap(pair.right);
    await client.done('addport', 'client', URL_OF_LEFT, ...QUICK);
    await pings.answered(BACK_MS);
    await keptItsNumbers(client);
    await settled(server);
  },

  'the link below down for 50 s': async (t) => {
    // With the default waits, so that only the change of the link can bring the client back soon.
    const lab = await openLab(t, []);
    if (lab === undefined) return;
    const { pair, server, client, pings } = lab;
    await pair.left.check(['ip', 'link', 'set', 'eth0', 'down']);
    const since = client.process.stderr.length;
    await Promise.all([delay(50_000), becomes(client, 'backoff', /no answer to a ping within 20 s/, since, FOUND_MS)]);
    await pair.left.check(['ip', 'link', 'set', 'eth0', 'up']);
    await pings.answered(SOON_MS);
    await keptItsNumbers(client);
    await settled(server);
  },

  'a half-open tunnel, both directions dropped': async (t) => {
    const lab = await openLab(t, QUICK, 'nft');
    if (lab === undefined) return;
    const { pair, server, client, pings } = lab;
    const [seenByClient, seenByServer] = [client.process.stderr.length, server.process.stderr.length];
    const drops = ['tcp dport 8000 drop', 'tcp sport 8000 drop'].map(
      (rule, index) => `chain c${index} { type filter hook ${index === 0 ? 'input' : 'output'} priority 0; ${rule}; }`,
    );
    await pair.left.check(['nft', `table ip t { ${drops.join('; ')}; }`]);
    await Promise.all([
      becomes(client, 'backoff', /no answer to a ping within 20 s/, seenByClient, FOUND_MS),
      server.process.logged(/link changed.*no answer to a ping within 20 s/, seenByServer, FOUND_MS),
    ]);
    await pair.left.check(['nft', 'delete table ip t']);
    await pings.answered(BACK_MS);
    await keptItsNumbers(client);
    await settled(server);
  },

  'the client suspended for more than a minute': async (t) => {
    const lab = await openLab(t, QUICK);
    if (lab === undefined) return;
    const { server, client, pings } = lab;
    const since = server.process.stderr.length;
    client.process.signal('SIGSTOP');
    await Promise.all([
      delay(61_000),
      server.process.logged(/link changed.*no answer to a ping within 20 s/, since, FOUND_MS),
    ]);
    client.process.signal('SIGCONT');
    await pings.answered(BACK_MS);
    await keptItsNumbers(client);
    await settled(server);
  },

  'a forward proxy killed and started again': async (t) => {
    const pair = await openTapPair(t);
    if (pair === undefined) return;
    const server = await startOnTap(pair.left);
    const client = await startOnTap(pair.right);
    const pings = startPings(t, pair.right);
    let number = CLIENT;
    for (const [kind, url] of [
      ['http', 'http://127.0.0.1:3128'],
      ['socks', 'socks5h://127.0.0.1:1080'],
    ] as const) {
      const listenPort = new URL(url).port;
      let proxy = await startProxy(pair.right, kind, listenPort);
      await client.done('addport', 'client', URL_OF_LEFT, '--proxy', url, ...QUICK);
      await pings.answered(BACK_MS);
      const since = client.process.stderr.length;
      await proxy.end();
      const line = new RegExp(`link changed.*"port":${number}\\b.*"state":"backoff".*127\\.0\\.0\\.1:${listenPort}`);
      await client.process.logged(line, since);
      proxy = await startProxy(pair.right, kind, listenPort);
      await pings.answered(BACK_MS);
      assert.deepEqual(
        (await client.ports()).map(({ port }) => port),
        [TAP, number],
      );
      await settled(server);
      // A second tunnel to the same switch would be on standby.
      await client.done('delport', String(number));
      await proxy.end();
      number++;
    }
  },

  'another server on the same address, and the old one again': async (t) => {
    const pair = await openTapPair(t, 'openssl');
    if (pair === undefined) return;
    const { directory } = pair.lab;
    const [ours, foreign] = [await createAuthority(directory), await createAuthority(directory, 'somebody else')];
    const options = ['--port', '8000', '--sslkey'];
    const right = await ours.issue('right', [LEFT.v4]);
    const wrong = await foreign.issue('wrong', [LEFT.v4]);
    let server = await startOnTap(pair.left, [...options, right.key, '--sslcert', right.certificate]);
    const client = await startOnTap(pair.right);
    const waits = ['--reconnect-min', '0.2', '--reconnect-max', '7'];
    await client.done('addport', 'client', `wss://${LEFT.v4}:8000/`, '--cacerts', ours.certificate, ...waits);
    const pings = startPings(t, pair.right);
    await pings.answered(BACK_MS);

    const since = client.process.stderr.length;
    await server.stop('SIGKILL');
    server = await startOnTap(pair.left, [...options, wrong.key, '--sslcert', wrong.certificate]);
    await becomes(client, 'backoff', /next try in 7 s, sooner will hardly help: .*certificate/, since, BACK_MS);
    assert.match((await client.port(CLIENT)).reason ?? '', /sooner will hardly help: .*certificate/);
    assert.equal((await server.ports()).length, 1, 'nobody came in');

    await server.stop('SIGTERM');
    server = await startOnTap(pair.left, [...options, right.key, '--sslcert', right.certificate]);
    await pings.answered(7000 + BACK_MS);
    await keptItsNumbers(client);
    await settled(server);
  },

  'a wall clock that jumps by hours': async (t) => {
    const pair = await openTapPair(t, 'faketime');
    if (pair === undefined) return;
    const offset = join(pair.lab.directory, 'offset');
    const jump = (hours: number): void => writeFileSync(offset, `${hours < 0 ? '' : '+'}${hours}h\n`);
    jump(0);
    const env = {
      LD_PRELOAD: libfaketime(),
      FAKETIME_TIMESTAMP_FILE: offset,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    const options = ['--port', '8000', '--logformat', 'json'];
    let server = await startOnTap(pair.left, options, { env });
    const client = await startOnTap(pair.right, options, { env });
    await client.done('addport', 'client', URL_OF_LEFT, '--reconnect-min', '1', '--reconnect-max', '2');
    const pings = startPings(t, pair.right);
    await pings.answered(BACK_MS);
    const silent = await appearAndFallSilent(pair.left, client);

    const before = client.process.stderr.length;
    for (const [hours, stayMs] of [
      [5, 4000],
      // Longer than the interval of the heartbeat's pings.
      [-7, 24_000],
      [0, 4000],
    ] as const) {
      jump(hours);
      await delay(stayMs);
      await pings.answered(BACK_MS);
      assert.ok(Math.abs((await clockOf(client)) - Date.now() - hours * 3600_000) < 600_000, 'the clock did jump');
      const { age = -1 } = (await client.fdb()).find(({ mac }) => mac === silent) ?? {};
      assert.ok(age >= 0 && age < 120, `an address of a minute ago is ${age} s old`);
    }
    assert.doesNotMatch(client.process.stderr.slice(before), /link changed/);

    for (const hours of [-7, 5]) {
      const since = client.process.stderr.length;
      await server.stop('SIGKILL');
      await client.process.logged(/"state":"backoff".*link changed/, since);
      jump(hours);
      server = await startOnTap(pair.left, options, { env });
      await pings.answered(2000 + BACK_MS);
    }
    await keptItsNumbers(client);
    await settled(server);
  },
};

test('traffic flows again behind faults, and ports keep their numbers', { concurrency: 16 }, async (t) => {
  await Promise.all(Object.entries(faults).map(([name, fault]) => t.test(name, fault)));
});

/** Sends a frame from a new address on the left Ethernet. @returns the address, when the client has learned it */
async function appearAndFallSilent(left: Host, client: EtherwsSwitch): Promise<string> {
  await left.check(['ip', 'link', 'add', 'link', 'ethws0', 'name', 'brief', 'type', 'macvlan']);
  await left.check(['ip', 'link', 'set', 'brief', 'up']);
  const mac = (await macOf(left, 'brief')).toUpperCase();
  const learned = await eventually(
    async () => (await client.fdb()).find((entry) => entry.mac.toUpperCase() === mac),
    (entry) => entry !== undefined,
  );
  await left.check(['ip', 'link', 'delete', 'brief']);
  return learned?.mac ?? '';
}

/** The clock of a switch, from its log in JSON. */
async function clockOf(client: EtherwsSwitch): Promise<number> {
  const since = client.process.stderr.length;
  await client.done('setport', String(TAP), '--shut', '0');
  const [, time] = await client.process.logged(/"time":(\d+)/, since);
  return Number(time);
}

async function startProxy(host: Host, kind: 'http' | 'socks', listenPort: string): Promise<Process> {
  const program = fileURLToPath(new URL('./programs/proxy.js', import.meta.url));
  const proxy = host.spawn([process.execPath, program, kind, listenPort], { timeoutMs: 600_000 });
  await proxy.output(/listening/);
  return proxy;
}

/** The path of the library on Debian, for any processor. */
function libfaketime(): string {
  for (const directory of readdirSync('/usr/lib')) {
    const library = `/usr/lib/${directory}/faketime/libfaketime.so.1`;
    if (existsSync(library)) return library;
  }
  throw new Error('faketime has no /usr/lib/*/faketime/libfaketime.so.1');
}
