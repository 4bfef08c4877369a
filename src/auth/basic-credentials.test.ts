import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBasic } from './basic-credentials.ts';

function basic(text: string | Uint8Array, scheme = 'Basic'): string {
  return `${scheme} ${Buffer.from(text).toString('base64')}`;
}

test('the example of RFC 7617', () => {
  assert.deepEqual(parseBasic('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), { user: 'Aladdin', password: 'open sesame' });
  assert.deepEqual(parseBasic('Basic dGVzdDoxMjPCow=='), { user: 'test', password: '123£' });
});

test('the scheme has no case, and spaces around the token are allowed', () => {
  for (const header of ['basic YTpi', 'BASIC YTpi', 'Basic   YTpi', 'Basic YTpi  ']) {
    assert.deepEqual(parseBasic(header), { user: 'a', password: 'b' });
  }
});

test('a password may hold colons and be empty', () => {
  assert.deepEqual(parseBasic(basic('ada:a:b::')), { user: 'ada', password: 'a:b::' });
  assert.deepEqual(parseBasic(basic('ada:')), { user: 'ada', password: '' });
});

test('another scheme is told apart', () => {
  for (const header of ['Bearer abc.def.ghi', 'Digest', 'Basi YTpi']) assert.equal(parseBasic(header), 'otherScheme');
});

test('what RFC 7617 does not allow is malformed', () => {
  const malformed = {
    'nothing at all': '',
    'no token': 'Basic',
    'two tokens': 'Basic YTpi YTpi',
    'no colon': basic('ada'),
    'a control character': basic('ada:se\u0000cret'),
    'a line break': basic('ada:se\ncret'),
    'not UTF-8': basic(new Uint8Array([0x61, 0x3a, 0xff])),
    'overlong UTF-8': basic(new Uint8Array([0x61, 0x3a, 0xc0, 0x80])),
    'padding left out': 'Basic YTpiYw',
    'padding inside': 'Basic YT=pi',
    'URL-safe alphabet': basic('a:???>>>').replaceAll('/', '_').replaceAll('+', '-'),
    'unused bits set': 'Basic YTpiYx==',
    'a header of 9 KiB': basic(`ada:${'x'.repeat(6900)}`),
    'a password of more than 1024 octets': basic(`ada:${'ä'.repeat(513)}`),
  };
  for (const [what, header] of Object.entries(malformed)) assert.equal(parseBasic(header), 'malformed', what);
  assert.notEqual(parseBasic(basic(`ada:${'ä'.repeat(512)}`)), 'malformed');
});

test('what a client encodes is what is read', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they cannot stand in credentials
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((value) => !/[\u0000-\u001F\u007F]/.test(value));
  const property = fc.property(text, text, (name, password) => {
    const user = name.replaceAll(':', '');
    assert.deepEqual(parseBasic(basic(`${user}:${password}`)), { user, password });
  });
  fc.assert(property, { seed: 20_240_603, numRuns: 5_000 });
});

test('whatever the header holds, reading it answers, and what it accepts would be encoded the same', () => {
  const pieces = fc.constantFrom(
    'Basic',
    'basic ',
    'Bearer',
    ' ',
    '=',
    '==',
    'YTpi',
    'OjpB',
    '+/',
    '-_',
    '\t',
    ',',
    '\0',
  );
  const headers = fc.oneof(
    fc
      .array(fc.oneof(pieces, fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 8 })
      .map((parts) => parts.join('')),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => basic(bytes)),
    fc.base64String({ maxLength: 60 }).map((token) => `Basic ${token}`),
  );
  const property = fc.property(headers, (header) => {
    const read = parseBasic(header);
    if (typeof read === 'string') return;
    assert.ok(!read.user.includes(':'));
    assert.equal(header.trim().split(/ +/)[1], basic(`${read.user}:${read.password}`).split(' ')[1]);
  });
  fc.assert(property, { seed: 20_240_604, numRuns: 25_000 });
});
