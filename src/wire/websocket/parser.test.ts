import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brokenRules, brokenStream } from '../../../test/support/broken-rules.ts';
import { cut, ParserProbe, type RawFrame, rawFrame } from '../../../test/support/message-stream.ts';
import { ADDON_HINT, builtCodec } from '../../../test/support/offload-addon.ts';

const MAX = 70_000;
const KEY = Buffer.from('a1b2c3d4', 'hex');
const HELLO = Buffer.from('Hello');
const CODEC = builtCodec();

function client(): ParserProbe {
  return new ParserProbe({ isMasked: true, maxMessageBytes: MAX });
}

function server(): ParserProbe {
  return new ParserProbe({ isMasked: false, maxMessageBytes: MAX });
}

test('the examples of RFC 6455, 5.7', () => {
  const unmasked = server();
  //                        FIN+text len  H  e  l  l  o
  unmasked.feed(Buffer.from('81 05 48 65 6c 6c 6f'.replaceAll(' ', ''), 'hex'));
  //                        text, Hel          | FIN+continuation, lo
  unmasked.feed(Buffer.from('01 03 48 65 6c 80 02 6c 6f'.replaceAll(' ', ''), 'hex'));
  //                        ping with Hello
  unmasked.feed(Buffer.from('89 05 48 65 6c 6c 6f'.replaceAll(' ', ''), 'hex'));
  assert.deepEqual(unmasked.events, [
    { kind: 'text', text: 'Hello' },
    { kind: 'text', text: 'Hello' },
    { kind: 'ping', bytes: HELLO.toString('hex') },
  ]);
  const masked = client();
  //                      FIN+text MASK+5 key         masked Hello
  masked.feed(Buffer.from('81 85 37 fa 21 3d 7f 9f 4d 51 58'.replaceAll(' ', ''), 'hex'));
  assert.deepEqual(masked.events, [{ kind: 'text', text: 'Hello' }]);
});

test('whole messages are handed on where they lie', () => {
  const probe = client();
  const one = rawFrame({ opcode: 2, key: KEY, payload: Buffer.alloc(1514, 7) });
  probe.feed(Buffer.concat([one, one, one]));
  assert.equal(probe.inPlace, 3);
  assert.equal(probe.restBytes, 0);
  assert.equal(probe.memory.outBytes, 0);
});

test('an unfinished message is left, as it came, until it is whole', () => {
  const probe = client();
  const large = rawFrame({ opcode: 2, key: KEY, payload: Buffer.alloc(60_000, 7) });
  const stream = Buffer.concat([large, large, large]);
  const unread = cut(stream, () => 65_000).map((chunk) => {
    probe.feed(chunk);
    assert.equal(probe.memory.outBytes, 0);
    return probe.restBytes;
  });
  assert.deepEqual(unread, [65_000 - large.length, 130_000 - 2 * large.length, 0]);
  assert.equal(probe.inPlace, 3);
  assert.ok(probe.events.every((event) => event.kind === 'binary' && event.bytes === '07'.repeat(60_000)));
});

test('cut anywhere, a message is read once, and no sooner than it is whole', () => {
  for (const length of [0, 1, 125, 126, 2000]) {
    const probe = client();
    const stream = rawFrame({ opcode: 2, key: KEY, payload: Buffer.alloc(length, 9) });
    for (const [index, chunk] of cut(stream, () => 1).entries()) {
      assert.equal(probe.events.length, 0);
      assert.equal(probe.restBytes, index);
      probe.feed(chunk);
    }
    assert.deepEqual(probe.events, [{ kind: 'binary', bytes: '09'.repeat(length) }]);
    assert.equal(probe.restBytes, 0);
  }
});

test('fragments take up what they need, and at most twice that while they grow', () => {
  const probe = client();
  const payload = Buffer.alloc(1000, 5);
  for (let number = 0; number < 70; number++) {
    const opcode = number === 0 ? 2 : 0;
    probe.feed(rawFrame({ opcode, isFinal: number === 69, key: KEY, payload }));
    assert.ok(probe.memory.outBytes <= Math.max(4096, 1000 * (number + 1)) + 2, `${probe.memory.outBytes}`);
    assert.equal(probe.memory.outBytes >= probe.parser.heldBytes, true);
  }
  assert.deepEqual(probe.events, [{ kind: 'binary', bytes: '05'.repeat(70_000) }]);
  assert.equal(probe.memory.outBytes, 0);
});

