import { spawnSync } from 'node:child_process';

const CHECKED = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);
// Of frames that hold several headers of a kind, as encapsulated ones do, one column has all of them, by commas.
const COLUMNS = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-e', `${protocol}.checksum.status`]);

/** What tshark calls a checksum that is right. */
export const GOOD = '1';
/** And 0, with which UDP goes without one: over IPv4, and over IPv6, where only tunnels may (RFC 6935). */
export const ABSENT: readonly string[] = ['3', '4'];

/**
 * Asks tshark for the checksums in a capture.
 * @returns for each frame the status of its IPv4, TCP and UDP checksum; '' for one that it has not
 */
export function checksumsIn(pcapFile: string): string[][] {
  const args = ['-n', '-r', pcapFile, ...CHECKED, '-T', 'fields', ...COLUMNS];
  const run = spawnSync('tshark', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (run.status !== 0) throw new Error(`tshark: ${run.stderr}`);
  // Only the last line's end is no frame: one without any checksum is a line of tabs, or empty.
  return run.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
}
