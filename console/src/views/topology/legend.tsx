import type { JSX } from 'preact';
import type { Look } from './graph.ts';
import { thicknessOf } from './load.ts';

const LINES: readonly (readonly [look: Look, words: string, bitRate: number])[] = [
  ['up', 'idle', 0],
  ['up', '1 Mbit/s', 1e6],
  ['up', '1 Gbit/s', 1e9],
  ['fault', 'blocked or looping', 0],
  ['waiting', 'no connection, tries', 0],
  ['standby', 'stands by', 0],
];

/** What the lines mean. */
export function Legend(): JSX.Element {
  return (
    <div class="topology-legend" aria-hidden="true">
      {LINES.map(([look, words, bitRate]) => (
        <>
          <svg width="34" height="10" aria-hidden="true">
            <line
              class={`topology-link topology-is-${look} ${bitRate > 0 ? 'topology-busy' : ''}`}
              x1="0"
              x2="34"
              y1="5"
              y2="5"
              stroke-width={thicknessOf(bitRate)}
            />
          </svg>
          <span>{words}</span>
        </>
      ))}
    </div>
  );
}
