import { Command, InvalidArgumentError } from 'commander';

const MS_PER_MINUTE = 60_000;
const MOST_HOURS = 500;

/** The options of the command line. */
export interface SoakOptions {
  readonly durationMs: number;
  /** The run also ends when each kind of fault has happened so often. */
  readonly rounds: number;
  /** Equal seeds choose equal faults. */
  readonly seed: number;
}

/** Parses the command line. Commander prints help and errors itself, and ends the process. */
export function parseOptions(argv: readonly string[]): SoakOptions {
  const { minutes, hours, rounds, seed } = new Command('npm run soak --')
    .description('Runs switches under full load through random faults, and tells what did not come back as it was.')
    .option('--minutes <n>', 'how long (default: 10)', positive)
    .option('--hours <n>', 'how long', positive)
    .option(
      '--rounds <n>',
      'every kind of fault so often, one a second after the other, however long that takes',
      positive,
    )
    .option('--seed <n>', 'the faults of an earlier run', whole)
    .addHelpText('after', '\nIt needs root or user namespaces, iperf3, iproute2, nftables, ping, openssl and htpasswd.')
    .parse([...argv], { from: 'user' })
    .opts<{ minutes?: number; hours?: number; rounds?: number; seed?: number }>();
  const total = hours === undefined ? (minutes ?? 10) : hours * 60 + (minutes ?? 0);
  return {
    durationMs: rounds === undefined ? total * MS_PER_MINUTE : Number.POSITIVE_INFINITY,
    rounds: rounds ?? Number.POSITIVE_INFINITY,
    seed: seed ?? Math.floor(Math.random() * 2 ** 31),
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= MOST_HOURS))
    throw new InvalidArgumentError(`It must be above 0 and at most ${MOST_HOURS}.`);
  return value;
}

function whole(text: string): number {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value >= 0)) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}
