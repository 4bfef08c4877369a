import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../../test/support/waits.ts';
import { EtherwsError } from '../errors.ts';
import { SILENT } from '../observability/logger.ts';
import { StateFile } from './state-file.ts';

function pathFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-state-file-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'state');
}

test('sections are read as they were kept, and one that is taken away is absent', async (t) => {
  const path = pathFor(t);
  const state = await StateFile.open(path);
  assert.equal(state.read('ports'), undefined);
  assert.ok(!existsSync(path), 'nothing is written before something is kept');
  await Promise.all([state.keep('ports', [{ port: 1 }]), state.keep('other', 'x')]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path, 'utf8'), '{"version":1,"sections":{\n"ports":[{"port":1}],\n"other":"x"\n}}\n');
  const again = await StateFile.open(path);
  assert.deepEqual(again.read('ports'), [{ port: 1 }]);
  await again.keep('ports', undefined);
  assert.deepEqual([again.read('ports'), again.read('other')], [undefined, 'x']);
  assert.equal((await StateFile.open(path)).read('ports'), undefined);
});

test('a section of another shape is a fault of the file, which is named', async (t) => {
  const path = pathFor(t);
  writeFileSync(path, '{"version":1,"sections":{"bindings":{}}}');
  const state = await StateFile.open(path);
  const refuse = (): never => {
    throw new EtherwsError('ARGUMENT_INVALID', 'bindings must be a list');
  };
  assert.throws(
    () => state.readAs('bindings', refuse),
    (error: EtherwsError) => error.code === 'STATE_INVALID' && error.message.includes(path),
  );
  assert.equal(state.readAs('tunnels', refuse), undefined, 'absent');
});

test('what is kept during a write is in the next one, and each answer comes when it is in the file', async (t) => {
  const path = pathFor(t);
  const state = await StateFile.open(path);
  const answers = Array.from({ length: 50 }, async (_, at) => {
    if (at % 7 === 0) await new Promise(setImmediate);
    await state.keep(`section ${at}`, at);
    assert.equal((await StateFile.open(path)).read(`section ${at}`), at);
  });
  await Promise.all(answers);
});

test('a file that cannot be written is an error of each call, and what they kept is written once it can be', async (t) => {
  const path = pathFor(t);
  const state = await StateFile.open(path);
  rmSync(join(path, '..'), { recursive: true });
  await assert.rejects(state.keep('a', 1), {
    code: 'FILE_UNWRITABLE',
    message: `The state ${path} cannot be written (ENOENT)`,
  });
  const { mkdirSync } = await import('node:fs');
  mkdirSync(join(path, '..'));
  await state.keep('b', 2);
  const again = await StateFile.open(path);
  assert.deepEqual([again.read('a'), again.read('b')], [1, 2]);
});

test('keepSoon writes within its time, or at the close, and asks for the value only then', async (t) => {
  const path = pathFor(t);
  const quick = await StateFile.open(path, { soonMs: 5 });
  let value = 0;
  for (let call = 0; call < 10; call++) quick.keepSoon('tokens', () => ++value);
  await until(() => existsSync(path));
  await quick.close();
  assert.equal((await StateFile.open(path)).read('tokens'), 1);
  const slow = await StateFile.open(path, { soonMs: 3_600_000 });
  slow.keepSoon('tokens', () => 'at the close');
  await slow.close();
  assert.equal((await StateFile.open(path)).read('tokens'), 'at the close');
});

test('a file that is none of this class is refused, and its contents are not told', async (t) => {
  const path = pathFor(t);
  for (const [text, message] of [
    ['secret-4711', /is no JSON$/],
    ['[]', /is no state of etherws$/],
    ['{"version":1}', /is no state of etherws$/],
    ['{"version":2,"sections":{}}', /is of version 2, and this etherws knows 1$/],
  ] as const) {
    writeFileSync(path, text);
    await assert.rejects(StateFile.open(path), { code: 'STATE_INVALID', message });
  }
  rmSync(path);
  symlinkSync('/', path);
  await assert.rejects(StateFile.open(path), { code: 'FILE_UNREADABLE' });
});

