import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/etherws.ts';
import { joinPair, LEFT, LEFT_TAP, openPair, type Pair, type SwitchedPair } from '../support/lan.ts';
import type { Host } from '../support/namespaces.ts';

const DEFAULT = 'net.ipv4.tcp_congestion_control';

/** Two hosts with pacing of TCP; undefined, with the test skipped, where the kernel does not support it. */
async function openPacingPair(t: TestContext): Promise<Pair | undefined> {
  const pair = await openPair(t, 'ss', 'tc', 'iperf3', 'sysctl');
  if (pair === undefined) return undefined;
  for (const host of [pair.left, pair.right]) {
    const { status, stderr } = await host.run(['sysctl', '-w', `${DEFAULT}=bbr`]);
    if (status === 0) continue;
    t.skip(`needs TCP BBR (modprobe tcp_bbr): ${stderr.trim()}`);
    return undefined;
  }
  return pair;
}

/** The congestion control of a host's only connection to the other host's switch. */
async function algorithmAt(host: Host, side: 'sport' | 'dport'): Promise<string | undefined> {
  const said = await host.check(['ss', '-tinH', 'state', 'established', side, '=', ':8000']);
  return /\b(bbr|cubic|reno)\b/.exec(said)?.[1];
}

async function bothEnds({ left, right }: SwitchedPair): Promise<(string | undefined)[]> {
  return [await algorithmAt(left, 'sport'), await algorithmAt(right, 'dport')];
}

test('over one cable a tunnel does not pace, until something on the way has a queue', async (t) => {
  const pair = await openPacingPair(t);
  if (pair === undefined) return;
  const joined = await joinPair(pair);
  for (const algorithm of await bothEnds(joined)) assert.match(algorithm ?? '', /cubic|reno/);

  const bottleneck = ['tbf', 'rate', '50mbit', 'burst', '32kb', 'latency', '50ms'];
  await pair.right.check(['tc', 'qdisc', 'add', 'dev', 'eth0', 'root', ...bottleneck]);
  const server = pair.left.spawn(['iperf3', '--server', '--one-off', '--forceflush']);
  await server.output(/listening/);
  // Reno, since it fills any queue; BBR inside of the tunnel would itself keep the queue short.
  const load = ['--time', '30', '--parallel', '4', '--congestion', 'reno'];
  const flow = pair.right.spawn(['iperf3', '--client', LEFT_TAP.v4, ...load]);
  await eventually(
    () => algorithmAt(pair.right, 'dport'),
    (algorithm) => algorithm === 'bbr',
    25_000,
  );
  await flow.end();
  assert.match((await algorithmAt(pair.left, 'sport')) ?? '', /cubic|reno/, 'the other direction has no queue');
});

for (const [choice, expected] of [
  ['system', 'bbr'],
  ['reno', 'reno'],
] as const) {
  test(`--congestion ${choice} is what a tunnel's end has, whatever its way`, async (t) => {
    const pair = await openPacingPair(t);
    if (pair === undefined) return;
    const joined = await joinPair(pair, `ws://${LEFT.v4}:8000/`, {
      sw: ['--port', '8000', '--congestion', choice],
    });
    // The right switch has the default.
    const [left, right] = await bothEnds(joined);
    assert.equal(left, expected);
    assert.match(right ?? '', /cubic|reno/);
  });
}
