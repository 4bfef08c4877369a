import { Command, InvalidArgumentError, Option } from 'commander';

/** What the command line asks for. */
export interface BenchOptions {
  readonly isShort: boolean;
  readonly only: readonly string[];
  readonly measure: readonly string[];
  readonly repetitions: number;
  readonly seconds: number;
  readonly jsonFile: string;
  readonly isPublished: boolean;
  readonly nodeOptions: readonly string[];
}

const DEFAULT_JSON_FILE = 'bench/results/latest.json';
const LONG = { repetitions: 5, seconds: 5 };
const SHORT = { repetitions: 1, seconds: 2 };

/** Reads the command line; on `--help` and on mistakes commander answers and ends the program. */
export function parseOptions(
  argv: readonly string[],
  contestants: readonly string[],
  measurements: readonly string[],
): BenchOptions {
  const options = new Command('npm run bench --')
    .description('Measures etherws against the C floor and the peers that are installed, in network namespaces.')
    .option('--short', 'under five minutes: one repetition, short flows; peers only while time is left')
    .option('--only <names>', `contestants: ${contestants.join(', ')}`, listOf(contestants), [])
    .option('--measure <names>', `measurements: ${measurements.join(', ')}`, listOf(measurements), [])
    .option('--repeat <n>', 'repetitions (default: 5, short: 1)', positiveNumber)
    .option('--seconds <n>', 'length of a flow (default: 5, short: 2)', positiveNumber)
    .option('--json <file>', 'where the results go', DEFAULT_JSON_FILE)
    .option('--publish', 'write the tables and the plot into docs/performance.md and docs/performance.svg')
    .addOption(new Option('--node-option <option...>', 'option of Node for the switches, say --cpu-prof').default([]))
    .addHelpText('after', '\nIt needs root or user namespaces, iperf3, iproute2, ping and a C compiler.')
    .parse([...argv], { from: 'user' })
    .opts<{
      short?: boolean;
      only: string[];
      measure: string[];
      repeat?: number;
      seconds?: number;
      json: string;
      publish?: boolean;
      nodeOption: string[];
    }>();
  const isShort = options.short === true;
  const defaults = isShort ? SHORT : LONG;
  return {
    isShort,
    only: options.only,
    measure: options.measure,
    repetitions: Math.ceil(options.repeat ?? defaults.repetitions),
    seconds: options.seconds ?? defaults.seconds,
    jsonFile: options.json,
    isPublished: options.publish === true,
    nodeOptions: options.nodeOption,
  };
}

function listOf(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const names = text.split(',').filter((name) => name !== '');
    const unknown = names.filter((name) => !known.includes(name));
    if (unknown.length > 0) throw new InvalidArgumentError(`No such name: ${unknown.join(', ')}.`);
    return names;
  };
}

function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}
