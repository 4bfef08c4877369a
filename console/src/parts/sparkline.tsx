import type { JSX } from 'preact';
import './sparkline.css';

interface SparklineProps {
  /** samples, the oldest first, NaN for none; each series has the same length and one scale */
  readonly series: readonly { readonly kind: 'receive' | 'transmit'; readonly values: ArrayLike<number> }[];
  readonly width?: number;
  readonly height?: number;
}

/** Small curves without axes. The numbers stand beside it, so screen readers do not get it. */
export function Sparkline({ series, width = 96, height = 20 }: SparklineProps): JSX.Element {
  const most = Math.max(1, ...series.map(({ values }) => largest(values)));
  return (
    <svg class="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      {series.map(({ kind, values }) => (
        <path key={kind} class={`sparkline-${kind}`} d={curve(values, most, width, height)} />
      ))}
    </svg>
  );
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let at = 0; at < values.length; at++) most = Math.max(most, sampleAt(values, at) ?? 0);
  return most;
}

/** undefined: there is none */
function sampleAt(values: ArrayLike<number>, at: number): number | undefined {
  const value = values[at];
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

function curve(values: ArrayLike<number>, most: number, width: number, height: number): string {
  const step = width / Math.max(1, values.length - 1);
  let path = '';
  for (let at = 0; at < values.length; at++) {
    const value = sampleAt(values, at);
    if (value === undefined) continue;
    const y = height - 1 - (value / most) * (height - 2);
    path += `${path === '' ? 'M' : 'L'}${(at * step).toFixed(1)} ${y.toFixed(1)}`;
  }
  return path;
}
