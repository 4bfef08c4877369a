import { spawnSync } from 'node:child_process';

const CHECKED = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);
// For a frame with several headers of a kind, such as an encapsulated one, a column has all values, with commas.
const COLUMNS = ['ip', 'tcp', 'udp'].flatMap((protocol) => ['-e', `${protocol}.checksum.status`]);

/** tshark's status of a valid checksum. */
export const GOOD = '1';
/** tshark's statuses of the UDP checksum 0, which means none: over IPv4, and over IPv6, only for tunnels (RFC 6935). */
export const ABSENT: readonly string[] = ['3', '4'];

/**
 * Has tshark verify the checksums in a capture.
 * @returns for each frame the statuses of its IPv4, TCP and UDP checksum; '' for an absent one
 */
export function checksumsIn(pcapFile: string): string[][] {
  const args = ['-n', '-r', pcapFile, ...CHECKED, '-T', 'fields', ...COLUMNS];
  const run = spawnSync('tshark', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (run.status !== 0) throw new Error(`tshark: ${run.stderr}`);
  // Only the last line feed is removed: a frame without checksums is a line of tabs, or empty.
  return run.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
}
