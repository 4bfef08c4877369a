import { spawn } from 'node:child_process';

const MARK = 'ETHERWS_DAEMON';

/** Whether this process is the daemon that `launchDaemon` started. */
export function isDaemon(): boolean {
  return process.env[MARK] === '1' && process.send !== undefined;
}

/**
 * Starts the same command again as a daemon: in a new session, with standard input and
 * output at /dev/null. Until it is ready it shares our standard error, so
 * that its warnings and errors appear on the terminal of the command.
 *
 * @returns the exit status for this process: 0 after `reportReady`, the daemon's
 *   status if it ended before
 */
export function launchDaemon(): Promise<number> {
  const daemon = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    env: { ...process.env, [MARK]: '1' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    daemon.once('error', reject);
    daemon.once('exit', (status) => resolve(status === null || status === 0 ? 1 : status));
    daemon.once('message', () => {
      daemon.disconnect();
      daemon.unref();
      resolve(0);
    });
  });
}

/** In the daemon: tells the waiting parent that all services listen, and leaves its directory. */
export async function reportReady(): Promise<void> {
  await new Promise<void>((resolve) => {
    process.once('disconnect', resolve);
    process.send?.('ready');
  });
  delete process.env[MARK];
  process.chdir('/');
}
