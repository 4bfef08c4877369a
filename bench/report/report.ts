import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { TOLERATED_STOLEN } from '../quietly.ts';
import { plotResults } from './plot.ts';
import type { Results } from './results.ts';
import { resultTables } from './tables.ts';

const PAGE = 'docs/reference/performance.md';
const PLOT = 'docs/reference/performance.svg';
const BEGIN = '<!-- bench:begin: written by npm run bench -- --publish -->';
const END = '<!-- bench:end -->';

/** Writes the results as JSON, and the plot beside them. */
export function writeResults(results: Results, jsonFile: string): void {
  mkdirSync(dirname(jsonFile), { recursive: true });
  writeFileSync(jsonFile, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(jsonFile.replace(/(\.json)?$/, '.svg'), plotResults(results));
}

/** The report for the terminal. */
export function printedReport(results: Results): string {
  const absent = absentOnes(results);
  const failures = results.failures.map(
    ({ repetition, contestant, stage, message }) => `${contestant}, ${stage}, repetition ${repetition}: ${message}`,
  );
  return [
    resultTables(results),
    disturbanceOf(results),
    ...(absent.length === 0 ? [] : [`Not measured:\n${bullets(absent)}`]),
    ...(failures.length === 0 ? [] : [`Failed:\n${bullets(failures)}`]),
  ].join('\n\n');
}

/** Writes the results between the marks in docs/reference/performance.md, and the plot beside it. */
export function publish(results: Results): void {
  const page = readFileSync(PAGE, 'utf8');
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has lost its marks "${BEGIN}" and "${END}"`);
  const section = `${BEGIN}\n\n${publishedSection(results)}\n\n`;
  writeFileSync(PAGE, page.slice(0, begin) + section + page.slice(end));
  writeFileSync(PLOT, plotResults(results));
}

function publishedSection(results: Results): string {
  const facts = Object.entries(results.machine).map(([name, value]) => `${name}: ${value}`);
  const versions = Object.values(results.contestants).map(({ title, version }) => `${title}: ${version}`);
  const absent = absentOnes(results);
  // Failures are listed, since they leave fewer repetitions than the first line says. Their messages are not published.
  const failures = results.failures.map(
    ({ repetition, contestant, stage }) => `${contestant}, ${stage}, repetition ${repetition}`,
  );
  return [
    `Measured ${results.startedAt.slice(0, 10)} by \`${results.command}\`: medians of ${results.disturbed.length === 0 ? '' : 'at most '}${results.repetitions}, flows of ${results.seconds} s.`,
    '![Throughput, small packets and latency](performance.svg)',
    resultTables(results),
    `### Machine\n\n${bullets([...facts, disturbanceOf(results)])}`,
    `### Versions\n\n${bullets(versions)}`,
    ...(absent.length === 0 ? [] : [`### Not measured\n\n${bullets(absent)}`]),
    ...(failures.length === 0 ? [] : [`### Failed, and left out of the medians\n\n${bullets(failures)}`]),
  ].join('\n\n');
}

/** How many measurements the machine's host disturbed. */
function disturbanceOf({ stolen, disturbed }: Results): string {
  const counts = stolen.filter((share) => share > TOLERATED_STOLEN).length - disturbed.length;
  const leftOut = new Map<string, number>();
  for (const { contestant } of disturbed) leftOut.set(contestant, (leftOut.get(contestant) ?? 0) + 1);
  const byContestant = [...leftOut].map(([contestant, count]) => `${contestant} ${count}`).join(', ');
  return [
    `The host took more than ${TOLERATED_STOLEN * 100} % of the processors from ${counts} of the ${stolen.length - disturbed.length} measurements that count`,
    ...(disturbed.length === 0 ? [] : [`and too much from ${disturbed.length} that were left out: ${byContestant}`]),
  ].join(', ');
}

function absentOnes(results: Results): string[] {
  return Object.entries(results.absent).map(([title, reason]) => `${title}: ${reason}`);
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}
