import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openLab } from '../support/lab-test.ts';
import { joinPair, LEFT_TAP, openPair, pings, pingsInVain } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';
import { missingModules, Peer } from '../support/peer.ts';
import { frameOf } from '../support/peer-frames.ts';

const URL = 'ws://127.0.0.1:8000/';
const A = '02:00:00:00:00:0a';
const B = '02:00:00:00:00:0b';

/** A host with a switch, for websocket-client peers on its loopback. */
async function startSwitch(t: TestContext, ...options: string[]): Promise<[EtherwsSwitch, Host] | undefined> {
  const missing = missingModules('websocket');
  if (missing !== false) {
    t.skip(missing);
    return undefined;
  }
  const host = await (await openLab(t))?.host('lan');
  if (host === undefined) return undefined;
  return [await EtherwsSwitch.start(host, ['--port', '8000', ...options]), host];
}

const join = (host: Host): Promise<Peer> => Peer.start(host, 'websocket_client_peer.py', [URL]);

test('frames go where the filtering database says', async (t) => {
  const started = await startSwitch(t);
  if (started === undefined) return;
  const [lan, host] = started;
  const [a, b, c] = [await join(host), await join(host), await join(host)];

  await t.test('a broadcast reaches every other port', async () => {
    const hello = frameOf({ from: A, payload: 'hello' });
    a.send(hello);
    await b.received(hello);
    await c.received(hello);
  });

  await t.test('a known unicast reaches its one port, and no port gets back what it sent', async () => {
    const answer = frameOf({ to: A, from: B, payload: 'answer' });
    b.send(answer);
    await a.received(answer);
    // Frames keep their order, so a wrongly forwarded frame would arrive before this one.
    const end = frameOf({ from: B, payload: 'end' });
    b.send(end);
    await Promise.all([a.received(end), c.received(end)]);
    assert.ok(!c.frames.includes(answer.toString('hex')));
    const last = frameOf({ from: A, payload: 'last' });
    a.send(last);
    await b.received(last);
    assert.deepEqual(
      b.frames.filter((hex) => hex === answer.toString('hex') || hex === end.toString('hex')),
      [],
    );
  });

  await t.test('a frame to an address behind its own port is filtered and counted', async () => {
    a.send(frameOf({ to: A, from: '02:00:00:00:00:aa' }));
    await eventually(
      () => lan.port(1),
      ({ rxDiscards: { filtered } }) => filtered === 1,
    );
  });

  await t.test('addresses are learned for each VLAN, and listfdb shows them', async () => {
    const tagged = frameOf({ from: A, vid: 42, payload: 'tagged' });
    a.send(tagged);
    await b.received(tagged);
    const table = await lan.done('listfdb');
    assert.match(table, /^ {2}Port {2}VLAN {2}MAC {16}Age\n/);
    assert.match(table, /^ {5}1 {5}0 {2}02:00:00:00:00:0a +\d+$/m);
    assert.match(table, /^ {5}1 {4}42 {2}02:00:00:00:00:0a +\d+$/m);
    assert.match(table, /^ {5}2 {5}0 {2}02:00:00:00:00:0b +\d+$/m);
    const other = frameOf({ to: A, from: B, vid: 43, payload: 'other VLAN' });
    b.send(other);
    await c.received(other);
  });

  await t.test('frames below 60 octets are taken, and padded on their way out', async () => {
    const short = Buffer.from('ffffffffffff02000000000a88b5', 'hex');
    a.send(short);
    await b.received(Buffer.concat([short, Buffer.alloc(46)]));
  });

  await t.test('an address that moves is behind its new port', async () => {
    const moved = frameOf({ from: A, payload: 'moved' });
    c.send(moved);
    await b.received(moved);
    const entry = (await lan.fdb()).find(({ mac, vid }) => mac === A && vid === 0);
    assert.equal(entry?.port, 3);
  });
});

test('a shut port neither receives nor sends', async (t) => {
  const started = await startSwitch(t);
  if (started === undefined) return;
  const [lan, host] = started;
  const [a, b, c] = [await join(host), await join(host), await join(host)];
  await lan.done('setport', '1', '--shut', '1');
  const unheard = frameOf({ from: A, payload: 'unheard' });
  a.send(unheard);
  await eventually(
    () => lan.port(1),
    ({ rxDiscards: { shut } }) => shut === 1,
  );
  const past = frameOf({ from: B, payload: 'past the shut port' });
  b.send(past);
  await c.received(past);
  await lan.done('setport', '1', '--shut', '0');
  const heard = frameOf({ from: A, payload: 'heard' });
  a.send(heard);
  await b.received(heard);
  const back = frameOf({ from: B, payload: 'back' });
  b.send(back);
  await a.received(back);
  assert.ok(!b.frames.includes(unheard.toString('hex')));
  assert.ok(!a.frames.includes(past.toString('hex')));
});

