import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { residentBytesOf } from '../support/examination.ts';
import { openLab } from '../support/lab-test.ts';

const MIB = 1024 * 1024;
const PROGRAM = fileURLToPath(new URL('programs/unread.js', import.meta.url));
/** Small buffers in the kernel for each connection, so that frames soon wait in the switch. */
const SMALL_BUFFERS = ['sysctl', '-qw', 'net.ipv4.tcp_wmem=4096 8192 16384', 'net.ipv4.tcp_rmem=4096 8192 16384'];

interface Crowd {
  readonly lan: EtherwsSwitch;
  /** The peak of the switch's resident memory. */
  readonly peakBytes: () => number;
  readonly begin: () => Promise<void>;
}

async function openCrowd(
  t: TestContext,
  options: string[],
  tunnels: number,
  ...work: string[]
): Promise<Crowd | undefined> {
  const lab = await openLab(t, 'sysctl');
  const host = await lab?.host('lan');
  if (host === undefined) return undefined;
  await host.check(SMALL_BUFFERS);
  const lan = await EtherwsSwitch.start(host, ['--host', '127.0.0.1', '--port', '8000', ...options]);
  const words = [process.execPath, PROGRAM, '8000', String(tunnels), ...work];
  const program = host.spawn(words, { isInteractive: true, timeoutMs: 300_000 });
  await program.output(/^open$/m, 120_000);
  let peakBytes = 0;
  const watch = setInterval(() => {
    // The laboratory may be closed before the timer is.
    if (lan.process.pid !== undefined) peakBytes = Math.max(peakBytes, residentBytesOf(lan.process));
  }, 20);
  t.after(() => clearInterval(watch));
  const begin = async (): Promise<void> => {
    program.write('begin\n');
    await program.output(/^done$/m, 120_000);
  };
  return { lan, peakBytes: () => peakBytes, begin };
}

/** The frames received from the last port, which is the sender's. */
async function received(lan: EtherwsSwitch): Promise<number> {
  return (await lan.ports()).at(-1)?.rx ?? 0;
}

function warnings(lan: EtherwsSwitch): number {
  return lan.process.stderr.split('\n').filter((line) => line.includes('buffers are nearly full')).length;
}

test('a thousand unread tunnels stay below 400 MiB', async (t) => {
  const crowd = await openCrowd(t, [], 1000, 'reads', '600', '1514');
  if (crowd === undefined) return;
  await crowd.begin();
  await eventually(
    () => received(crowd.lan),
    (frames) => frames === 600,
    120_000,
  );
  const ports = await crowd.lan.ports();
  assert.equal(ports.filter(({ state }) => state === 'up').length, 1001, 'frames were lost, and no tunnel');
  assert.equal(warnings(crowd.lan), 1, 'the bound was reached, and that was said once');
  t.diagnostic(`${(crowd.peakBytes() / MIB).toFixed(0)} MiB at most`);
  assert.ok(crowd.peakBytes() < 400 * MIB, `${(crowd.peakBytes() / MIB).toFixed(1)} MiB`);
});

test('what many short flows take besides their frames is bounded, too', async (t) => {
  const crowd = await openCrowd(t, ['--max-buffers', '32'], 200, 'reads', '3000', '60');
  if (crowd === undefined) return;
  const before = residentBytesOf(crowd.lan.process);
  await crowd.begin();
  await eventually(
    () => received(crowd.lan),
    (frames) => frames === 3000,
    120_000,
  );
  const grownBytes = crowd.peakBytes() - before;
  t.diagnostic(`${(grownBytes / MIB).toFixed(0)} MiB more than before`);
  assert.equal(warnings(crowd.lan), 1);
  assert.ok(grownBytes < 112 * MIB, `${(grownBytes / MIB).toFixed(1)} MiB more than before`);
});

test('unfinished messages end the tunnels that hold most, and the others go on', async (t) => {
  const crowd = await openCrowd(t, ['--max-buffers', '32'], 1000, 'sends', '240000');
  if (crowd === undefined) return;
  const before = residentBytesOf(crowd.lan.process);
  await crowd.begin();
  const ports = await eventually(
    () => crowd.lan.ports(),
    (entries) => entries.length < 300,
    120_000,
  );
  const grownBytes = crowd.peakBytes() - before;
  t.diagnostic(`${(grownBytes / MIB).toFixed(0)} MiB more than before, ${ports.length} tunnels left`);
  assert.ok(ports.length > 10, `${ports.length} tunnels are left`);
  assert.ok(grownBytes < 112 * MIB, `${(grownBytes / MIB).toFixed(1)} MiB more than before`);
  assert.equal((await crowd.lan.stop()).status, 0);
});
