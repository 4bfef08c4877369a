import type { JSX } from 'preact';

/** Paths of 16 × 16 icons, drawn with lines of 1.5. */
const PATHS = {
  topology: 'M8 2.5v4M8 6.5 3.5 11M8 6.5l4.5 4.5M6.5 2.5h3M2 11h3v3H2zM11 11h3v3h-3z',
  ports: 'M1.5 4h13v8h-13zM4.5 7v2M8 7v2M11.5 7v2',
  stations: 'M2.5 3h11v7h-11zM6 13h4M8 10v3',
  networks: 'M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z',
  capture: 'M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2M10.6 10.6 14 14',
  events: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  health: 'M1.5 8h3l2-5 3 10 2-5h3',
  add: 'M8 3v10M3 8h10',
  close: 'm4 4 8 8M12 4l-8 8',
  search: 'M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2M10.6 10.6 14 14',
  up: 'm4 10 4-4 4 4',
  down: 'm4 6 4 4 4-4',
  edit: 'm3 13 .6-2.6L11 3l2 2-7.4 7.4zM9.5 4.5l2 2',
  remove: 'M3 4h10M6 4V2.5h4V4M4.5 4l.6 9.5h5.8l.6-9.5',
  more: 'M4 8h.01M8 8h.01M12 8h.01',
  menu: 'M2 4h12M2 8h12M2 12h12',
  logout: 'M6 2.5H3v11h3M7 8h6.5M11 5.5 13.5 8 11 10.5',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  download: 'M8 2v8M5 7.5 8 10.5l3-3M3 13.5h10',
  warning: 'M8 2 1.5 13.5h13zM8 6.5v3M8 11.5v.01',
  play: 'M5 3.5v9l7-4.5z',
  stop: 'M4 4h8v8H4z',
} as const;

export type IconName = keyof typeof PATHS;

/** A picture beside a text, hidden from screen readers; a button with an icon alone needs a label of its own. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.5"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
