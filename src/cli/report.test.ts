import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigInvalid } from '../config/config-invalid.ts';
import { EtherwsError } from '../errors.ts';
import { EXIT_FAILURE, report } from './report.ts';
import type { Terminal } from './terminal.ts';

function reported(error: unknown): string {
  const said: string[] = [];
  const terminal = { complain: (text: string) => said.push(text) } as unknown as Terminal;
  assert.equal(report(error, terminal), EXIT_FAILURE);
  return said.join('');
}

test('the errors of a configuration file come first, each with its place, and the file behind them', () => {
  const place = { file: 'e.yaml', line: 1, column: 3 };
  const faults = [
    { place, message: 'unknown key "a"' },
    { place: { ...place, line: 2 }, message: 'unknown key "b"' },
  ];
  assert.equal(
    reported(new ConfigInvalid('e.yaml', faults)),
    'e.yaml:1:3: unknown key "a"\ne.yaml:2:3: unknown key "b"\ne.yaml has 2 errors (CONFIG_INVALID)\n',
  );
});

test('what to try comes behind the message, whatever the code is', () => {
  for (const code of ['CONFIG_INVALID', 'FILE_UNREADABLE'] as const)
    assert.equal(
      reported(new EtherwsError(code, 'It failed', { hint: 'Try this' })),
      `  It failed (${code})\n  Try this\n`,
    );
});
