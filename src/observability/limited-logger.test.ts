import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitInfo } from './limited-logger.ts';
import { type Logger, SILENT } from './logger.ts';

test('a flood is cut, and what is missing is counted', () => {
  const said: object[] = [];
  const logger: Logger = { ...SILENT, info: (fields) => said.push(fields), warn: () => said.push({ warned: true }) };
  let nowMs = 0;
  const limited = limitInfo(logger, { burst: 3, perSecond: 2, now: () => nowMs });
  for (let index = 0; index < 10; index++) limited.info({ index }, 'refused');
  limited.warn({}, 'others are not cut');
  nowMs = 500;
  for (let index = 10; index < 13; index++) limited.info({ index }, 'refused');
  nowMs = 60_000;
  for (let index = 13; index < 20; index++) limited.info({ index }, 'refused');
  assert.deepEqual(said, [
    { index: 0 },
    { index: 1 },
    { index: 2 },
    { warned: true },
    { index: 10, notLogged: 7 },
    { index: 13, notLogged: 2 },
    { index: 14 },
    { index: 15 },
  ]);
});
