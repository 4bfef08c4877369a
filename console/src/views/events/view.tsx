import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { Empty } from '../../parts/empty.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Table } from '../../parts/table.tsx';
import { Search, Toolbar } from '../../parts/toolbar.tsx';
import { counted } from '../../parts/units.ts';
import { go, route } from '../../router.ts';
import { COLUMNS } from './columns.tsx';
import { EventDetails } from './event-details.tsx';
import { type EventLine, jsonLines, matching } from './event-log.ts';
import { failure, log, version, wantsAddresses } from './feed.ts';
import { KIND_GROUPS, kindsOf } from './kinds.ts';
import './events.css';

/** What happens in the switch, as it happens, the newest first. */
export function EventsView(): JSX.Element {
  const { query } = route.value;
  const [port, network, group] = [query.get('port') ?? '', query.get('network') ?? '', query.get('kind') ?? ''];
  const text = useSignal(query.get('find') ?? '');
  /** the lines at the moment of the pause; null: it runs */
  const paused = useSignal<readonly EventLine[] | null>(null);
  const open = useSignal<number | null>(null);
  const all = paused.value ?? log.lines;
  const shown = useMemo(() => {
    const kinds = kindsOf(group);
    return matching(all, { ...(kinds === undefined ? {} : { kinds }), port, network, text: text.value });
  }, [all, version.value, port, network, group, text.value]);
  const place = (change: Readonly<Record<string, string>>): void =>
    go('events', { port, network, kind: group, ...change }, true);
  const waiting = paused.value === null ? 0 : newSince(paused.value);
  const line = open.value === null ? undefined : all.find((one) => one.line === open.value);
  const isFiltered = port !== '' || network !== '' || group !== '' || text.value !== '';

  return (
    <div class="events">
      <Toolbar>
        <h1 class="toolbar-title">Events</h1>
        <Search label="Search events" text={text} placeholder="Words, MAC, user" />
        <Choice label="Kind" value={group} onChange={(kind) => choose(kind, place)}>
          <option value="">All kinds</option>
          {KIND_GROUPS.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </Choice>
        <Field label="Port" value={port} onChange={(value) => place({ port: value })} />
        <Field label="Network" value={network} onChange={(value) => place({ network: value })} />
        <label class="events-check">
          <input
            type="checkbox"
            checked={wantsAddresses.value}
            onChange={({ currentTarget }) => {
              wantsAddresses.value = currentTarget.checked;
            }}
          />{' '}
          Addresses
        </label>
        <span class="toolbar-end" />
        <span class="events-count muted" role="status">
          {countOf(shown.length, all.length, isFiltered, waiting)}
        </span>
        <button
          type="button"
          class="button"
          aria-pressed={paused.value !== null}
          onClick={() => {
            paused.value = paused.value === null ? log.lines : null;
          }}
        >
          <Icon name={paused.value === null ? 'stop' : 'play'} />
          {paused.value === null ? 'Pause' : 'Resume'}
        </button>
        <button type="button" class="button" disabled={shown.length === 0} onClick={() => download(shown)}>
          <Icon name="download" />
          JSON
        </button>
      </Toolbar>
      {failure.value !== null && <p class="notice notice-warning events-notice">{failure.value}</p>}
      {log.dropped > 0 && (
        <p class="notice events-notice">{counted(log.dropped, 'older event')} no longer kept by this page.</p>
      )}
      <div class="events-main">
        <Table
          label="Events"
          columns={COLUMNS}
          rows={shown}
          keyOf={(one) => String(one.line)}
          selected={open.value === null ? null : String(open.value)}
          onOpen={(one) => {
            open.value = one.line;
          }}
          empty={<Nothing isFiltered={isFiltered} />}
        />
        {line !== undefined && (
          <EventDetails
            line={line}
            onClose={() => {
              open.value = null;
            }}
          />
        )}
      </div>
    </div>
  );
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }): JSX.Element {
  if (isFiltered) return <p class="muted">No event matches the filter.</p>;
  return (
    <Empty title="Nothing has happened yet" command={'etherws ctl addport tap tap0\netherws ctl watch --json'}>
      Ports that come and go, tunnels, loops, storms, neighbours and refused frames are listed here from the moment when
      the page was opened. To see a first event, add a port; the second command prints the same events in a terminal:
    </Empty>
  );
}

/** Addresses are asked for when their kind is chosen. */
function choose(kind: string, place: (change: Readonly<Record<string, string>>) => void): void {
  if (kind === 'addresses') wantsAddresses.value = true;
  place({ kind });
}

function newSince(lines: readonly EventLine[]): number {
  return (log.lines.at(-1)?.line ?? 0) - (lines.at(-1)?.line ?? 0);
}

function countOf(shown: number, all: number, isFiltered: boolean, waiting: number): string {
  const count = isFiltered ? `${shown} of ${counted(all, 'event')}` : counted(all, 'event');
  return waiting === 0 ? count : `${count}, ${waiting} new`;
}

/** Hands the lines to the browser as a file, the oldest first. */
function download(shown: readonly EventLine[]): void {
  const url = URL.createObjectURL(new Blob([jsonLines(shown.toReversed())], { type: 'application/x-ndjson' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `events-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.jsonl`;
  link.click();
  URL.revokeObjectURL(url);
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Choice({
  label,
  value,
  onChange,
  children,
}: ChoiceProps & { readonly children: JSX.Element | JSX.Element[] | unknown }): JSX.Element {
  return (
    <label>
      <span class="hidden-text">{label}</span>
      <select class="input events-select" value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {children as JSX.Element[]}
      </select>
    </label>
  );
}

function Field({ label, value, onChange }: ChoiceProps): JSX.Element {
  return (
    <label>
      <span class="hidden-text">{label}</span>
      <input
        class="input events-field"
        type="text"
        placeholder={label}
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  );
}
