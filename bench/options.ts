import { Command, InvalidArgumentError, Option } from 'commander';
import type { Pace } from './measurement.ts';

/** The options of the command line. */
export interface BenchOptions extends Pace {
  readonly only: readonly string[];
  /** Names of measurements; empty: all. */
  readonly measure: readonly string[];
  /** The same for references (`Contestant.isAside`); empty: all. */
  readonly asideMeasure: readonly string[];
  readonly repetitions: number;
  /** The total time for repeating measurements that the machine's host disturbs. */
  readonly patienceMinutes: number;
  readonly jsonFile: string;
  readonly isPublished: boolean;
  /** The Node that runs the switches. */
  readonly node: string;
  readonly nodeOptions: readonly string[];
  /** TCP's congestion control in all labs; undefined: that of this machine. */
  readonly congestion: string | undefined;
  /** The directory of another built clone, which is measured alternating with this one; undefined: none. */
  readonly against: string | undefined;
}

const DEFAULT_JSON_FILE = 'bench/results/latest.json';
const LONG = {
  repetitions: 5,
  patienceMinutes: 30,
  seconds: 5,
  trialSeconds: 1,
  only: [],
  measure: [],
  asideMeasure: [],
};
const SHORT = {
  repetitions: 1,
  patienceMinutes: 0,
  seconds: 2,
  trialSeconds: 0.5,
  only: [],
  measure: [],
  asideMeasure: [],
};
/** All that has a target, and the most important figures of references. */
const QUICK = {
  repetitions: 5,
  patienceMinutes: 15,
  seconds: 2,
  trialSeconds: 0.5,
  only: [
    ...['veth', 'floor', 'etherws', 'etherws-tls', 'etherws-tls-openssl', 'floor-sealed', 'floor-plain', 'etherws-raw'],
    ...['etherws-policy', 'etherws-managed', 'etherws-relay'],
    ...['softether', 'openvpn', 'tinc', 'vde', 'n2n', 'softether-relay', 'openvpn-relay', 'tinc-relay'],
  ],
  measure: [],
  asideMeasure: ['memory', 'one-flow', 'four-flows', 'rtt-idle', 'rtt-load', 'relay'],
};

/** The contestants of a comparison of two builds of etherws. */
const COMPARED = ['etherws', 'etherws-tls', 'etherws-policy', 'etherws-raw', 'etherws-relay'];

/** Parses the command line. Commander prints help and errors itself, and ends the process. */
export function parseOptions(
  argv: readonly string[],
  contestants: readonly string[],
  measurements: readonly string[],
): BenchOptions {
  const options = new Command('npm run bench --')
    .description('Measures etherws against the C floor and the peers that are installed, in network namespaces.')
    .option('--short', 'under five minutes: one repetition, short flows; peers only while time is left')
    .addOption(
      new Option(
        '--quick',
        '75 minutes: medians of five over short flows, less of what is there to compare with',
      ).conflicts('short'),
    )
    .option('--only <names>', `contestants: ${contestants.join(', ')}`, listOf(contestants))
    .option('--measure <names>', `measurements: ${measurements.join(', ')}`, listOf(measurements))
    .option('--repeat <n>', 'repetitions (default: 5, short: 1)', wholeNumber)
    .option(
      '--patience <minutes>',
      "how long to repeat in all what the machine's host disturbs (default: 30, quick: 15, short: 0)",
      wholeNumberOrNone,
    )
    .option('--seconds <n>', 'length of a flow (default: 5, short and quick: 2)', wholeNumber)
    .option('--json <file>', 'where the results go', DEFAULT_JSON_FILE)
    .option(
      '--publish',
      'write the tables and the plot into docs/reference/performance.md and docs/reference/performance.svg',
    )
    .option('--node <path>', 'another Node for the switches', process.execPath)
    .option('--against <directory>', 'another built clone of etherws: it and this one by turns, and ratios of medians')
    .option('--congestion <name>', "TCP's congestion control in every lab (default: this machine's)")
    .addOption(new Option('--node-option <option...>', 'option of Node for the switches, say --cpu-prof').default([]))
    .addHelpText('after', '\nIt needs root or user namespaces, iperf3, iproute2, ping and a C compiler.')
    .parse([...argv], { from: 'user' })
    .opts<{
      short?: boolean;
      quick?: boolean;
      only?: string[];
      measure?: string[];
      repeat?: number;
      patience?: number;
      seconds?: number;
      json: string;
      publish?: boolean;
      node: string;
      congestion?: string;
      against?: string;
      nodeOption: string[];
    }>();
  const isShort = options.short === true;
  const defaults = isShort ? SHORT : options.quick === true ? QUICK : LONG;
  return {
    isShort,
    only: options.only ?? (options.against === undefined ? defaults.only : COMPARED),
    measure: options.measure ?? defaults.measure,
    asideMeasure: options.measure ?? defaults.asideMeasure,
    repetitions: options.repeat ?? defaults.repetitions,
    patienceMinutes: options.patience ?? defaults.patienceMinutes,
    seconds: options.seconds ?? defaults.seconds,
    trialSeconds: defaults.trialSeconds,
    jsonFile: options.json,
    isPublished: options.publish === true,
    node: options.node,
    nodeOptions: options.nodeOption,
    congestion: options.congestion,
    against: options.against,
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

/** iperf3 and ping would silently drop a fraction. */
function wholeNumber(text: string): number {
  const value = wholeNumberOrNone(text);
  if (value === 0) throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}

function wholeNumberOrNone(text: string): number {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value >= 0)) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}
