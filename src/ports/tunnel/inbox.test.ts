import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawFrame } from '../../../test/support/message-stream.ts';
import { MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import { maskInScript } from '../../wire/websocket/framing.ts';
import { MessageParser } from '../../wire/websocket/parser.ts';
import { BlockPool } from '../stream/block-pool.ts';
import { Inbox } from './inbox.ts';
import { RawPeer } from './raw-peer.ts';

class CountedBlocks extends BlockPool {
  out = 0;
  mostOut = 0;

  override take(bytes: number): Buffer {
    this.out++;
    this.mostOut = Math.max(this.mostOut, this.out);
    return super.take(bytes);
  }

  override release(block: Buffer): void {
    this.out--;
    // A later read of it then shows.
    block.fill(0xdd);
    super.release(block);
  }
}

test('a chunk full of tiny messages in fragments takes up two blocks, whatever is in them', () => {
  for (const length of [0, 10, 14, 60]) {
    const blocks = new CountedBlocks();
    const delivered: string[] = [];
    let runts = 0;
    const inbox = new Inbox(
      {
        receive: (batch) => {
          for (let index = 0; index < batch.count; index++) delivered.push(batch.frame(index).toString('hex'));
        },
        discarded: (_reason, frames) => {
          runts += frames;
        },
      },
      blocks,
      MAX_SUPER_FRAME_BYTES,
      new RawPeer(false),
    );
    const sink = {
      binaryMessage: (bytes: Buffer, start: number, size: number) => inbox.push(bytes, start, size),
      textMessage: () => undefined,
      ping: () => undefined,
      pong: () => undefined,
      closeMessage: () => undefined,
      violation: (_code: number, what: string) => assert.fail(what),
    };
    const parser = new MessageParser({
      isMasked: false,
      maxMessageBytes: 1000,
      mask: maskInScript,
      memory: inbox,
      sink,
    });
    const payloads = Array.from({ length: 500 }, (_, number) => Buffer.alloc(length, number));
    const chunk = Buffer.concat(
      payloads.flatMap((payload, number) =>
        // Some whole ones in between, which lie in the chunk itself.
        number % 5 === 0
          ? [rawFrame({ opcode: 2, payload })]
          : [
              rawFrame({ opcode: 2, isFinal: false, payload: payload.subarray(0, 1) }),
              rawFrame({ opcode: 0, payload: payload.subarray(1) }),
            ],
      ),
    );
    assert.equal(parser.read(chunk, 0, chunk.length), chunk.length);
    inbox.deliver();
    assert.ok(blocks.mostOut <= 2, `${blocks.mostOut} blocks at a time`);
    assert.equal(blocks.out, 0);
    assert.equal(runts, length < 14 ? 500 : 0);
    if (length >= 14)
      assert.deepEqual(
        delivered,
        payloads.map((payload) => payload.toString('hex')),
      );
  }
});
