import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PortRecorder, testFrame } from '../../../../test/support/port-recorder.ts';
import { once, until } from '../../../../test/support/waits.ts';
import { TestTunnelServer } from '../../../../test/support/web-socket-peer.ts';
import { ALLOW_ALL } from '../../../auth/authenticator.ts';
import { SILENT } from '../../../observability/logger.ts';
import type { DialOptions } from '../../../schema/dial-options.ts';
import { batchOf } from '../../../wire/ethernet/frame-batch.ts';
import type { ClientPort } from './client-port.ts';
import { openClient } from './open-client.ts';

/** A server that accepts no client until the test says so. */
class Gate {
  isOpen = false;
  asked = 0;
  readonly server = new TestTunnelServer({
    authenticator: {
      ...ALLOW_ALL,
      authenticate: () => {
        this.asked++;
        return Promise.resolve(this.isOpen ? { isAllowed: true, user: null } : { isAllowed: false, reason: 'busy' });
      },
    },
  });
}

async function withTwoServers(
  options: DialOptions,
  run: (setting: { first: Gate; second: Gate; port: ClientPort; events: PortRecorder }) => Promise<void>,
): Promise<void> {
  const [first, second] = [new Gate(), new Gate()];
  second.isOpen = true;
  await Promise.all([first.server.start(), second.server.start()]);
  const alternatives = [second.server.url];
  const port = await openClient(first.server.url, { alternatives, reconnectMax: 1, ...options }, { logger: SILENT });
  const events = new PortRecorder();
  port.open(events);
  try {
    await run({ first, second, port, events });
  } finally {
    await port.close();
    await Promise.all([first.server.stop(), second.server.stop()]);
  }
}

async function carries(port: ClientPort, recorder: PortRecorder, number: number): Promise<void> {
  const frame = testFrame(number, 60);
  assert.equal(port.send(batchOf(frame), 0), undefined);
  port.flush(true);
  const [received] = await recorder.take(1);
  assert.deepEqual(received, frame);
}

describe('a client port that prefers the first of its URLs', () => {
  test('goes back there once it answers, and is never down meanwhile', async () => {
    await withTwoServers({ preferFirst: 0.05 }, async ({ first, second, port, events }) => {
      const atSecond = await second.server.nextPort();
      const secondEvents = new PortRecorder();
      atSecond.open(secondEvents);
      assert.equal(port.details.connection?.url, second.server.url);
      await carries(port, secondEvents, 1);
      await until(() => first.asked >= 3);
      assert.equal(port.details.connection?.url, second.server.url, 'a refusal changes nothing');

      first.isOpen = true;
      const atFirst = await first.server.nextPort();
      const firstEvents = new PortRecorder();
      atFirst.open(firstEvents);
      while (secondEvents.linkChanges.length === 0) await once(secondEvents, 'change');
      assert.equal(port.details.connection?.url, undefined, 'its own target');
      await carries(port, firstEvents, 2);
      atFirst.send(batchOf(testFrame(3, 60)), 0);
      atFirst.flush(true);
      await events.take(1);
      assert.deepEqual([...new Set(events.linkChanges.map(({ state }) => state))], ['up']);
      await Promise.all([atSecond.close(), atFirst.close()]);
    });
  });

  test('asks no more once it is there, nor once it is closed', async () => {
    await withTwoServers({ preferFirst: 0.02 }, async ({ first, second, port }) => {
      const atSecond = await second.server.nextPort();
      atSecond.open(new PortRecorder());
      first.isOpen = true;
      const atFirst = await first.server.nextPort();
      atFirst.open(new PortRecorder());
      const { asked } = first;
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.equal(first.asked, asked);
      await Promise.all([port.close(), atSecond.close(), atFirst.close()]);
      assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, 0);
    });
  });

  test('stays where it is without being told so', async () => {
    await withTwoServers({}, async ({ first, second }) => {
      const atSecond = await second.server.nextPort();
      atSecond.open(new PortRecorder());
      first.isOpen = true;
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.equal(first.asked, 1);
      await atSecond.close();
    });
  });
});
