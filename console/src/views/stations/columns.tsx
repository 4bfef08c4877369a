import type { JSX } from 'preact';
import type { Column } from '../../parts/columns.ts';
import { duration, nowMs } from '../../parts/time.ts';
import { isLocal, portOf, type Station } from './station-text.ts';

export const COLUMNS: readonly Column<Station>[] = [
  {
    id: 'host',
    title: 'Host',
    width: 'minmax(6.5rem, 3fr)',
    wants: '8rem',
    value: ({ hostname }) => hostname ?? null,
    cell: ({ hostname }) =>
      hostname === null ? <span class="muted">–</span> : <span title={hostname}>{hostname}</span>,
  },
  {
    id: 'addresses',
    title: 'IP addresses',
    width: 'minmax(8rem, 3fr)',
    value: ({ addresses }) => addresses?.join(' ') || null,
    cell: ({ addresses = [] }) => <Addresses addresses={addresses} />,
  },
  {
    id: 'mac',
    title: 'MAC address',
    width: '9rem',
    rank: 1,
    value: ({ mac }) => mac,
    cell: ({ mac }) => <span class="mono">{mac}</span>,
  },
  {
    id: 'vendor',
    title: 'Vendor',
    width: 'minmax(11rem, 5fr)',
    rank: 4,
    value: ({ vendor }) => vendor ?? null,
    cell: (station) => <Vendor station={station} />,
  },
  {
    id: 'port',
    title: 'Port',
    width: 'minmax(4.5rem, 2fr)',
    value: portOf,
    cell: (station) => <span title={portOf(station)}>{portOf(station)}</span>,
  },
  {
    id: 'vid',
    title: 'VLAN',
    width: '3.5rem',
    rank: 3,
    value: ({ vid }) => (vid === 0 ? null : vid),
  },
  { id: 'network', title: 'Network', width: '6rem', rank: 6, value: ({ network }) => network },
  {
    id: 'moves',
    title: 'Moves',
    width: '6rem',
    isNumber: true,
    rank: 5,
    value: ({ moves }) => moves,
    cell: (station) => <MoveCount station={station} />,
  },
  {
    id: 'seen',
    title: 'Seen',
    width: '5.5rem',
    isNumber: true,
    rank: 2,
    value: ({ seen }) => (seen === undefined ? null : Date.parse(seen)),
    cell: ({ seen, kind }) => <Ago time={seen} kind={kind} />,
  },
];

function Addresses({ addresses }: { readonly addresses: readonly string[] }): JSX.Element {
  const [first, ...others] = addresses;
  if (first === undefined) return <span class="muted">–</span>;
  return (
    <span title={addresses.join('\n')}>
      {first} {others.length > 0 && <span class="muted">+{others.length}</span>}
    </span>
  );
}

function Vendor({ station }: { readonly station: Station }): JSX.Element {
  if (isLocal(station)) {
    return (
      <span class="muted" title="locally administered: made by the host or a hypervisor, so without a vendor">
        local
      </span>
    );
  }
  return station.vendor === null ? <span class="muted">–</span> : <span title={station.vendor}>{station.vendor}</span>;
}

function MoveCount({ station: { moves, flapping } }: { readonly station: Station }): JSX.Element {
  if (flapping) return <span class="badge badge-bad">{moves}, flapping</span>;
  return <>{moves === 0 ? '' : moves}</>;
}

/** `8 s`, `3 min`: a second unit would make the column jump each second. */
function largestUnit(seconds: number): string {
  return duration(seconds).split('\u00a0').slice(0, 2).join('\u00a0');
}

/** How long ago, again each second. A static address has no age. */
export function Ago({
  time,
  kind,
}: {
  readonly time: string | undefined;
  readonly kind: Station['kind'];
}): JSX.Element {
  if (kind !== 'learned' && time === undefined) return <span class="muted">{kind}</span>;
  if (time === undefined) return <span class="muted">–</span>;
  const seconds = (nowMs.value - Date.parse(time)) / 1000;
  return <>{seconds < 2 ? 'now' : `${largestUnit(seconds)} ago`}</>;
}
