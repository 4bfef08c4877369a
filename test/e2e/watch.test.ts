import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { WatchedEvent } from '../../src/control/event-stream.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { knock, UPGRADE } from '../support/http.ts';
import {
  createCredentials,
  htpasswdLine,
  LEFT,
  LEFT_TAP,
  openPair,
  PASSWORD,
  RIGHT_TAP,
  startSwitches,
  USER,
} from '../support/lan.ts';
import { Process } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';

type Fact = 'port' | 'portName' | 'type' | 'user' | 'wire' | 'state' | 'mac' | 'displaced' | 'reason' | 'frames';
/** An event with the facts that this file checks. */
type Seen = WatchedEvent & { readonly [F in Fact | 'movedFrom' | 'failures']?: unknown };

/** The output of `ctl watch --json`. */
function eventsOf({ stdout }: Process): Seen[] {
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Seen);
}

function heard(watching: Process, isRight: (event: Seen) => boolean): Promise<Seen[]> {
  return eventually(
    () => Promise.resolve(eventsOf(watching).filter(isRight)),
    (events) => events.length > 0,
    60_000,
  );
}

test('ctl watch tells what happens: ports, tunnels with their user, addresses, violations, reloads', async (t) => {
  const pair = await openPair(t, 'openssl', 'htpasswd');
  if (pair === undefined) return;
  const { left, right } = pair;
  const { options, authority } = await createCredentials(pair);
  const policy = join(pair.lab.directory, 'policy.yaml');
  writeFileSync(policy, 'default:\n  tunnels:\n    ethertypes: [arp, ipv4]\n');
  const { leftSwitch, rightSwitch } = await startSwitches(pair, [
    '--port',
    '8443',
    '--ageout',
    '3',
    '--policy',
    policy,
    ...options,
  ]);
  const watch = (...args: readonly string[]): Process =>
    left.spawn([...ETHERWS, 'ctl', 'watch', ...args], { timeoutMs: 600_000 });
  const watching = watch('--json');
  const lines = watch('--events', 'port-down,tunnel-up');
  // When both have printed this event, both are subscribed.
  await eventually(
    async () => {
      await leftSwitch.done('setport', '1', '--shut', '1');
      await leftSwitch.done('setport', '1', '--shut', '0', '--name', 'lab');
      return [watching.stdout, lines.stdout];
    },
    (outputs) => outputs.every((output) => output !== ''),
  );

  await t.test('a tunnel that stands, with its user', async () => {
    const dial = ['addport', 'client', `wss://${LEFT.name}:8443/`, '--cacerts', authority.certificate, '--user', USER];
    await rightSwitch.done(...dial, '--passwd', PASSWORD, '--name', 'up');
    const [up] = await heard(watching, ({ event }) => event === 'tunnel-up');
    assert.deepEqual(
      [up?.port, up?.portName, up?.type, up?.user, up?.wire, up?.state],
      [2, null, 'server', USER, 'batched', 'up'],
    );
    await leftSwitch.done('setport', '2', '--name', 'office');
    const added = eventsOf(watching)
      .filter(({ port }) => port === 2)
      .map(({ event }) => event);
    assert.deepEqual(added.slice(0, 3), ['port-added', 'tunnel-up', 'port-up']);
    await lines.output(/^\S+Z \d+ tunnel-up port=2 type=server target=\S+ user=alice wire=batched state=up$/m);
  });

  await t.test('addresses that are learned and age', async () => {
    await right.check(['ping', '-c', '1', '-W', '20', LEFT_TAP.v4]);
    const [learned] = await heard(watching, ({ event, port }) => event === 'address-learned' && port === 2);
    assert.equal(learned?.portName, 'office');
    const { mac } = learned as Seen;
    await heard(
      watching,
      ({ event, mac: aged, displaced }) => event === 'address-aged' && aged === mac && displaced === false,
    );
  });

  await t.test('frames that the policy refuses', async () => {
    await right.run(['ping', '-6', '-c', '2', '-i', '0.2', '-W', '1', '2001:db8::1']);
    const [violation] = await heard(watching, ({ event }) => event === 'violation');
    assert.deepEqual(
      [violation?.port, violation?.portName, violation?.reason, violation?.user],
      [2, 'office', 'typeDenied', USER],
    );
    assert.ok(Number(violation?.frames) > 0);
  });

  await t.test('an address that moves', async () => {
    const mac = '02:00:00:00:aa:01';
    for (const [host, device] of [
      [left, 'ethws0'],
      [right, 'ethws0'],
    ] as const) {
      await host.check(['ip', 'link', 'set', 'dev', device, 'address', mac]);
      await host.run(['ping', '-c', '1', '-W', '1', host === left ? RIGHT_TAP.v4 : LEFT_TAP.v4]);
      await heard(
        watching,
        ({ event, mac: seen, port }) =>
          /^address-(learned|moved)$/.test(event) && seen === mac && port === (host === left ? 1 : 2),
      );
    }
    const [moved] = await heard(
      watching,
      ({ event, mac: seen, port }) => event === 'address-moved' && seen === mac && port === 2,
    );
    assert.equal(moved?.movedFrom, 1);
  });

  await t.test('a reload, and the end of the port', async () => {
    leftSwitch.process.signal('SIGHUP');
    const [reload] = await heard(watching, ({ event }) => event === 'reload');
    assert.equal(reload?.failures, 0);
    await rightSwitch.done('delport', 'up');
    await heard(watching, ({ event, port }) => event === 'port-removed' && port === 2);
    const ends = eventsOf(watching).filter(
      ({ port, event }) => port === 2 && /^(port|tunnel)-(down|removed)$/.test(event),
    );
    assert.deepEqual(
      ends.map(({ event, portName }) => [event, portName]),
      [
        ['tunnel-down', 'office'],
        ['port-down', 'office'],
        ['port-removed', 'office'],
      ],
    );
  });

  await t.test('every event has the next number, and the end of the switch ends the command', async () => {
    const numbers = eventsOf(watching).map(({ sequence }) => sequence);
    assert.deepEqual(
      numbers,
      numbers.map((_, at) => (numbers[0] ?? 0) + at),
    );
    await leftSwitch.stop();
    const { status, stderr } = await watching.exited;
    assert.deepEqual(
      [status, stderr.split('\n')[0]],
      [1, '  http://127.0.0.1:7867/ctl has ended the connection: the switch is stopping (CONTROL_FAILED)'],
    );
    assert.ok(
      lines.stdout.split('\n').every((line) => line === '' || /^\S+Z \d+ (port-down|tunnel-up) /.test(line)),
      lines.stdout,
    );
  });
});

