import type { Format } from './exposition.ts';

/** A media range of an `Accept` field. */
interface MediaRange {
  readonly type: string;
  readonly version: string | undefined;
  readonly weight: number;
}

/**
 * The format for a client that sent this `Accept` field (RFC 9110, 12.5.1): OpenMetrics if the client names it and
 * prefers it, else the text format. A client that accepts neither gets the text format, too.
 */
export function formatFor(accept: string | undefined): Format {
  const ranges = (accept ?? '').split(',').map(readRange);
  const openMetrics = weightOf(ranges, ({ type, version = '1.0.0' }) => {
    return type === 'application/openmetrics-text' && version === '1.0.0';
  });
  const text = weightOf(ranges, ({ type, version = '0.0.4' }) => type === 'text/plain' && version === '0.0.4');
  return openMetrics > 0 && openMetrics >= text ? 'openMetrics' : 'text';
}

/** Whether a client that sent this `Accept-Encoding` field accepts gzip. */
export function takesGzip(acceptEncoding: string | string[] | undefined): boolean {
  return (
    weightOf(
      String(acceptEncoding ?? '')
        .split(',')
        .map(readRange),
      ({ type }) => type === 'gzip',
    ) > 0
  );
}

function weightOf(ranges: readonly MediaRange[], isMeant: (range: MediaRange) => boolean): number {
  return Math.max(0, ...ranges.filter(isMeant).map(({ weight }) => weight));
}

function readRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const values = new Map(
    parameters.map((parameter): [string, string] => {
      const [name = '', value = ''] = parameter.split('=', 2);
      return [name.trim(), value.trim().replaceAll('"', '')];
    }),
  );
  const weight = values.has('q') ? Number(values.get('q')) : 1;
  return { type, version: values.get('version'), weight: weight >= 0 && weight <= 1 ? weight : 0 };
}
