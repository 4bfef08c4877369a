import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openLab } from './lab-test.ts';

test('two hosts reach each other over a link, and nothing is left of them', async (t) => {
  const lab = await openLab(t, 'ping');
  if (lab === undefined) return;
  const a = await lab.host('a');
  const b = await lab.host('b');
  await lab.link(
    { host: a, device: 'eth0', addresses: ['192.0.2.1/24', '2001:db8::1/64'] },
    { host: b, device: 'eth0', addresses: ['192.0.2.2/24', '2001:db8::2/64'] },
  );
  await a.check(['ping', '-c1', '-W5', '192.0.2.2']);
  await b.check(['ping', '-c1', '-W5', '2001:db8::1']);

  // A process that a test does not end, even a daemon in its own session, ends with the laboratory.
  const forgotten = a.spawn(['sleep', '1000']);
  const parent = a.spawn(['bash', '-c', 'setsid sleep 1001 >/dev/null 2>&1 & echo started']);
  await parent.output(/started/);
  const { directory } = lab;
  const pids = [a.pid, b.pid];
  await lab.close();
  assert.equal((await forgotten.exited).signal ?? (await forgotten.exited).status, 'SIGKILL');
  for (const pid of pids) assert.equal(isRunning(pid), false);
  assert.equal(existsSync(directory), false);
});

test('signals reach the program in the host, not what brought it there', async (t) => {
  const lab = await openLab(t);
  if (lab === undefined) return;
  const host = await lab.host('a');
  const program = host.spawn([
    'bash',
    '-c',
    'trap "echo caught; exit 7" TERM; echo up; while :; do read -t 1 < <(:); done',
  ]);
  await program.output(/up/);
  program.signal('SIGTERM');
  const { status, stdout } = await program.exited;
  assert.equal(stdout, 'up\ncaught\n');
  assert.equal(status, 7);
});

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
