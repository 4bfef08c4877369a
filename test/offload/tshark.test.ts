import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FrameBatch } from '../../src/wire/ethernet/frame-batch.ts';
import { type OffloadEngine, portableEngine } from '../../src/wire/offload/engine.ts';
import { MAX_FINISHED_BYTES } from '../../src/wire/offload/gso.ts';
import { ABSENT, checksumsIn, GOOD } from '../support/checksum-judge.ts';
import { framesOf } from '../support/frames.ts';
import { honestTemplates } from '../support/hostile-frames.ts';
import { ADDON_HINT, builtEngine } from '../support/offload-addon.ts';
import { pcapOf } from '../support/pcap.ts';
import { missingTools } from '../support/tools.ts';

function judged(frames: readonly Buffer[]): string[][] {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-tshark-'));
  try {
    const file = join(directory, 'finished.pcap');
    writeFileSync(file, pcapOf(frames));
    return checksumsIn(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

for (const [name, engine] of [
  ['portable', portableEngine],
  ['native', builtEngine()],
] as [string, OffloadEngine | undefined][]) {
  const skip = engine === undefined ? ADDON_HINT : missingTools('tshark');
  test(`tshark finds no bad checksum in what the ${name} engine has finished`, { skip }, () => {
    assert.ok(engine !== undefined);
    const out = new FrameBatch(Buffer.alloc(MAX_FINISHED_BYTES));
    for (const template of honestTemplates()) assert.equal(engine.finish(template, 0, out), undefined);
    const frames = framesOf(out);
    const verdicts = judged(frames).map((columns) =>
      columns.flatMap((column) => (column === '' ? [] : column.split(','))),
    );
    assert.equal(verdicts.length, frames.length);
    for (const [index, verdict] of verdicts.entries()) {
      const isSound = verdict.includes(GOOD) && verdict.every((status) => status === GOOD || ABSENT.includes(status));
      assert.ok(isSound, `frame ${index + 1}: ${verdict}`);
    }
    // IPv4, UDP, and once more inside: that it has looked into encapsulations.
    assert.ok(verdicts.some((verdict) => verdict.filter((status) => status === GOOD).length === 4));
    // And the judge is awake: one octet changed is found.
    const spoiled = Buffer.from(frames[0] as Buffer);
    spoiled[spoiled.length - 1] = (spoiled[spoiled.length - 1] as number) ^ 1;
    assert.notEqual(judged([spoiled])[0]?.[1], GOOD);
  });
}
