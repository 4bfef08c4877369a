/**
 * The two text formats that scrapers read: Prometheus's text format 0.0.4, and OpenMetrics 1.0. Both list metrics by
 * family. They differ in the name of a counter's family, in UNIT lines, in info metrics, and in the EOF line.
 */
export type Format = 'text' | 'openMetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openMetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** One value of a family. */
export interface Sample {
  /** as `labelsOf` writes them: `port="1",type="tap"`; empty without labels */
  readonly labels: string;
  readonly value: number;
  /** appended to the name of the family, for histograms: `_bucket`, `_sum`, `_count` */
  readonly suffix?: string;
}

/** Metrics of one name, type and meaning. */
export interface Family {
  /** without `_total` and `_info`; its last part is the unit, if there is one */
  readonly name: string;
  /** `info`: a constant 1, whose labels are the information */
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  readonly unit?: 'bytes' | 'seconds';
  /** one sentence without its full stop */
  readonly help: string;
  /**
   * The values as of now; called for each scrape. A family without samples is not written. A family that iterates over
   * many things yields undefined for each without a sample, so that the scrape can pause there.
   */
  samples(): Iterable<Sample | undefined>;
}

/** The name of a family's samples, apart from a histogram's suffix. */
export function sampleName({ name, type }: Pick<Family, 'name' | 'type'>): string {
  if (type === 'counter') return `${name}_total`;
  return type === 'info' ? `${name}_info` : name;
}

/** The families in one of the formats, in pieces: a line with its line feed, the head of a family, or `''`. */
export function* linesOf(families: Iterable<Family>, format: Format): IterableIterator<string> {
  for (const family of families) {
    const name = sampleName(family);
    let isBegun = false;
    for (const sample of family.samples()) {
      if (sample === undefined) {
        yield '';
        continue;
      }
      if (!isBegun) yield headOf(family, format);
      isBegun = true;
      const { labels, value, suffix = '' } = sample;
      yield `${name}${suffix}${labels === '' ? '' : `{${labels}}`} ${numeralOf(value)}\n`;
    }
  }
  if (format === 'openMetrics') yield '# EOF\n';
}

function headOf(family: Family, format: Format): string {
  const { type, unit, help } = family;
  if (format === 'text') {
    const name = sampleName(family);
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type === 'info' ? 'gauge' : type}\n`;
  }
  const { name } = family;
  return `# TYPE ${name} ${type}\n${unit === undefined ? '' : `# UNIT ${name} ${unit}\n`}# HELP ${name} ${help}\n`;
}

function numeralOf(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Labels as both formats write them. Values are escaped; names are those of this program, and are not. */
export function labelsOf(labels: Readonly<Record<string, string | number>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(',');
}

const SPECIAL = /["\\\n]/;

function escaped(text: string): string {
  if (!SPECIAL.test(text)) return text;
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** A family with one sample without labels. */
export function single(head: Omit<Family, 'samples'>, value: () => number | undefined): Family {
  return {
    ...head,
    *samples() {
      const present = value();
      if (present !== undefined) yield { labels: '', value: present };
    },
  };
}
