import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FindingEntry } from '../../src/control/finding-entries.ts';
import { createAuthority } from '../support/certificates.ts';
import { ETHERWS } from '../support/etherws.ts';
import { run } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

test('a running switch is examined by its API: its host, its certificate and its limits', {
  skip: missingTools('openssl'),
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-findings-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const authority = await createAuthority(directory);
  const { key, certificate } = await authority.issue('switch', ['localhost', '127.0.0.1']);
  const tls = ['--ctlsslkey', key, '--ctlsslcert', certificate, '--max-tunnels', '1'];
  const lan = await SwitchProcess.start(t, tls, {}, readFileSync(authority.certificate));
  const { entries } = await lan.call<{ entries: FindingEntry[] }>('listFinding');
  const results = new Map(entries.map(({ check, result, found }) => [check, `${result}: ${found}`]));
  assert.match(results.get('control TLS') ?? '', /^(ok|warn): the certificate is valid until \d{4}-/);
  assert.match(results.get('addon') ?? '', /^ok: loaded/);
  assert.match(results.get('limits') ?? '', /^ok: none is near/);
  assert.equal(results.has('tunnels TLS'), false, 'that service has no certificate');
  assert.equal(results.has('low ports'), false, 'the listeners are open already');
  for (const { check, result, advice } of entries) assert.equal(advice === null, result === 'ok', check);

  const ctl = (...words: string[]) => {
    const way = ['--ctlurl', `https://localhost:${lan.controlPort}/ctl`, '--ctlsslcert', authority.certificate];
    return run([...ETHERWS, 'ctl', ...way, ...words]);
  };
  const well = await ctl('doctor');
  assert.match(well.stdout, /^ok {4}addon {10}loaded$/m, well.stderr);
  await lan.call('addPort', { type: 'client', target: 'ws://127.0.0.1:1/', options: { wait: false } });
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${lan.tunnelPort}/`);
  t.after(() => tunnel.terminate());
  await once(tunnel, 'open');
  const full = await ctl('doctor');
  assert.equal(full.status, 1, full.stdout);
  assert.match(full.stdout, /^fail {2}--max-tunnels {2}1 of 1 used, 100 %\n {21}Raise it/m);
  assert.match(full.stdout, /^warn {2}ports {10}of 2 ports: 1 (backoff|connecting)$/m);
});
