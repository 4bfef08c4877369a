import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Column } from '../../parts/columns.ts';
import { Table } from '../../parts/table.tsx';
import { bitRate } from '../../parts/units.ts';
import type { Graph, Link, Look } from './graph.ts';

interface Row extends Link {
  readonly fromLabel: string;
  readonly toLabel: string;
}

/** The states of links in words. */
export const LOOK_WORDS: Readonly<Record<Look, string>> = {
  up: 'forwards',
  waiting: 'waits',
  standby: 'stands by',
  off: 'shut',
  fault: 'blocked or looping',
};

const BADGES: Readonly<Record<Look, string>> = {
  ...{ up: 'badge-good', waiting: 'badge-warning', standby: '', off: '', fault: 'badge-bad' },
};

const COLUMNS: readonly Column<Row>[] = [
  { id: 'from', title: 'From', width: 'minmax(6rem, 2fr)', value: ({ fromLabel }) => fromLabel },
  { id: 'to', title: 'To', width: 'minmax(6rem, 2fr)', value: ({ toLabel }) => toLabel },
  {
    ...{
      id: 'state',
      title: 'State',
      width: 'minmax(6rem, 1fr)',
      wants: '9rem',
      value: ({ look }) => LOOK_WORDS[look],
    },
    cell: ({ look }) => <span class={`badge ${BADGES[look]}`}>{LOOK_WORDS[look]}</span>,
  },
  {
    ...{ id: 'load', title: 'Load', width: '6rem', isNumber: true, rank: 2 },
    value: (link) => link.bitRate,
    cell: (link) => (isCounted(link) ? bitRate(link.bitRate) : ''),
  },
  { id: 'reason', title: 'Why', width: 'minmax(10rem, 4fr)', value: ({ reason }) => reason, rank: 1 },
];

/** The switch counts what ports carry, not what single stations and networks do. */
function isCounted({ to, port }: Link): boolean {
  return port !== undefined && !/^stations? /.test(to);
}

interface LinkListProps {
  readonly graph: Graph;
  readonly filter: string;
  readonly onOpen: (id: string) => void;
}

/** The links of the picture as a table, for readers without the picture. Enter shows the details of the far end. */
export function LinkList({ graph, filter, onOpen }: LinkListProps): JSX.Element {
  const rows = useMemo(() => {
    const labels = new Map(graph.nodes.map(({ id, label }) => [id, label]));
    return graph.links.map(
      (link): Row => ({ ...link, fromLabel: labels.get(link.from) ?? '', toLabel: labels.get(link.to) ?? '' }),
    );
  }, [graph]);
  return (
    <Table
      label="Links"
      columns={COLUMNS}
      rows={rows}
      keyOf={({ id }) => id}
      filter={filter}
      onOpen={({ to }) => onOpen(to)}
    />
  );
}
