#!/usr/bin/env node
import { runCommandLine } from './program.ts';
import { PROCESS_TERMINAL } from './terminal.ts';

// Whoever reads may stop early (`etherws ctl listfdb | head`): no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), PROCESS_TERMINAL);
