import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** The number that a file gives to a name, in C or in TypeScript: products and sums of numbers and of its own names. */
function constant(file: string, name: string): number {
  const text = readFileSync(file, 'utf8');
  const found = new RegExp(`\\b${name}\\b[^=,;\\n]*= ([^,;}/]+)`).exec(text);
  assert.ok(found?.[1] !== undefined, `${file} has no ${name}`);
  const terms = found[1].split('+').map((term) =>
    term.split('*').reduce((product, factor) => {
      const value = factor.trim().replaceAll('_', '');
      return product * (/^\d+$/.test(value) ? Number(value) : constant(file, factor.trim()));
    }, 1),
  );
  return terms.reduce((sum, term) => sum + term, 0);
}

/** The names of an enumeration that counts from 0, in order. */
function names(file: string, prefix: RegExp): readonly string[] {
  return [...readFileSync(file, 'utf8').matchAll(prefix)].map((match) => match[1] as string);
}

const PAIRS: readonly (readonly [c: string, name: string, typescript: string, name: string])[] = [
  ['native/node/module.c', 'INTERFACE_VERSION', 'src/native/load-addon.ts', 'INTERFACE_VERSION'],
  ['native/datapath/frames.h', 'SLAB_FRONT_BYTES', 'src/native/devices.ts', 'SLAB_FRONT_BYTES'],
  ['native/datapath/frames.h', 'RECORD_HEADER_BYTES', 'src/native/devices.ts', 'RECORD_HEADER_BYTES'],
  ['native/datapath/host.h', 'READABLE', 'src/native/descriptors.ts', 'READABLE'],
  ['native/datapath/host.h', 'WRITABLE', 'src/native/descriptors.ts', 'WRITABLE'],
  ['native/datapath/host.h', 'LOST', 'src/native/descriptors.ts', 'LOST'],
  ['native/datapath/host.h', 'PEER_KEY_WORN', 'src/ports/stream/tls/record-stream.ts', 'PEER_KEY_WORN'],
  ['native/datapath/tally.h', 'EXAMPLE_FRAME_BYTES', 'src/ports/device/fault-example.ts', 'EXAMPLE_FRAME_BYTES'],
  ['native/datapath/backpressure.h', 'MAX_WAIT_MS', 'src/ports/device/device-port.ts', 'MAX_WAIT_MS'],
  ['native/datapath/outgoing.h', 'WRITE_BYTES', 'src/ports/stream/native-transport.ts', 'writeBytes'],
  ['native/node/flow_binding.c', 'COUNTER_CELLS', 'src/bridge/counters.ts', 'CELLS'],
];

for (const [c, name, typescript, alias] of PAIRS) {
  test(`${name} of ${c} is ${alias} of ${typescript}`, () => {
    assert.equal(constant(c, name), constant(typescript, alias));
  });
}

test('the reasons of a tally stand in one order', () => {
  const inC = names('native/datapath/tally.h', /^ {2}TALLY_(\w+),$/gm).filter((name) => name !== 'COUNT');
  const list = /TALLY_REASONS[^[]*\[\][^[]*\[([^\]]*)\]/.exec(readFileSync('src/native/devices.ts', 'utf8'))?.[1] ?? '';
  const inTypeScript = [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name);
  assert.deepEqual(
    inC.map((name) => name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())),
    inTypeScript,
  );
});

test('what is answered about a record is numbered alike', () => {
  const list = /enum record_answer \{([^}]*)\}/.exec(readFileSync('native/datapath/host.h', 'utf8'))?.[1] ?? '';
  const inC = list.split(',').map((name) => name.trim());
  assert.equal(inC.length, 3);
  assert.deepEqual(
    inC.map((name) => constant('src/ports/stream/tls/record-stream.ts', name)),
    [0, 1, 2],
  );
});

test('the cipher suites of TLS are numbered alike', () => {
  const inC = names('native/crypto/aead.h', /ETHERWS_(AES_\d+_GCM|CHACHA20_POLY1305)\b/g);
  const inTypeScript = names('src/ports/stream/tls/key-schedule.ts', /TLS_(\w+)_SHA\d+: \{ index: \d/g);
  assert.deepEqual(inC, inTypeScript);
  const indices = names('src/ports/stream/tls/key-schedule.ts', /\{ index: (\d)/g);
  assert.deepEqual(indices, ['0', '1', '2']);
});
