#!/usr/bin/env node
// No static imports: with a low limit of open files, or without the packages that it needs, Node fails to load modules,
// and only this file can report it.
try {
  const { main } = await import('./main.ts');
  process.exitCode = await main();
} catch (error) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EMFILE' || code === 'ENFILE') {
    process.stderr.write(
      '  The limit of open files is too low for Node to load this program (DESCRIPTORS_USED_UP)\n' +
        '  Raise it, as root: ulimit -n 16384, or LimitNOFILE=16384 in its systemd unit\n',
    );
  } else if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    const [what] = String((error as Error).message).split('\n', 1);
    process.stderr.write(
      `  A package that etherws needs is missing: ${what} (PACKAGE_MISSING)\n` +
        '  In a checkout run: npm ci. An installed etherws is to be installed again\n',
    );
  } else throw error;
  process.exitCode = 1;
}
