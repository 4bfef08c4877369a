import { MEASUREMENTS } from '../catalogue.ts';
import type { Measurement } from '../measurement.ts';
import { comparisonTable } from './comparison.ts';
import { formatTable, formatValue } from './format.ts';
import { medianOf, type Results, ratioOf } from './results.ts';
import { TARGETS } from './targets.ts';

const REFERENCE = 'floor';
const NOTHING = '–';

/** One table for each measurement, with the ratio to the C floor after each median; then targets and the other build. */
export function resultTables(results: Results): string {
  const sections = MEASUREMENTS.flatMap((measurement) => {
    const table = measurementTable(results, measurement);
    return table === undefined ? [] : [`### ${measurement.title}${turnsIn(results, measurement)}\n\n${table}`];
  });
  const targets = targetTable(results);
  if (targets !== undefined) sections.push(`### Targets, as ratios within this run\n\n${targets}`);
  const comparison = comparisonTable(results);
  if (comparison !== undefined) sections.push(`### This build and the other one\n\n${comparison}`);
  return sections.join('\n\n');
}

/** The note about several turns a repetition, which give each median more values. */
function turnsIn(results: Results, { metrics }: Measurement): string {
  const keys = new Set(metrics.map(({ key }) => key));
  const turns = Math.max(...results.samples.filter(({ metric }) => keys.has(metric)).map(({ turn }) => turn));
  return turns > 1 ? ` (${turns} turns a repetition)` : '';
}

function measurementTable(results: Results, measurement: Measurement): string | undefined {
  const metrics = measurement.metrics.filter(({ key }) => results.samples.some((sample) => sample.metric === key));
  if (metrics.length === 0) return undefined;
  const rows = Object.entries(results.contestants).flatMap(([name, { title }]) => {
    const cells = metrics.map(({ key }) => cell(results, name, key));
    return cells.every((text) => text === NOTHING) ? [] : [[title, ...cells]];
  });
  return formatTable(['', ...metrics.map((metric) => `${metric.title}, ${metric.unit}`)], rows);
}

function cell(results: Results, contestant: string, metric: string): string {
  const value = medianOf(results, contestant, metric);
  if (value === undefined) return NOTHING;
  const ratio = contestant === REFERENCE ? undefined : ratioOf(results, contestant, metric, REFERENCE);
  return ratio === undefined ? formatValue(value) : `${formatValue(value)} (${formatValue(ratio)}×)`;
}

function targetTable(results: Results): string | undefined {
  const rows = TARGETS.flatMap(({ what, must, aim, unit, measured }) => {
    const value = measured(results);
    return value === undefined ? [] : [[what, `${formatValue(value)} ${unit}`, must, aim]];
  });
  return rows.length === 0 ? undefined : formatTable(['what', 'measured', 'must', 'aim'], rows);
}
