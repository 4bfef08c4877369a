import type { JSX } from 'preact';
import type { Column } from '../../parts/columns.ts';
import { clock } from '../../parts/time.ts';
import { hashOf } from '../../router.ts';
import type { EventLine } from './event-log.ts';
import type { Severity } from './sentences.ts';

/** The severities in words, which stand beside their colours. */
export const SEVERITY_WORDS: Readonly<Record<Severity, string>> = {
  ...{ fault: 'fault', warning: 'warning', good: 'good', info: 'info' },
};
export const BADGES: Readonly<Record<Severity, string>> = {
  ...{ fault: 'badge-bad', warning: 'badge-warning', good: 'badge-good', info: '' },
};

export const COLUMNS: readonly Column<EventLine>[] = [
  { id: 'time', title: 'Time', width: '4.25rem', cell: ({ event }) => clock(event.time) },
  {
    ...{ id: 'severity', title: 'Severity', width: '6rem', rank: 1 },
    cell: ({ severity }) => <span class={`badge ${BADGES[severity]}`}>{SEVERITY_WORDS[severity]}</span>,
  },
  { id: 'port', title: 'Port', width: 'minmax(5rem, 1fr)', cell: (line) => <PortLink line={line} /> },
  {
    ...{ id: 'sentence', title: 'What happened', width: 'minmax(9.5rem, 6fr)', wants: '26rem' },
    cell: (line) => <Sentence line={line} />,
  },
  { id: 'network', title: 'Network', width: '6rem', rank: 2, cell: ({ event }) => event.network ?? '' },
  { id: 'kind', title: 'Kind', width: '9.5rem', rank: 3, cell: ({ event }) => <code>{event.event}</code> },
];

function PortLink({ line: { event } }: { readonly line: EventLine }): JSX.Element | null {
  const { port, portName } = event;
  if (port === undefined) return null;
  const name = typeof portName === 'string' && portName !== '' ? portName : `port ${port}`;
  return (
    <a href={hashOf('ports', { port })} onClick={(event) => event.stopPropagation()}>
      {name}
    </a>
  );
}

function Sentence({ line: { sentence, severity } }: { readonly line: EventLine }): JSX.Element {
  return (
    <span class={`events-sentence events-${severity}`} title={sentence}>
      {sentence}
    </span>
  );
}
