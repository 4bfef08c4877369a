import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { openConsole } from '../support/console-page.ts';
import { eventually } from '../support/etherws.ts';
import { frameOf } from '../support/peer-frames.ts';
import type { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once, until } from '../support/waits.ts';

interface Tunnel {
  /** Sends a frame to all, with this text. */
  send(payload: string): void;
  /** the texts of the frames that have come */
  readonly received: string[];
}

/** A tunnel to the switch, whose station has this number. */
async function tunnelTo(t: TestContext, { tunnelPort }: SwitchProcess, station: number): Promise<Tunnel> {
  const socket = new TunnelSocket(`ws://127.0.0.1:${tunnelPort}/`);
  t.after(() => socket.terminate());
  const received: string[] = [];
  socket.on('message', (frame: Buffer) => received.push(frame.subarray(14).toString().replaceAll('\0', '')));
  await once(socket, 'open');
  const from = `02:00:00:00:00:0${station}`;
  return { send: (payload) => socket.send(frameOf({ from, payload })), received };
}

describe('a mirror in the console', () => {
  test('begins with the frames of the chosen direction at the chosen port, and ends', async (t) => {
    const opened = await openConsole(t, [], { hash: '#/ports' });
    if (opened === undefined) return;
    const { sw, page, console } = opened;
    const source = await tunnelTo(t, sw, 1);
    const other = await tunnelTo(t, sw, 2);
    const copies = await tunnelTo(t, sw, 3);
    await console.goTo('#/ports?port=1');
    const dialog = page.getByRole('dialog');

    await page.getByRole('button', { name: 'Change…' }).click();
    const choice = dialog.getByLabel('Mirror to');
    // The page hears of ports that come while the form is open. No port mirrors to itself.
    const offered = async (): Promise<unknown[]> => {
      const texts = await choice.locator('option').evaluateAll((all) => all.map(({ textContent }) => textContent));
      return texts.map((text) => Number.parseInt(text ?? '', 10) || text);
    };
    await eventually(offered, (ports) => isDeepStrictEqual(ports, ['no port', 2, 3]));
    assert.equal(await dialog.getByLabel('Copied frames').count(), 0);
    await choice.selectOption('3');
    await dialog.getByLabel('Copied frames').selectOption('rx');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    const settingsOf = async (): Promise<object> => (await sw.ports())[0]?.settings ?? {};
    assert.deepEqual(await settingsOf(), { mirrorTo: '3', mirrorDir: 'rx' });

    other.send('to the port');
    source.send('from the port');
    await until(() => copies.received.includes('from the port'));
    assert.deepEqual(copies.received, ['from the port'], 'only what the port has received');
    await until(() => source.received.includes('to the port'));

    await page.getByRole('complementary').getByText('Mirror to').waitFor();
    await page.getByRole('button', { name: 'Change…' }).click();
    assert.equal(await choice.inputValue(), '3');
    assert.equal(await dialog.getByLabel('Copied frames').inputValue(), 'rx');
    await choice.selectOption('');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await eventually(settingsOf, (settings) => !('mirrorTo' in settings));
    other.send('to all again');
    await until(() => copies.received.includes('to all again'));
  });
});
