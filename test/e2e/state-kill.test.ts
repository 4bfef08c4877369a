import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Process } from '../support/process.ts';
import { Random } from '../support/random.ts';

const WRITER = fileURLToPath(new URL('programs/state-writer.js', import.meta.url));
const KILLS = 200;
const LANES = 4;
/** Time limit of the life of a writer, enough for several writes. */
const MOST_LIFE_MS = 30;

interface Kept {
  readonly version: number;
  readonly sections: { readonly count: number; readonly filler: string };
}

test(`a program that keeps its state is killed ${KILLS} times: each time the file is whole, and has all that was answered`, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-state-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const random = new Random(20261129);
  const lane = async (number: number): Promise<number> => {
    const path = join(directory, `state-${number}`);
    let last = 0;
    for (let kill = 0; kill < KILLS / LANES; kill++)
      last = await killedWriter(t, path, last, random.below(MOST_LIFE_MS));
    return last;
  };
  const counts = await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
  // Otherwise most writers were killed at their first write.
  assert.ok(counts.reduce((sum, count) => sum + count, 0) > 1.2 * KILLS, String(counts));
  const others = readdirSync(directory).filter((name) => !/^\.?state-\d(\.new)?$/.test(name));
  assert.deepEqual(others, [], 'what was begun is not left under ever new names');
});

/** @param last the number after which the program begins. @returns the number in the file */
async function killedWriter(t: TestContext, path: string, last: number, lifeMs: number): Promise<number> {
  const writer = new Process([process.execPath, WRITER, path], { timeoutMs: 60_000 });
  t.after(() => writer.end());
  let answered = last;
  writer.onLine((line) => {
    answered = Number(line);
  });
  await writer.output(/\d\n/);
  await delay(lifeMs);
  await writer.end();
  assert.equal(writer.stderr, '');
  const text = readFileSync(path, 'utf8');
  const { version, sections } = JSON.parse(text) as Kept;
  assert.equal(version, 1);
  assert.ok(sections.count >= answered, `${sections.count} in the file, ${answered} was answered`);
  assert.ok(answered > last);
  const [of, filler] = sections.filler.split(' ');
  assert.ok(Number(of) <= sections.count && Number(of) >= sections.count - 1, `${of} of ${sections.count}`);
  assert.equal(filler?.length, 200_000);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  return sections.count;
}
