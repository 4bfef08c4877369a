import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { rangeOfTimes } from './range-of-times.ts';
import { octets } from './units.ts';
import './plot.css';

export interface PlotSeries {
  readonly label: string;
  /** the name of a colour of tokens.css, such as `receive` */
  readonly color: string;
  /** draws by the second axis, on the right */
  readonly isSecond?: boolean;
}

interface PlotProps {
  /** what it shows, for screen readers, which do not see the curves */
  readonly label: string;
  /** times in seconds, then the values of each series; null: there was none */
  readonly data: readonly (readonly (number | null)[])[];
  readonly series: readonly PlotSeries[];
  /** writes a value of an axis with its unit; of the second one `formatSecond` */
  readonly format: (value: number) => string;
  readonly formatSecond?: (value: number) => string;
  /** the least end of an axis; of the second one `leastSecond`. default: 1 */
  readonly least?: number;
  readonly leastSecond?: number;
  /** leaves room for a second axis, so that its times stand below those of another plot */
  readonly isBesideSecond?: boolean;
  readonly height?: number;
}

/** The steps of an axis of octets. */
const POWERS_OF_TWO = Array.from({ length: 40 }, (_, exponent) => 2 ** exponent);
/** Half of a time below the plot, which is drawn around its tick. */
const HALF_TIME_PX = 26;
const SECOND_AXIS_PX = 62;
/** How long until the library of a plot is asked for again that did not come. */
const AGAIN_MS = 3000;
const DARK = '(prefers-color-scheme: dark)';

/** Curves over time with axes, by uPlot, which is loaded when the first one is shown. */
export function Plot(props: PlotProps): JSX.Element {
  const { label, data, series, height = 120 } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    let isGone = false;
    const scheme = matchMedia(DARK);
    let again: ReturnType<typeof setTimeout> | undefined;
    const draw = async (): Promise<void> => {
      // The switch may be away just now: the curves come when it is back.
      const loaded = await import('uplot').catch(() => undefined);
      if (isGone) return;
      if (loaded === undefined) {
        again = setTimeout(redraw, AGAIN_MS);
        return;
      }
      const { default: UPlot } = loaded;
      plot.current?.destroy();
      plot.current = new UPlot(optionsOf(latest.current, element), latest.current.data as uPlot.AlignedData, element);
    };
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    const redraw = (): void => void draw();
    redraw();
    observer.observe(element);
    scheme.addEventListener('change', redraw);
    return () => {
      isGone = true;
      clearTimeout(again);
      observer.disconnect();
      scheme.removeEventListener('change', redraw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [height]);

  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [data]);

  return (
    <figure class="plot">
      <figcaption class="plot-legend">
        {series.map((one, at) => (
          <span key={one.label} class={`plot-key plot-${one.color}`}>
            {one.label}{' '}
            <strong class="plot-value">
              {lastOf(data[at + 1], one.isSecond === true ? (props.formatSecond ?? props.format) : props.format)}
            </strong>
          </span>
        ))}
      </figcaption>
      <div class="plot-place" ref={place} role="img" aria-label={label} style={{ height: `${height}px` }} />
    </figure>
  );
}

function lastOf(values: readonly (number | null)[] | undefined, format: (value: number) => string): string {
  const last = values?.at(-1) ?? null;
  return last === null ? '–' : format(last);
}

function optionsOf(props: PlotProps, element: HTMLElement): uPlot.Options {
  const { series, format, formatSecond, least = 1, leastSecond = 1, isBesideSecond = false, height = 120 } = props;
  const colors = getComputedStyle(document.documentElement);
  const color = (name: string): string => colors.getPropertyValue(`--${name}`).trim();
  const axis = { stroke: color('text-muted'), font: `11px ${color('font')}`, ticks: { show: false } };
  const lines = { stroke: color('line'), width: 1 };
  const marks = (write: (value: number) => string) => ({
    values: (_plot: uPlot, splits: number[]): string[] => splits.map(write),
    ...(write === octets ? { incrs: POWERS_OF_TWO } : {}),
  });
  const upTo =
    (leastEnd: number) =>
    (_plot: uPlot, _least: number, most: number): [number, number] => [0, Math.max(leastEnd, most * 1.1)];
  const hasSecond = series.some(({ isSecond }) => isSecond);
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, hasSecond ? 0 : isBesideSecond ? SECOND_AXIS_PX : HALF_TIME_PX, 0, 0],
    scales: {
      x: { time: true, range: ({ data }: uPlot) => rangeOfTimes(data[0], Date.now()) },
      y: { range: upTo(least) },
      second: { range: upTo(leastSecond) },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 26, gap: 9, values: '{HH}:{mm}:{ss}' },
      { ...axis, grid: lines, size: 72, space: 28, ...marks(format) },
      ...(hasSecond
        ? [
            {
              ...axis,
              scale: 'second',
              side: 1 as const,
              grid: { show: false },
              size: SECOND_AXIS_PX,
              space: 28,
              ...marks(formatSecond ?? format),
            },
          ]
        : []),
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: one.label,
        scale: one.isSecond === true ? 'second' : 'y',
        stroke: color(one.color),
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}
