import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ETHERWS, type EtherwsSwitch, eventually } from '../support/etherws.ts';
import { examine, type Holding, openToExamination, slopeOf } from '../support/examination.ts';
import { LEFT } from '../support/lan.ts';
import { CLIENT, openTapPair, settled, startOnTap, startPings, TAP } from '../support/tap-pair.ts';
import { until } from '../support/waits.ts';

const RELAY = fileURLToPath(new URL('./programs/relay.js', import.meta.url));
/**
 * Interpreted only: the memory of compiled code varies for hours and would hide a leak of small objects. Maglev is a
 * compiler of V8 from Node 22 on; with it the heap grows by about 1600 octets a cycle in the first thousand cycles.
 */
const INTERPRETED = ['--no-opt', '--no-maglev', '--no-sparkplug', '--no-flush-bytecode'];
const WARM_UP_CYCLES = 250;
const LOOKS_BEFORE = 3;
const CYCLES = 200;
const SAMPLES = 5;
const CYCLES_A_SAMPLE = CYCLES / (SAMPLES - 1);
/** Limits in octets. V8's own lists grow by about 50 a cycle; a leaked tunnel takes thousands. */
const MOST_A_CYCLE = { heapBytes: 200, externalBytes: 100, residentBytes: 4096 } as const;
/** The number of resources that may be in use by chance at an examination. */
const FEW = 3;

test('200 tunnels that were cut leave nothing behind in either daemon', async (t) => {
  const pair = await openTapPair(t);
  if (pair === undefined) return;
  const { left, right } = pair;
  const command = [process.execPath, ...INTERPRETED, ...ETHERWS.slice(1)];
  const server = await startOnTap(left, ['--port', '8000'], { command });
  const client = await startOnTap(right, ['--port', '8000'], { command });
  const relay = right.spawn([process.execPath, RELAY, '9000', LEFT.v4, '8000'], {
    isInteractive: true,
    timeoutMs: 600_000,
  });
  await relay.output(/listening/);
  await client.done('addport', 'client', 'ws://127.0.0.1:9000/', '--reconnect-min', '0.01', '--reconnect-max', '0.02');
  const pings = startPings(t, right);
  await pings.answered();

  const comings = await watchPort(t, client);
  let made = 0;
  const cycles = async (count: number): Promise<void> => {
    for (let cycle = 0; cycle < count; cycle++) {
      const before = comings();
      relay.write(made++ % 2 === 0 ? 'reset\n' : 'end\n');
      await until(() => comings() > before);
    }
    await settled(server);
    await pings.answered();
  };
  await openToExamination(server);
  await openToExamination(client);
  await cycles(WARM_UP_CYCLES);
  // The first examinations allocate memory of the inspector: about 15, 6 and 2 KiB.
  for (let look = 0; look < LOOKS_BEFORE; look++) await Promise.all([examine(server), examine(client)]);
  const held: Readonly<Record<'server' | 'client', Holding[]>> = { server: [], client: [] };
  for (let sample = 0; sample < SAMPLES; sample++) {
    if (sample > 0) await cycles(CYCLES_A_SAMPLE);
    held.server.push(await examine(server));
    held.client.push(await examine(client));
  }

  for (const [name, holdings] of Object.entries(held)) {
    const [before, after] = [holdings[0], holdings.at(-1)];
    assert.ok(before !== undefined && after !== undefined);
    const story = `${name}: ${JSON.stringify(holdings)}`;
    assert.ok(after.descriptors <= before.descriptors + FEW, story);
    assert.ok(after.resources.length <= before.resources.length + FEW, story);
    for (const [what, most] of Object.entries(MOST_A_CYCLE)) {
      const grown = slopeOf(holdings.map((holding) => holding[what as keyof typeof MOST_A_CYCLE])) / CYCLES_A_SAMPLE;
      assert.ok(grown <= most, `${what} grew by ${Math.round(grown)} a cycle; ${story}`);
    }
  }
  assert.deepEqual(
    (await client.ports()).map(({ port }) => port),
    [TAP, CLIENT],
  );
});

/**
 * Counts by events how often ports come up, since the log drops lines at this rate.
 * @returns the function that returns the number so far
 */
async function watchPort(t: TestContext, of: EtherwsSwitch): Promise<() => number> {
  const watch = of.host.spawn([...ETHERWS, 'ctl', 'watch', '--json', '--events', 'port-up,reload'], {
    timeoutMs: 600_000,
  });
  t.after(() => watch.end());
  let isSubscribed = false;
  let comings = 0;
  watch.onLine((line) => {
    if (line.includes('"reload"')) isSubscribed = true;
    else comings++;
  });
  const reload = async (): Promise<boolean> => {
    of.process.signal('SIGHUP');
    return isSubscribed;
  };
  await eventually(reload, Boolean);
  return () => comings;
}
