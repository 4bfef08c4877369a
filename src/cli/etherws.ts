#!/usr/bin/env node
// No static imports: with a low limit of open files Node fails to load modules, and only this file can report it.
try {
  const { main } = await import('./main.ts');
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE'))) throw error;
  process.stderr.write(
    '  The limit of open files is too low for Node to load this program (DESCRIPTORS_USED_UP)\n' +
      '  Raise it, as root: ulimit -n 16384, or LimitNOFILE=16384 in its systemd unit\n',
  );
  process.exitCode = 1;
}
