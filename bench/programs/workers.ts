import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * Prints how many frames of 60 octets a switch relays a second with one and with two processes, by 8 pairs of raw tunnels. The load
 * (relay-load.c) takes a tenth of a processor, so that both processors are left to the switch.
 *
 *   npm run build && node dist/bench/programs/workers.js [SECONDS] [ROUNDS]
 */

const SWITCH = fileURLToPath(new URL('../../bundle/cli/etherws.js', import.meta.url));
const SOURCE = fileURLToPath(new URL('../../../bench/programs/relay-load.c', import.meta.url));
const [seconds, rounds] = [Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 3)];
const FRAMES_PER_BLOCK = 200;
const PAIRS = 8;
/** The longest start and end of a switch on a busy machine. */
const START_MS = 60_000;

async function start(workers: number): Promise<{ child: ChildProcess; port: string }> {
  const options = ['--foreground', '--logformat', 'json', '--host', '127.0.0.1', '--port', '0', '--ctlport', '0'];
  const child = spawn(process.execPath, [SWITCH, 'sw', ...options, '--workers', String(workers)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const signal = AbortSignal.timeout(START_MS);
  while (!log.includes('"msg":"ready"')) await once(child.stderr as NodeJS.ReadableStream, 'data', { signal });
  return { child, port: /"service":"tunnels".*?"port":(\d+)/.exec(log)?.[1] ?? '' };
}

async function measure(load: string, workers: number, order: 'near' | 'far'): Promise<number> {
  const { child, port } = await start(workers);
  const words = ['127.0.0.1', port, String(PAIRS), String(FRAMES_PER_BLOCK), String(seconds), order];
  const [frames = 0, used = 0] = execFileSync(load, words, { encoding: 'utf8' }).split(' ').map(Number);
  child.kill();
  await once(child, 'exit', { signal: AbortSignal.timeout(START_MS) });
  console.log(
    `${workers} process(es), ${order}: ${(frames / 1e6).toFixed(2)} million frames/s; the load took ${used} processors`,
  );
  return frames;
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number;

const directory = mkdtempSync(join(tmpdir(), 'etherws-workers-bench-'));
const program = join(directory, 'relay-load');
execFileSync('cc', ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-o', program, SOURCE]);
const rates: { one: number[]; near: number[]; far: number[] } = { one: [], near: [], far: [] };
for (let round = 0; round < rounds; round++) {
  rates.one.push(await measure(program, 1, 'near'));
  rates.near.push(await measure(program, 2, 'near'));
  rates.far.push(await measure(program, 2, 'far'));
}
const [one, near, far] = [median(rates.one), median(rates.near), median(rates.far)];
console.log(
  `2 of 1, both ends of a pair in one process: ${(near / one).toFixed(2)}; in two: ${(far / one).toFixed(2)}`,
);
rmSync(directory, { recursive: true });
