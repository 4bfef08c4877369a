import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const PLANTS = [
  { file: 'datapath/forward.c', line: '#include <node_api.h>', says: /forward\.c includes node_api\.h/ },
  { file: 'datapath/forward.c', line: '#include <uv.h>', says: /forward\.c includes uv\.h/ },
  { file: 'datapath/window.c', line: '#include "../node/values.h"', says: /datapath may not include node/ },
  { file: 'offload/check.c', line: '#include "../datapath/frames.h"', says: /offload may not include datapath/ },
  { file: 'crypto/openssl.c', line: '#include "../datapath/frames.h"', says: /crypto may not include datapath/ },
  { file: 'datapath/stream.c', line: '#include "tunnel.h"', says: /circle: .*datapath\/stream/ },
  { file: 'datapath/stream.c', line: '#include "missing.h"', says: /not there/ },
];

function check(folder: string) {
  return spawnSync(process.execPath, ['scripts/include-graph.mjs', folder], { encoding: 'utf8' });
}

test('the include graph of native/ has its walls, and no circle', () => {
  const { status, stderr } = check('native');
  assert.equal(stderr, '');
  assert.equal(status, 0);
});

for (const { file, line, says } of PLANTS) {
  test(`${line} in ${file} is refused`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'etherws-includes-'));
    t.after(() => rmSync(folder, { recursive: true }));
    cpSync('native', folder, { recursive: true });
    appendFileSync(join(folder, file), `${line}\n`);
    const { status, stderr } = check(folder);
    assert.match(stderr, says);
    assert.equal(status, 1);
  });
}
