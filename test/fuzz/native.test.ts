import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fuzzCases, fuzzSeed } from '../support/random.ts';
import { missingTools } from '../support/tools.ts';

const SANITIZERS = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

interface Part {
  readonly driver: string;
  readonly sources: readonly string[];
  readonly cases: number;
  readonly what: string;
  /** further arguments of the compiler */
  readonly flags?: readonly string[];
}

/** The headers that came with this Node; its ciphers are in its own binary, so that those of the system stand in. */
const NODE_HEADERS = join(dirname(dirname(realpathSync(process.execPath))), 'include/node');
const CIPHERS = ['-I', NODE_HEADERS, '-Wl,--no-as-needed', '-l:libcrypto.so.3'];

function sourcesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.c'))
    .map((file) => join(folder, file));
}

/** The parts of the addon that know no Node-API, and what is done to them. */
const PARTS: readonly Part[] = [
  {
    driver: 'offload_fuzz.c',
    sources: sourcesIn('native/offload'),
    cases: fuzzCases(50_000),
    what: 'lying super-frames, disturbed flows',
  },
  {
    driver: 'messages_fuzz.c',
    sources: ['native/datapath/websocket_messages.c'],
    cases: fuzzCases(50_000),
    what: 'spoiled WebSocket messages',
  },
  {
    driver: 'flows_fuzz.c',
    sources: ['native/datapath/flow_table.c', 'native/datapath/control_frame.c', ...sourcesIn('native/offload')],
    cases: fuzzCases(50_000),
    what: 'runs of frames that follow flows, or must not',
  },
  {
    driver: 'records_fuzz.c',
    sources: ['native/datapath/tls_records.c', ...sourcesIn('native/crypto')],
    cases: fuzzCases(5_000),
    what: 'spoiled TLS records',
    flags: CIPHERS,
  },
  {
    driver: 'datapath_fuzz.c',
    sources: [...sourcesIn('native/datapath'), ...sourcesIn('native/crypto'), ...sourcesIn('native/offload')],
    cases: fuzzCases(300),
    what: 'the data path in a host that opens, pauses and closes in every state',
    flags: [...CIPHERS, '-lm'],
  },
];

for (const { driver, sources, cases, what, flags = [] } of PARTS) {
  test(`${cases} cases of ${what} under AddressSanitizer`, { skip: missingTools('cc') }, (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'etherws-fuzz-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const program = join(directory, 'fuzz');
    const compile = (source: readonly string[]) =>
      spawnSync('cc', ['-g', '-O1', '-std=gnu11', '-D_GNU_SOURCE', ...SANITIZERS, ...source, '-o', program], {
        encoding: 'utf8',
        input: 'int main(void) { return 0; }',
      });
    if (compile(['-x', 'c', '-']).status !== 0) return t.skip('needs the sanitizers of cc: apt install gcc');

    const compiled = compile([join('native/fuzz', driver), ...sources, ...flags]);
    assert.equal(compiled.status, 0, compiled.stderr);
    const seed = fuzzSeed();
    t.diagnostic(`FUZZ_SEED=${seed}`);
    const run = spawnSync(program, [String(seed), String(cases)], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);
    assert.equal(run.stdout, `${cases} cases with seed ${seed}\n`);
  });
}
