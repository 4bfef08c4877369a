import type { JSX } from 'preact';
import type { Column } from '../../parts/columns.ts';
import { Sparkline } from '../../parts/sparkline.tsx';
import { bitRate, count, milliseconds } from '../../parts/units.ts';
import { history, samples, wantPast } from './past.ts';
import { discardCount, type Port, titleOf, toneOf, vlansOf } from './port-text.ts';

export const COLUMNS: readonly Column<Port>[] = [
  { id: 'port', title: 'Port', width: '3.75rem', isNumber: true, rank: 1, value: ({ port }) => port },
  {
    id: 'name',
    title: 'Name',
    width: 'minmax(7rem, 3fr)',
    value: titleOf,
    cell: (port) => (
      <span title={[titleOf(port), port.description].filter(Boolean).join(': ')}>
        {titleOf(port)} {port.description !== null && <span class="muted">{port.description}</span>}
      </span>
    ),
  },
  { id: 'type', title: 'Type', width: '4rem', rank: 3, value: ({ type }) => type },
  {
    id: 'state',
    title: 'State',
    width: '5.75rem',
    value: ({ state }) => state,
    cell: (port) => <StateBadge port={port} />,
  },
  { id: 'network', title: 'Network', width: '6rem', rank: 5, value: ({ network }) => network },
  {
    id: 'vlans',
    title: 'VLANs',
    width: 'minmax(7rem, 2fr)',
    rank: 4,
    value: (port) => vlansOf(port) || null,
    cell: (port) => <span title={vlansOf(port)}>{vlansOf(port)}</span>,
  },
  {
    id: 'receive',
    title: 'Receives',
    width: '6rem',
    isNumber: true,
    value: ({ rxBitRate }) => rxBitRate,
    cell: ({ rxBitRate }) => <span class={rxBitRate === 0 ? 'muted' : 'ports-receive'}>{bitRate(rxBitRate)}</span>,
  },
  {
    id: 'transmit',
    title: 'Sends',
    width: '6rem',
    isNumber: true,
    rank: 2,
    value: ({ txBitRate }) => txBitRate,
    cell: ({ txBitRate }) => <span class={txBitRate === 0 ? 'muted' : 'ports-transmit'}>{bitRate(txBitRate)}</span>,
  },
  {
    id: 'curve',
    title: 'Last minute',
    width: '100px',
    rank: 3,
    cell: ({ port }) => <Curve port={port} />,
  },
  {
    id: 'roundTrip',
    title: 'Round trip',
    width: '5.5rem',
    isNumber: true,
    rank: 4,
    value: ({ roundTripMs }) => roundTripMs,
    cell: ({ roundTripMs }) => (roundTripMs === null ? '' : milliseconds(roundTripMs)),
  },
  {
    id: 'discards',
    title: 'Discards',
    width: '5rem',
    isNumber: true,
    rank: 3,
    value: discardCount,
    cell: (port) => (discardCount(port) === 0 ? '' : count(discardCount(port))),
  },
];

export function StateBadge({ port }: { readonly port: Port }): JSX.Element {
  const { state, reason } = port;
  return (
    <span class={`badge badge-${toneOf(port)}`} title={reason ?? undefined}>
      {state}
    </span>
  );
}

function Curve({ port }: { readonly port: number }): JSX.Element {
  samples.value;
  void wantPast(port);
  const { receive, transmit } = history.seriesOf(String(port));
  return (
    <Sparkline
      series={[
        { kind: 'receive', values: receive },
        { kind: 'transmit', values: transmit },
      ]}
    />
  );
}
