import { runCommandLine } from './program.ts';
import { EXIT_FAILURE, EXIT_SUCCESS } from './report.ts';
import { PROCESS_TERMINAL } from './terminal.ts';

let isOutputLost = false;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that stops early (`etherws ctl listfdb | head`) is no failure.
  if (error.code === 'EPIPE' || isOutputLost) return;
  isOutputLost = true;
  process.exitCode = EXIT_FAILURE;
  PROCESS_TERMINAL.complain(`  Cannot write to standard output: ${error.message} (FILE_UNWRITABLE)\n`);
});

/** Runs the command line of this process. @returns its exit status */
export async function main(): Promise<number> {
  const status = await runCommandLine(process.argv.slice(2), PROCESS_TERMINAL);
  return status === EXIT_SUCCESS && isOutputLost ? EXIT_FAILURE : status;
}