test('addresses age out', async (t) => {
  const started = await startSwitch(t, '--ageout', '1');
  if (started === undefined) return;
  const [lan, host] = started;
  const [a, b, c] = [await join(host), await join(host), await join(host)];
  const hello = frameOf({ from: A, payload: 'hello' });
  a.send(hello);
  await b.received(hello);
  await eventually(
    () => lan.fdb(),
    (entries) => entries.length === 0,
  );
  const flooded = frameOf({ to: A, from: B, payload: 'flooded again' });
  b.send(flooded);
  await Promise.all([a.received(flooded), c.received(flooded)]);
});

test('--debug logs what is learned, forwarded and aged out, and who connects; without it nothing of that is logged', async (t) => {
  const words = [/tunnel accepted/, /learned.*02:00:00:00:00:0a/, /forwarded/, /aged out.*02:00:00:00:00:0a/];
  for (const isDebug of [true, false]) {
    const started = await startSwitch(t, '--ageout', '1', ...(isDebug ? ['--debug'] : []));
    if (started === undefined) return;
    const [lan, host] = started;
    const [a, b] = [await join(host), await join(host)];
    const hello = frameOf({ from: A, payload: 'hello' });
    a.send(hello);
    await b.received(hello);
    if (isDebug) for (const word of words) await lan.process.output(word);
    await lan.stop();
    if (!isDebug) for (const word of words) assert.doesNotMatch(lan.process.stderr, word);
  }
});

test('ports of tunnels come and go with their peers, each under a new number', async (t) => {
  const started = await startSwitch(t);
  if (started === undefined) return;
  const [lan, host] = started;
  const [a, b] = [await join(host), await join(host)];
  const hello = frameOf({ from: A });
  a.send(hello);
  await b.received(hello);

  a.close();
  assert.equal(await a.closeCode(), 1000);
  await eventually(
    () => lan.ports(),
    (ports) => ports.map(({ port }) => port).join() === '2',
  );
  assert.deepEqual(await lan.fdb(), [], 'what was learned goes with its port');

  await b.kill();
  await eventually(
    () => lan.ports(),
    (ports) => ports.length === 0,
  );

  const c = await join(host);
  assert.deepEqual(
    (await lan.ports()).map(({ port, type, state }) => ({ port, type, state })),
    [{ port: 3, type: 'server', state: 'up' }],
  );
  assert.match(await lan.done('delport', '3'), /^ {5}3 {2}server {2}up +\d+ +\d+ {2}127\.0\.0\.1:\d+$/m);
  assert.equal(await c.closeCode(), 1000);
});

test('shutting the tunnel stops the ping between two hosts, opening it lets it through', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const { right, rightSwitch } = await joinPair(pair);
  assert.ok(await pings(right, LEFT_TAP.v4));
  await rightSwitch.done('setport', '2', '--shut', '1');
  assert.ok(await pingsInVain(right, LEFT_TAP.v4));
  await rightSwitch.done('setport', '2', '--shut', '0');
  assert.ok(await pings(right, LEFT_TAP.v4));
});

test('the log shows each frame while its level is debug, and flows forward them before and after', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const { right, leftSwitch } = await joinPair(pair);
  // 56 octets of data, and the headers of ICMP, IPv4 and Ethernet.
  const logged = (): number => leftSwitch.process.stderr.split(/forwarded \{.*"length":98/).length - 1;
  assert.ok(await pings(right, LEFT_TAP.v4));
  assert.equal(logged(), 0);
  await leftSwitch.done('loglevel', 'switch=debug');
  await right.check(['ping', '-c', '5', '-i', '0.2', '-W', '30', LEFT_TAP.v4]);
  await leftSwitch.process.output(/forwarded/);
  assert.equal(logged(), 10, 'five requests and five answers');
  await leftSwitch.done('loglevel', 'switch=info');
  assert.ok(await pings(right, LEFT_TAP.v4));
  assert.equal(logged(), 10);
});