test('the WebSocket asks for what the RPC asks for', { skip: missingTools('htpasswd') }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-watch-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const users = join(directory, 'users');
  writeFileSync(users, await htpasswdLine('-B', USER, PASSWORD));
  const policy = join(directory, 'policy.yaml');
  writeFileSync(policy, `users:\n  ${USER}:\n    control:\n      methods: [listPort]\n`);
  const login = { Authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}` };
  const socketPath = join(directory, 'ctl');
  const running = await SwitchProcess.start(
    t,
    ['--ctlhtpasswd', users, '--policy', policy, '--ctlsocket', socketPath],
    login,
  );
  const ask = (headers: object, path = '/ctl'): ReturnType<typeof knock> =>
    knock({ port: running.controlPort, path, headers: { ...UPGRADE, ...headers } });

  for (const [headers, status, words] of [
    [{}, 401, /AUTH_FAILED/],
    [{ Authorization: 'Basic YTpi' }, 401, /AUTH_FAILED/],
    [{ ...login, Origin: 'https://page.example' }, 403, /other origins/],
    [{ ...login, Host: 'page.example' }, 403, /not a name of this switch/],
  ] as const) {
    const answer = await ask(headers);
    assert.equal(answer.status, status);
    assert.match(JSON.parse(answer.body).error.data, words);
  }
  assert.equal((await ask(login, '/elsewhere')).status, 404);

  const ctl = (...args: readonly string[]): Process => new Process([...ETHERWS, 'ctl', ...args], { timeoutMs: 60_000 });
  const url = `http://127.0.0.1:${running.controlPort}/ctl`;
  const passwords = join(directory, 'password');
  writeFileSync(passwords, PASSWORD, { mode: 0o600 });
  const forbidden = await ctl('watch', '--ctlurl', url, '--ctluser', USER, '--ctlpasswd-file', passwords).exited;
  assert.deepEqual([forbidden.status, forbidden.stdout], [1, '']);
  assert.match(forbidden.stderr, /METHOD_FORBIDDEN: The user alice may not call subscribe/);
  const anonymous = await ctl('watch', '--ctlurl', url).exited;
  assert.deepEqual(
    [anonymous.status, anonymous.stderr.split('\n')[0]],
    [1, '  This control API wants a user and a password, or a token (AUTH_FAILED)'],
  );

  // Root needs no password on the Unix socket.
  const watching = ctl('watch', '--ctlurl', `unix:${socketPath}`, '--json');
  t.after(() => watching.end());
  await eventually(
    async () => {
      running.process.signal('SIGHUP');
      return eventsOf(watching);
    },
    (events) => events.some(({ event }) => event === 'reload'),
  );
});
