import type { Column } from '../../parts/columns.ts';
import { clock } from '../../parts/time.ts';
import { count } from '../../parts/units.ts';
import type { KeptFrame } from './frame-store.ts';

/** `14:05:09.123456`, in the zone of the browser. */
function timeOf(timeUs: number): string {
  return `${clock(timeUs / 1000)}.${String(timeUs % 1_000_000).padStart(6, '0')}`;
}

/** The columns of the list. None sorts: frames are in the order in which they were captured. */
export const FRAME_COLUMNS: readonly Column<KeptFrame>[] = [
  { id: 'number', title: 'No.', width: '3.5rem', isNumber: true, rank: 5, cell: ({ number }) => count(number) },
  { id: 'time', title: 'Time', width: '7.5rem', cell: ({ packet }) => timeOf(packet.timeUs) },
  {
    id: 'port',
    title: 'Port',
    width: '7rem',
    rank: 4,
    cell: ({ packet }) => `${packet.direction === 'rx' ? '→ in' : '← out'} ${packet.interfaceName}`,
  },
  {
    id: 'source',
    title: 'Source',
    width: '9rem',
    rank: 2,
    cell: ({ dissected }) => dissected.summary.source,
  },
  {
    id: 'destination',
    title: 'Destination',
    width: '9rem',
    rank: 3,
    cell: ({ dissected }) => dissected.summary.destination,
  },
  { id: 'protocol', title: 'Protocol', width: '5rem', cell: ({ dissected }) => dissected.summary.protocol },
  {
    id: 'length',
    title: 'Octets',
    width: '3.5rem',
    isNumber: true,
    rank: 6,
    cell: ({ packet }) => count(packet.length),
  },
  {
    id: 'info',
    title: 'Info',
    width: 'minmax(6.5rem, 1fr)',
    wants: '9rem',
    cell: ({ packet, dissected }) => (
      <>
        {packet.lost > 0 && <span class="badge badge-bad">{count(packet.lost)} lost before it</span>}
        {packet.comments.map((comment) => (
          <span key={comment} class="badge badge-warning">
            {comment}
          </span>
        ))}{' '}
        {dissected.summary.info}
      </>
    ),
  },
];
