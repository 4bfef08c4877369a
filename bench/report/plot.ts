import { formatValue } from './format.ts';
import { medianOf, type Results } from './results.ts';

interface Panel {
  readonly metric: string;
  readonly title: string;
}

const PANELS: readonly Panel[] = [
  { metric: 'oneFlowUp', title: 'One TCP flow, Mbit/s (longer is better)' },
  { metric: 'packetRate', title: '64-byte packets a second at < 0.5 % loss (longer is better)' },
  { metric: 'rttLoadPingP99', title: 'ping under load, p99, µs (shorter is better)' },
];

const WIDTH = 860;
const LABEL_WIDTH = 250;
const VALUE_WIDTH = 80;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 22;
const TITLE_HEIGHT = 34;
const OURS = '#0b6e4f';
const OTHERS = '#9aa5b1';

/**
 * The main figures as bars on logarithmic scales, since the contestants differ by two
 * orders of magnitude. The SVG is self-contained, and legible on light and dark pages.
 */
export function plotResults(results: Results): string {
  let y = 0;
  const parts: string[] = [];
  for (const panel of PANELS) {
    const bars = barsOf(results, panel.metric);
    if (bars.length === 0) continue;
    parts.push(text(8, y + TITLE_HEIGHT - 12, panel.title, 'font-weight="bold"'));
    y += TITLE_HEIGHT;
    const scale = logarithmicScale(bars.map((bar) => bar.value));
    for (const bar of bars) {
      const color = bar.isOurs ? OURS : OTHERS;
      const length = scale(bar.value);
      const baseline = y + BAR_HEIGHT - 4;
      parts.push(
        text(LABEL_WIDTH - 8, baseline, bar.title, 'text-anchor="end"'),
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="${BAR_HEIGHT}" fill="${color}"/>`,
        text(LABEL_WIDTH + length + 6, baseline, formatValue(bar.value)),
      );
      y += ROW_HEIGHT;
    }
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 8}" font-family="sans-serif" font-size="12">`,
    '<title>What was measured, a bar for each contestant</title>',
    `<rect width="${WIDTH}" height="${y + 8}" fill="#ffffff"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

interface Bar {
  readonly title: string;
  readonly value: number;
  readonly isOurs: boolean;
}

function barsOf(results: Results, metric: string): Bar[] {
  return Object.entries(results.contestants).flatMap(([name, { title }]) => {
    const value = medianOf(results, name, metric);
    return value === undefined || value <= 0 ? [] : [{ title, value, isOurs: name.startsWith('etherws') }];
  });
}

/** The scale begins at a third of the smallest value, so that this one has a bar, too. */
function logarithmicScale(values: readonly number[]): (value: number) => number {
  const low = Math.log(Math.min(...values) / 3);
  const span = Math.log(Math.max(...values)) - low;
  return (value) => ((Math.log(value) - low) / span) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH);
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" fill="#1f2933" ${attributes}>${escaped}</text>`;
}
