import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { RateEntry } from '../../src/control/rate-entries.ts';
import { ConsolePage } from '../support/console-page.ts';
import { eventually } from '../support/etherws.ts';
import { frameOf } from '../support/peer-frames.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

/** A switch whose port 1 has received frames within the last minute, and receives none any more. */
async function quietPort(t: TestContext): Promise<{ sw: SwitchProcess; rates: () => Promise<RateEntry> }> {
  const sw = await SwitchProcess.start(t);
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${sw.tunnelPort}/`);
  t.after(() => tunnel.terminate());
  await once(tunnel, 'open');
  const rates = async (): Promise<RateEntry> => {
    const { entries } = await sw.call<{ entries: RateEntry[] }>('listRate', { ports: [1, 99] });
    assert.equal(entries.length, 1, 'a port that there is not is left out');
    return entries[0] as RateEntry;
  };
  const frame = frameOf({ from: '02:00:00:00:00:0e', payload: 'x'.repeat(1000) });
  const timer = setInterval(() => tunnel.send(frame), 5);
  t.after(() => clearInterval(timer));
  await eventually(rates, ({ rxBitRates }) => (rxBitRates.at(-1) ?? 0) > 0);
  clearInterval(timer);
  await eventually(rates, ({ rxBitRates }) => rxBitRates.at(-1) === 0);
  return { sw, rates };
}

describe('the past of a port', () => {
  test('is kept by the switch, as many seconds as the port is there', async (t) => {
    const { rates } = await quietPort(t);
    const { port, rxBitRates, txBitRates } = await rates();
    assert.equal(port, 1);
    assert.ok(rxBitRates.some((rate) => rate > 0));
    assert.ok(txBitRates.every((rate) => rate === 0));
    assert.equal(txBitRates.length, rxBitRates.length);
    const { length } = rxBitRates;
    await eventually(rates, (entry) => entry.rxBitRates.length > length);
  });

  test('is in its curve when the page is opened', async (t) => {
    const { sw } = await quietPort(t);
    const opened = await ConsolePage.open(t, sw.controlPort, { hash: '#/ports' });
    if (opened === undefined) return;
    // The page itself has seen no frame of it: a curve that it had begun would be flat.
    const heights = (): Promise<number> =>
      opened.page.evaluate(`(() => {
        const curve = document.querySelector('[role=grid] .sparkline-receive')?.getAttribute('d') ?? '';
        return new Set([...curve.matchAll(/ ([\\d.]+)/g)].map(([, y]) => y)).size;
      })()`);
    await eventually(heights, (different) => different > 1);
  });

  test('a plot whose library does not come is drawn when it does', async (t) => {
    const sw = await SwitchProcess.start(t);
    const tunnel = new TunnelSocket(`ws://127.0.0.1:${sw.tunnelPort}/`);
    t.after(() => tunnel.terminate());
    await once(tunnel, 'open');
    const opened = await ConsolePage.open(t, sw.controlPort);
    if (opened === undefined) return;
    await opened.live();
    let refused = 0;
    await opened.page.route('**/uPlot*', (route) => {
      if (++refused > 2) return route.continue();
      return route.abort();
    });
    await opened.goTo('#/ports?port=1');
    await opened.page.locator('.plot-place canvas').first().waitFor();
    assert.ok(refused > 1);
  });
});
