import { MEASUREMENTS } from '../catalogue.ts';
import type { Metric } from '../measurement.ts';
import { formatTable, formatValue } from './format.ts';
import { medianOf, type Results, ratioOf } from './results.ts';
import { TARGETS } from './targets.ts';

/** From this ratio on a median of this build counts as equal to the other build's. */
const AS_GOOD = 0.97;
const NOTHING = '–';
/** Figures that must not get worse and have no target of their own. */
const KEPT_METRICS: readonly string[] = ['ctlStart', 'ctlCpu', 'ctlMemory', 'switchIdle', 'memoryIdle'];
/** Figures that do not depend on the build. */
const COMMON_METRICS: readonly string[] = ['nodeStart', 'nodeCpu', 'nodeMemory', 'nodeIdle'];

/** A contestant of this build, and the same one of another build. */
interface Pair {
  readonly own: string;
  readonly other: string;
  readonly title: string;
}

/**
 * Compares this build with that of `--against`: one row for each figure of both. Figures with a target, and those of
 * KEPT_METRICS, are judged.
 * @returns undefined without another build
 */
export function comparisonTable(results: Results): string | undefined {
  const rows = pairsOf(results).flatMap((pair) =>
    MEASUREMENTS.flatMap(({ name, metrics }) =>
      metrics
        .filter(({ key }) => !COMMON_METRICS.includes(key))
        .flatMap((metric) => rowOf(results, `${name}: ${metric.title}, ${metric.unit}`, metric, pair)),
    ),
  );
  if (rows.length === 0) return undefined;
  const headings = ['contestant', 'figure', 'this build', 'the other', 'ratio of medians', 'median of ratios'];
  return formatTable([...headings, `as good, ≥ ${AS_GOOD}`], rows);
}

function pairsOf({ contestants }: Results): Pair[] {
  return Object.entries(contestants).flatMap(([other, { otherOf }]) => {
    const own = otherOf === undefined ? undefined : contestants[otherOf];
    return otherOf === undefined || own === undefined ? [] : [{ own: otherOf, other, title: own.title }];
  });
}

function rowOf(results: Results, figure: string, { key, isHigherBetter }: Metric, pair: Pair): string[][] {
  const own = medianOf(results, pair.own, key);
  const other = medianOf(results, pair.other, key);
  if (own === undefined || other === undefined) return [];
  const shown = (value: number | undefined): string => (value === undefined ? NOTHING : formatValue(value));
  const ratio = other === 0 ? undefined : own / other;
  const paired = ratioOf(results, pair.own, key, pair.other);
  const isJudged = KEPT_METRICS.includes(key) || TARGETS.some(({ of, metric }) => of === pair.own && metric === key);
  const verdict = isJudged ? verdictOf(own, other, isHigherBetter) : '';
  return [[pair.title, figure, formatValue(own), formatValue(other), shown(ratio), shown(paired), verdict]];
}

function verdictOf(own: number, other: number, isHigherBetter: boolean): string {
  if (own === other) return 'yes';
  // With a value of 0 of the other build, such as its loss, any loss is worse.
  const kept = isHigherBetter ? own / other : other / own;
  return kept >= AS_GOOD ? 'yes' : `no: ${formatValue(kept)}`;
}
