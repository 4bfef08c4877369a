import { type RawFrame, rawFrame } from './message-stream.ts';

const HELLO = Buffer.from('Hello');
const NOT_UTF8 = Buffer.from('ff', 'hex');
const KEY = Buffer.from('a1b2c3d4', 'hex');

/** A violation of exactly one rule of RFC 6455: without the check of that rule the stream is valid. */
export interface BrokenRule {
  readonly name: string;
  /** the close code of the reader */
  readonly code: 1002 | 1007 | 1009;
  /** the reason that the reader gives */
  readonly what: RegExp;
  /** without masking keys, which {@link brokenStream} adds for a client */
  readonly frames: readonly RawFrame[];
  /** whether a server masks, and a client does not */
  readonly hasWrongMask?: boolean;
}

/**
 * One row for each rule. The frame that breaks it is the last one: further octets would
 * break another rule, so the row would pass without the check of its own.
 * @param maxMessageBytes the reader's limit; above 65 535, so that each form of a length can exceed it
 */
export function brokenRules(maxMessageBytes: number): readonly BrokenRule[] {
  const close = (payload: Buffer): RawFrame[] => [{ opcode: 8, payload }];
  const closeCode = (code: number): BrokenRule => ({
    name: `close code ${code}`,
    code: 1002,
    what: new RegExp(`^close code ${code}$`),
    frames: close(Buffer.from([code >> 8, code & 0xff])),
  });
  return [
    { name: 'the wrong masking', code: 1002, what: /masked frame from a/, ...oneFrame({}), hasWrongMask: true },
    {
      name: 'the wrong masking of a ping',
      code: 1002,
      what: /masked frame from a/,
      ...oneFrame({ opcode: 9 }),
      hasWrongMask: true,
    },
    { name: 'RSV1', code: 1002, what: /^reserved bit/, ...oneFrame({ reserved: 0x40 }) },
    { name: 'RSV2', code: 1002, what: /^reserved bit/, ...oneFrame({ reserved: 0x20 }) },
    { name: 'RSV3', code: 1002, what: /^reserved bit/, ...oneFrame({ reserved: 0x10 }) },
    { name: 'RSV3 of a ping', code: 1002, what: /^reserved bit/, ...oneFrame({ opcode: 9, reserved: 0x10 }) },
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map(
      (opcode): BrokenRule => ({
        name: `opcode ${opcode}`,
        code: 1002,
        what: new RegExp(`^unknown opcode ${opcode}$`),
        ...oneFrame({ opcode }),
      }),
    ),
    ...[8, 9, 10].map(
      (opcode): BrokenRule => ({
        name: `a control frame in fragments, opcode ${opcode}`,
        code: 1002,
        what: /^fragmented control/,
        frames: [{ opcode, isFinal: false }],
      }),
    ),
    {
      name: 'a ping of 126 octets',
      code: 1002,
      what: /^control frame longer/,
      ...oneFrame({ opcode: 9, payload: Buffer.alloc(126) }),
    },
    {
      name: 'a pong of 65 536 octets',
      code: 1002,
      what: /^control frame longer/,
      ...oneFrame({ opcode: 10, payload: Buffer.alloc(65_536) }),
    },
    { name: 'a continuation of nothing', code: 1002, what: /^continuation of no/, ...oneFrame({ opcode: 0 }) },
    {
      name: 'a continuation behind a message in fragments',
      code: 1002,
      what: /^continuation of no/,
      frames: [{ opcode: 2, isFinal: false }, { opcode: 0, payload: HELLO }, { opcode: 0 }],
    },
    ...[1, 2].map(
      (opcode): BrokenRule => ({
        name: `a message inside another, opcode ${opcode}`,
        code: 1002,
        what: /^new message inside/,
        frames: [
          { opcode: 2, isFinal: false },
          { opcode, payload: HELLO },
        ],
      }),
    ),
    {
      name: '125 octets in 16 bits',
      code: 1002,
      what: /^length 125 written in 16/,
      ...oneFrame({ lengthBytes: 2, payload: Buffer.alloc(125) }),
    },
    {
      name: '125 octets of a text in 16 bits',
      code: 1002,
      what: /^length 125 written in 16/,
      ...oneFrame({ opcode: 1, lengthBytes: 2, payload: Buffer.alloc(125) }),
    },
    {
      name: '65 535 octets in 64 bits',
      code: 1002,
      what: /^length 65535 written in 64/,
      ...oneFrame({ lengthBytes: 8, payload: Buffer.alloc(65_535) }),
    },
    { name: 'a close code cut in half', code: 1002, what: /half a code/, frames: close(Buffer.from([3])) },
    ...[0, 999, 1004, 1005, 1006, 1015, 1100, 2999, 5000, 65_535].map(closeCode),
    {
      name: 'a close reason that is not UTF-8',
      code: 1007,
      what: /^close reason/,
      frames: close(Buffer.from('03e8ff', 'hex')),
    },
    { name: 'a text that is not UTF-8', code: 1007, what: /^text/, ...oneFrame({ opcode: 1, payload: NOT_UTF8 }) },
    {
      name: 'fragments that are not UTF-8',
      code: 1007,
      what: /^text/,
      frames: [{ opcode: 1, isFinal: false, payload: NOT_UTF8 }, { opcode: 0 }],
    },
    {
      name: 'a message that is too long',
      code: 1009,
      what: /^message of /,
      frames: [{ opcode: 2, length: maxMessageBytes + 1 }],
    },
    {
      name: 'a length of 2^63',
      code: 1009,
      what: /^message of /,
      frames: [{ opcode: 2, lengthBytes: 8, length: 2 ** 63 }],
    },
    {
      name: 'fragments that are too long together',
      code: 1009,
      what: /^message of /,
      frames: [
        { opcode: 2, isFinal: false, payload: Buffer.alloc(maxMessageBytes - 1) },
        { opcode: 0, payload: Buffer.alloc(2) },
      ],
    },
  ];
}

/** The octets of a violation, sent by a client (masked) or by a server. */
export function brokenStream(rule: BrokenRule, isFromClient: boolean): Buffer {
  const isMasked = isFromClient !== (rule.hasWrongMask === true);
  return Buffer.concat(rule.frames.map((frame) => rawFrame(isMasked ? { ...frame, key: KEY } : frame)));
}

/** A frame with a payload of five octets; by default a binary message. */
function oneFrame(frame: Partial<RawFrame>): { frames: RawFrame[] } {
  return { frames: [{ opcode: 2, payload: HELLO, ...frame }] };
}
