import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compileFilter } from '../../src/capture/filter.ts';
import { capturedFrame, filterText } from '../support/captured-frames.ts';
import { pcapOf } from '../support/pcap.ts';
import { run } from '../support/process.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';
import { missingTools } from '../support/tools.ts';

/** Compares filters with libpcap, by tcpdump without its optimizer. */

const FRAMES = 600;
const FILTERS = 160;

test('filters match the frames that tcpdump matches', { skip: missingTools('tcpdump') }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-filters-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const random = new Random(fuzzSeed());
  const frames = Array.from({ length: FRAMES }, () => capturedFrame(random, true));
  const file = join(directory, 'frames.pcap');
  writeFileSync(file, pcapOf(frames));
  let [matched, decided] = [0, 0];
  for (let count = 0; count < fuzzCases(FILTERS); count++) {
    const filter = filterText(random);
    // -O, since libpcap's optimizer skips reads, which matters for cut frames. The time of a record is its number.
    const { status, stdout, stderr } = await run(['tcpdump', '-O', '-qnn', '-tt', '-r', file, '--', filter]);
    assert.equal(status, 0, `${filter}: ${stderr}`);
    const isMatch = compileFilter(filter);
    const ours = frames.flatMap((frame, index) => (isMatch(frame, 0, frame.length) ? [index] : []));
    const theirs = [...stdout.matchAll(/^(\d+)\.000000 /gm)].map(([, second]) => Number(second));
    assert.deepEqual(ours, theirs, `seed ${random.seed}: ${filter}`);
    matched += ours.length;
    if (ours.length > 0 && ours.length < FRAMES) decided++;
  }
  t.diagnostic(`${matched} matches; ${decided} filters matched some frames and not all`);
  assert.ok(decided > FILTERS / 3);
});