test('a file that all could read is for its owner only once it is written', async (t) => {
  const path = pathFor(t);
  writeFileSync(path, '{"version":1,"sections":{}}');
  chmodSync(path, 0o644);
  await (await StateFile.open(path)).keep('a', 1);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a state that is too large is written without what may be spared and then its longest sections, so that it is read again', async (t) => {
  const path = pathFor(t);
  const errors: object[] = [];
  const logger = { ...SILENT, error: (fields: object) => void errors.push(fields) };
  const options = { spare: ['bindings'], mostBytes: 1000, logger };
  const state = await StateFile.open(path, options);
  const read = async (): Promise<unknown[]> => {
    const again = await StateFile.open(path, options);
    return ['ports', 'bindings', 'tunnels'].map((section) => (again.read(section) as string | undefined)?.length);
  };
  await state.keep('ports', 'x'.repeat(300));
  state.follow('bindings', () => ['x'.repeat(300)].values());
  await state.keep('tunnels', 'x'.repeat(300));
  assert.deepEqual([await read(), errors], [[300, 1, 300], []]);
  for (let write = 0; write < 2; write++) await state.keep('ports', 'x'.repeat(400));
  assert.deepEqual(await read(), [400, undefined, 300]);
  await assert.rejects(state.keep('tunnels', 'x'.repeat(900)), {
    code: 'FILE_UNWRITABLE',
    message: `The state ${path} is too large; its tunnels are left out`,
  });
  assert.deepEqual(await read(), [400, undefined, undefined]);
  await state.keep('bindings', ['x'.repeat(300)]);
  await state.keep('tunnels', undefined);
  assert.deepEqual(await read(), [400, 1, undefined], 'what fits again is there again');
  assert.deepEqual(
    errors.map((fields) => (fields as { leftOut: unknown }).leftOut),
    [['bindings'], ['bindings', 'tunnels']],
  );
});

test('a long list is written in slices, between which other work is done', async (t) => {
  const path = pathFor(t);
  const state = await StateFile.open(path, { soonMs: 1 });
  let turns = 0;
  const turn = (): void => {
    turns++;
    timer = setImmediate(turn);
  };
  let timer = setImmediate(turn);
  t.after(() => clearImmediate(timer));
  let turnsWithin = 0;
  // Each entry takes as long as the machine needs for it, and a slice as many of them as it has time for.
  function* entries(): Iterable<object> {
    const first = turns;
    for (let entry = 0; entry < 50_000; entry++) yield { entry, text: 'x'.repeat(100) };
    turnsWithin = turns - first;
  }
  state.follow('list', entries);
  await state.write();
  assert.ok(turnsWithin > 3, `${turnsWithin} turns of the loop`);
  const read = (await StateFile.open(path)).read('list') as { entry: number }[];
  assert.deepEqual([read.length, read[49_999]?.entry], [50_000, 49_999]);
});

test('what is kept while a list is made stays', async (t) => {
  const path = pathFor(t);
  const state = await StateFile.open(path);
  let later: Promise<void> = Promise.resolve();
  function* entries(): Iterable<number> {
    for (let entry = 0; entry < 100_000; entry++) {
      if (entry === 10) later = state.keep('list', ['kept']);
      yield entry;
    }
  }
  state.follow('list', entries);
  await state.write();
  await later;
  assert.deepEqual((await StateFile.open(path)).read('list'), ['kept']);
});

test('a value that takes long to make is kept less often', async (t) => {
  const path = pathFor(t);
  const state = await StateFile.open(path, { soonMs: 1 });
  let made = 0;
  let endedMs = 0;
  let pauseMs = 0;
  const slow = (): number => {
    made++;
    pauseMs = performance.now() - endedMs;
    for (const untilMs = performance.now() + 30; performance.now() < untilMs; );
    endedMs = performance.now();
    return made;
  };
  state.keepSoon('slow', slow);
  await until(() => made === 1);
  state.keepSoon('slow', slow);
  await until(() => made === 2);
  assert.ok(pauseMs > 100, 'a pause of many times the work');
  state.keepSoon('slow', slow);
  await state.close();
  assert.equal((await StateFile.open(path)).read('slow'), 3, 'the close does not wait');
});
