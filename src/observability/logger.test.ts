import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../test/support/process.ts';

const LOGGER = new URL('./logger.js', import.meta.url).href;
const ERRORS = new URL('../errors.js', import.meta.url).href;

/** Logs two errors, as a separate process, since a logger writes to standard error. */
const PROGRAM = `
const { createLogger } = await import('${LOGGER}');
const { EtherwsError } = await import('${ERRORS}');
const logger = await createLogger({ isDebug: false, format: process.argv[1], sendDatagram: () => undefined });
logger.warn({ error: new EtherwsError('FILE_UNWRITABLE', 'the disk is full', { hint: 'Make room' }) }, 'one');
logger.warn({ error: new Error('it is broken') }, 'two');
`;

for (const format of ['json', 'text']) {
  test(`an error in a line is its message and its hint, without a stack trace: ${format}`, async () => {
    const command = [process.execPath, '--input-type=module', '--eval', PROGRAM, '--', format];
    const { status, stderr } = await run(command);
    assert.equal(status, 0, stderr);
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.length, 2, stderr);
    assert.match(lines[0] ?? '', /"error":"the disk is full\. Make room"/);
    assert.match(lines[1] ?? '', /"error":"it is broken"/);
  });
}
