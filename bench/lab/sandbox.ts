import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

const INSIDE = 'ETHERWS_BENCH_INSIDE';
const LIFELINE_FD = 3;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs this very program again in namespaces of its own (mount, network,
 * process, and user where it is not root), so that nothing it makes can outlive
 * it: when it ends, however it ends, the kernel ends its processes and takes
 * its network namespaces, devices and mounts with them.
 *
 * @returns true inside, where the work is to be done; false outside, once the
 *   inner one has ended and its status has become ours
 */
export async function enterSandbox(): Promise<boolean> {
  if (process.env[INSIDE] !== undefined) {
    dieWithTheOuterOne();
    return true;
  }
  const isRoot = process.getuid?.() === 0;
  const flags = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  if (!isRoot) flags.unshift('--user', '--map-root-user');
  // Here iproute2 keeps its namespaces, SoftEther its locks, and we our temporary files.
  const script = 'mount -t tmpfs tmpfs /run && exec "$@"';
  const child = spawn(
    'unshare',
    [...flags, 'sh', '-c', script, 'sh', process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    { stdio: ['inherit', 'inherit', 'inherit', 'pipe'], env: { ...process.env, [INSIDE]: '1', TMPDIR: '/run' } },
  );
  // unshare passes no signal on, and the inner one ends with its lifeline.
  for (const signal of SIGNALS) process.on(signal, () => child.stdio[LIFELINE_FD]?.destroy());
  process.exitCode = await new Promise<number>((resolve) => {
    child.on('error', (error) => {
      process.stderr.write(`unshare does not start (${error.message}): apt install util-linux\n`);
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
  return false;
}

function dieWithTheOuterOne(): void {
  const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false });
  lifeline.on('error', () => process.exit(1)).on('close', () => process.exit(1));
  lifeline.resume().unref();
  // The first process of a namespace has no default action for signals.
  for (const signal of SIGNALS) process.on(signal, () => process.exit(130));
}
