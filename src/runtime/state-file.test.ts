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