test('nothing is held on the mere word of a header', () => {
  for (const isFinal of [true, false]) {
    const probe = client();
    probe.feed(rawFrame({ opcode: 2, isFinal, key: KEY, length: MAX }));
    assert.equal(probe.memory.outBytes, 0);
  }
});

test('a sink may end it in the midst of a read: nothing behind that counts', () => {
  const probe = server();
  const message = rawFrame({ opcode: 2, payload: HELLO });
  const fragments = [
    rawFrame({ opcode: 2, isFinal: false, payload: HELLO }),
    rawFrame({ opcode: 9, payload: HELLO }),
    rawFrame({ opcode: 0, payload: HELLO }),
  ];
  let pings = 0;
  probe.ping = () => {
    pings++;
    probe.parser.end();
  };
  probe.feed(Buffer.concat([message, ...fragments, message]));
  probe.feed(message);
  assert.equal(pings, 1);
  assert.equal(probe.events.length, 1);
  assert.equal(probe.restBytes, 0);
  assert.equal(probe.memory.outBytes, 0);
});

test('control messages may stand between fragments', () => {
  const probe = server();
  const frames: RawFrame[] = [
    { opcode: 2, isFinal: false, payload: Buffer.from('He') },
    { opcode: 9, payload: Buffer.from('?') },
    { opcode: 0, isFinal: false, payload: Buffer.from('') },
    { opcode: 0, payload: Buffer.from('llo') },
    { opcode: 2, payload: Buffer.from('!') },
  ];
  for (const frame of frames) probe.feed(rawFrame(frame));
  assert.deepEqual(probe.events, [
    { kind: 'ping', bytes: '3f' },
    { kind: 'binary', bytes: HELLO.toString('hex') },
    { kind: 'binary', bytes: '21' },
  ]);
});

test('a text may be cut inside a character', () => {
  const probe = server();
  const text = Buffer.from('Grüße 🙂');
  probe.feed(rawFrame({ opcode: 1, isFinal: false, payload: text.subarray(0, 3) }));
  probe.feed(rawFrame({ opcode: 0, payload: text.subarray(3) }));
  assert.deepEqual(probe.events, [{ kind: 'text', text: 'Grüße 🙂' }]);
});

test('a close message ends the stream', () => {
  for (const [payload, code, reason] of [
    ['', 1005, ''],
    ['03e9', 1001, ''],
    ['03e8627965', 1000, 'bye'],
    ['0fa0', 4000, ''],
  ] as const) {
    const probe = server();
    const close = rawFrame({ opcode: 8, payload: Buffer.from(payload, 'hex') });
    probe.feed(Buffer.concat([close, rawFrame({ opcode: 2, payload: HELLO })]));
    probe.feed(rawFrame({ opcode: 2, payload: HELLO }));
    assert.deepEqual(probe.events, [{ kind: 'close', code, reason }]);
    assert.equal(probe.violated, undefined);
  }
});

for (const [reader, codec] of [
  ['TypeScript', undefined],
  ['C', CODEC],
] as const) {
  const skip = reader === 'C' && codec === undefined && ADDON_HINT;
  describe(`every broken rule has its close code, read in ${reader}`, { skip }, () => {
    for (const rule of brokenRules(MAX)) {
      for (const isMasked of [true, false]) {
        test(`${rule.code} for ${rule.name} from a ${isMasked ? 'client' : 'server'}`, () => {
          const good = rawFrame({ opcode: 2, payload: HELLO, ...(isMasked ? { key: KEY } : {}) });
          const stream = Buffer.concat([good, brokenStream(rule, isMasked)]);
          // In pieces of one octet, or, for a long stream, in 500 pieces.
          for (const size of [stream.length, Math.ceil(stream.length / 500)]) {
            const probe = new ParserProbe({ isMasked, maxMessageBytes: MAX, codec });
            for (const chunk of cut(stream, () => size)) probe.feed(chunk);
            assert.equal(probe.violated?.code, rule.code);
            assert.match(probe.violated.what, rule.what);
            assert.deepEqual(probe.events[0], { kind: 'binary', bytes: HELLO.toString('hex') });
            assert.equal(probe.parser.heldBytes, 0);
            assert.equal(probe.memory.outBytes, 0);
            assert.equal(probe.restBytes, 0);
          }
        });
      }
    }
  });
}

test('it tells whether the next frame begins a message', () => {
  const probe = server();
  const states = [probe.parser.isBetweenMessages];
  for (const frame of [
    { opcode: 2, isFinal: false, payload: HELLO },
    { opcode: 9 },
    { opcode: 0, payload: HELLO },
    { opcode: 8 },
  ]) {
    probe.feed(rawFrame(frame));
    states.push(probe.parser.isBetweenMessages);
  }
  assert.deepEqual(states, [true, false, false, true, false]);
});

