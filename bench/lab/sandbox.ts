import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

const INSIDE = 'ETHERWS_BENCH_INSIDE';
const LIFELINE_FD = 3;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs the same program again in new namespaces (mount, network, process, and user if
 * it is not root). When it ends, in whatever way, the kernel ends its processes and
 * removes its network namespaces, devices and mounts.
 *
 * @returns true in the inner process, which does the work; false in the outer one, after
 *   the inner one has ended and its status has become that of the outer one
 */
export async function enterSandbox(): Promise<boolean> {
  if (process.env[INSIDE] !== undefined) {
    exitWithOuterProcess();
    return true;
  }
  const isRoot = process.getuid?.() === 0;
  const flags = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  if (!isRoot) flags.unshift('--user', '--map-root-user');
  // A new /run for the namespaces of iproute2, the locks of SoftEther, and temporary files.
  const script = 'mount -t tmpfs tmpfs /run && exec "$@"';
  const child = spawn(
    'unshare',
    [...flags, 'sh', '-c', script, 'sh', process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    { stdio: ['inherit', 'inherit', 'inherit', 'pipe'], env: { ...process.env, [INSIDE]: '1', TMPDIR: '/run' } },
  );
  // unshare does not forward signals. Closing the lifeline ends the inner process.
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

function exitWithOuterProcess(): void {
  const lifeline = new Socket({ fd: LIFELINE_FD, readable: true, writable: false });
  lifeline.on('error', () => process.exit(1)).on('close', () => process.exit(1));
  lifeline.resume().unref();
  // The first process of a PID namespace has no default actions for signals.
  for (const signal of SIGNALS) process.on(signal, () => process.exit(130));
}
