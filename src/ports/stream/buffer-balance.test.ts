import { before, test } from 'node:test';
import { eventually } from '../../../test/support/etherws.ts';
import {
  narrowSockets,
  nativePair,
  nativePort,
  prepareNamespace,
  stationFrame,
} from '../../../test/support/fast-lab.ts';
import { enterOwnNamespace } from '../../../test/support/own-namespace.ts';
import { clientMessage } from '../../../test/support/peer-frames.ts';
import { PortRecorder } from '../../../test/support/port-recorder.ts';
import { anyIdentity } from '../../../test/support/socket-pair.ts';
import { batchOf } from '../../wire/ethernet/frame-batch.ts';
import { BUFFERS } from './buffer-budget.ts';

const skip = enterOwnNamespace();
const FRAMES = 1000;
const MESSAGE_BYTES = 200_000;
const TUNNELS = 4;
/** The one block into which the process packs messages may be there or not: far less than four unfinished messages. */
const MOST_LEFT_BYTES = 128 * 1024 + 512;

before(() => {
  if (skip !== false) return;
  prepareNamespace();
  narrowSockets();
});

/** How a tunnel ends while frames wait for its peer and a message of the peer is unfinished. */
const ENDS = ['cut', 'closed', 'left by its peer'] as const;

for (const isSecure of [false, true]) {
  for (const wire of ['batched', 'raw'] as const) {
    for (const end of ENDS) {
      const name = `a ${wire} tunnel ${isSecure ? 'over TLS ' : ''}that is ${end} gives its share of the buffers back`;
      test(name, { skip }, async () => {
        const heldBefore = BUFFERS.heldBytes;
        for (let tunnel = 0; tunnel < TUNNELS; tunnel++) {
          const pair = await nativePair(isSecure ? await anyIdentity() : undefined);
          const { accepted, dialled } = pair;
          // Its peer reads nothing.
          dialled.pause();
          dialled.on('error', () => undefined);
          const port = nativePort(accepted, 'server', wire, { closeTimeoutMs: 100 });
          port.open(new PortRecorder());
          for (let number = 0; number < FRAMES; number++) {
            port.send(batchOf(stationFrame(1, 2, number, 1500)), 0);
            if (number % 50 === 49) port.flush(false);
          }
          dialled.write(clientMessage(Buffer.alloc(MESSAGE_BYTES)).subarray(0, MESSAGE_BYTES / 2));
          await eventually(
            async () => BUFFERS.heldBytes - heldBefore,
            (bytes) => bytes > MOST_LEFT_BYTES + 500_000,
          );
          if (end === 'cut') await port.cut('over');
          else if (end === 'closed') await port.close();
          dialled.destroy();
          await port.cut('over');
        }
        await eventually(
          async () => BUFFERS.heldBytes - heldBefore,
          (bytes) => Math.abs(bytes) <= MOST_LEFT_BYTES,
        );
      });
    }
  }
}