test('what stands behind the end of a sink is not judged, either', { skip: CODEC === undefined && ADDON_HINT }, () => {
  for (const codec of [undefined, CODEC]) {
    const probe = new ParserProbe({ isMasked: false, maxMessageBytes: MAX, codec });
    probe.binaryMessage = () => probe.parser.end();
    probe.feed(Buffer.concat([rawFrame({ opcode: 2, payload: HELLO }), rawFrame({ opcode: 2, reserved: 0x40 })]));
    assert.equal(probe.violated, undefined);
    assert.equal(probe.restBytes, 0);
  }
});

test('messages that the codec reads may be more than one call of it returns', {
  skip: CODEC === undefined && ADDON_HINT,
}, () => {
  for (const count of [255, 256, 257, 512, 600]) {
    const probe = new ParserProbe({ isMasked: true, maxMessageBytes: MAX, codec: CODEC });
    const payloads = Array.from({ length: count }, (_, number) => Buffer.from([number >> 8, number & 255]));
    probe.feed(Buffer.concat(payloads.map((payload) => rawFrame({ opcode: 2, key: KEY, payload }))));
    assert.deepEqual(
      probe.events,
      payloads.map((payload) => ({ kind: 'binary', bytes: payload.toString('hex') })),
    );
  }
});

test('only fragments are copied, into a buffer that is kept while it has room', () => {
  const probe = server();
  let takes = 0;
  const take = probe.memory.take.bind(probe.memory);
  probe.memory.take = (bytes) => {
    takes++;
    return take(bytes);
  };
  probe.feed(rawFrame({ opcode: 1, payload: HELLO }));
  probe.feed(rawFrame({ opcode: 2, payload: Buffer.alloc(60_000) }));
  assert.equal(takes, 0);
  probe.feed(rawFrame({ opcode: 2, isFinal: false, payload: HELLO }));
  const room = probe.parser.heldBytes;
  assert.ok(room >= 4096);
  for (let number = 0; number < 10; number++) probe.feed(rawFrame({ opcode: 0, isFinal: false, payload: HELLO }));
  probe.feed(rawFrame({ opcode: 0, isFinal: false, payload: Buffer.alloc(room - 11 * HELLO.length) }));
  assert.equal(takes, 1, 'it is full');
  probe.feed(rawFrame({ opcode: 0, payload: HELLO }));
  assert.equal(takes, 2, 'and does not suffice any more');
});

test('a control message may have 125 octets', () => {
  for (const opcode of [9, 10]) {
    const probe = server();
    probe.feed(rawFrame({ opcode, payload: Buffer.alloc(125, 7) }));
    assert.deepEqual([probe.violated, probe.events.length], [undefined, 1]);
  }
});

test('control messages do not count to the length of the message that they interrupt', () => {
  const probe = server();
  probe.feed(rawFrame({ opcode: 2, isFinal: false, payload: Buffer.alloc(MAX) }));
  probe.feed(rawFrame({ opcode: 9, payload: HELLO }));
  probe.feed(rawFrame({ opcode: 10, payload: HELLO }));
  probe.feed(rawFrame({ opcode: 8, payload: Buffer.from('03e8627965', 'hex') }));
  assert.equal(probe.violated, undefined);
  assert.deepEqual(
    probe.events.map(({ kind }) => kind),
    ['ping', 'pong', 'close'],
  );
});

test('the lengths at which the form of the length changes', () => {
  for (const length of [125, 126, 65_535, 65_536, MAX]) {
    const probe = client();
    probe.feed(rawFrame({ opcode: 2, key: KEY, payload: Buffer.alloc(length) }));
    assert.deepEqual([probe.violated, probe.inPlace], [undefined, 1], `${length} octets`);
  }
});

test('a violation says which end masked wrongly', () => {
  const [masked, unmasked] = [server(), client()];
  masked.feed(rawFrame({ opcode: 2, key: KEY, payload: HELLO }));
  unmasked.feed(rawFrame({ opcode: 2, payload: HELLO }));
  assert.equal(masked.violated?.what, 'masked frame from a server');
  assert.equal(unmasked.violated?.what, 'unmasked frame from a client');
});

test('a text keeps the byte order mark that it begins with', () => {
  const probe = server();
  probe.feed(rawFrame({ opcode: 1, payload: Buffer.from('efbbbf41', 'hex') }));
  assert.deepEqual(probe.events, [{ kind: 'text', text: '\ufeffA' }]);
});
