import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Family, labelsOf, linesOf, single } from './exposition.ts';
import { formatFor, takesGzip } from './negotiation.ts';

const FAMILIES: readonly Family[] = [
  {
    ...{ name: 'x_bytes', type: 'counter', unit: 'bytes', help: 'Octets' },
    samples: () => [
      { labels: labelsOf({ port: 1, name: 'a"b\\c\nd' }), value: 2 ** 53 },
      { labels: labelsOf({ port: 2, name: '' }), value: 0.5 },
    ],
  },
  { name: 'x', type: 'info', help: 'What it is', samples: () => [{ labels: labelsOf({ v: '1' }), value: 1 }] },
  single({ name: 'x_limit', type: 'gauge', help: 'The most' }, () => Number.POSITIVE_INFINITY),
  single({ name: 'x_absent', type: 'gauge', help: 'Not there' }, () => undefined),
  {
    ...{ name: 'x_delay_seconds', type: 'histogram', unit: 'seconds', help: 'Delay' },
    samples: () => [{ labels: 'le="+Inf"', value: 3, suffix: '_bucket' }],
  },
];

test('the text format has whole names, and types that it knows', () => {
  assert.equal(
    [...linesOf(FAMILIES, 'text')].join(''),
    `# HELP x_bytes_total Octets
# TYPE x_bytes_total counter
x_bytes_total{port="1",name="a\\"b\\\\c\\nd"} 9007199254740992
x_bytes_total{port="2",name=""} 0.5
# HELP x_info What it is
# TYPE x_info gauge
x_info{v="1"} 1
# HELP x_limit The most
# TYPE x_limit gauge
x_limit +Inf
# HELP x_delay_seconds Delay
# TYPE x_delay_seconds histogram
x_delay_seconds_bucket{le="+Inf"} 3
`,
  );
});

test('OpenMetrics has names of families, units and an end', () => {
  const text = [...linesOf(FAMILIES, 'openMetrics')].join('');
  assert.match(text, /^# TYPE x_bytes counter\n# UNIT x_bytes bytes\n# HELP x_bytes Octets\nx_bytes_total\{/);
  assert.match(text, /\n# TYPE x info\n# HELP x What it is\nx_info\{v="1"\} 1\n/);
  assert.match(text, /\nx_limit \+Inf\n/);
  assert.ok(text.endsWith('} 3\n# EOF\n'));
});

test('the format is the one that the client prefers', () => {
  const both = 'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75';
  for (const [accept, format] of [
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    [`${both},text/plain;version=0.0.4;q=0.5,*/*;q=0.1`, 'openMetrics'],
    ['application/openmetrics-text', 'openMetrics'],
    ['application/openmetrics-text; version="1.0.0"; charset=utf-8; q=0.4, text/plain;q=0.3', 'openMetrics'],
    ['application/openmetrics-text;q=0.4, text/plain;q=0.5', 'text'],
    ['application/openmetrics-text;version=0.0.1', 'text'],
    ['application/openmetrics-text;q=0', 'text'],
    ['application/openmetrics-text;q=no', 'text'],
    ['application/json', 'text'],
  ] as const) {
    assert.equal(formatFor(accept), format, accept);
  }
  assert.deepEqual(['gzip', 'gzip, deflate, br', 'br;q=1.0, gzip;q=0.2', 'gzip;q=0', 'identity', ''].map(takesGzip), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  assert.equal(takesGzip(undefined), false);
});
