import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Empty } from '../../parts/empty.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Table } from '../../parts/table.tsx';
import { count, counted, octets } from '../../parts/units.ts';
import { CaptureForm } from './capture-form.tsx';
import { capture } from './capture-session.ts';
import { FRAME_COLUMNS } from './frame-columns.tsx';
import { FrameDetails } from './frame-details.tsx';
import { type KeptFrame, MOST_FRAMES } from './frame-store.ts';
import { saveFile } from './save-file.ts';
import './capture.css';
import './details.css';

/** The frames of ports, live: a list, and one of them in detail. */
export function CaptureView(): JSX.Element {
  const chosen = useSignal<KeptFrame | null>(null);
  const isFollowing = useSignal(true);
  const version = capture.version.value;
  const { store } = capture;
  const frames = useMemo(() => [...store.frames], [store, version]);
  const list = useRef<HTMLDivElement>(null);
  useTail(list, isFollowing, version);
  const state = capture.state.value;
  return (
    <div class="capture">
      <CaptureForm />
      {state !== 'none' && <StatusLine isFollowing={isFollowing} />}
      <div class="capture-body" data-open={chosen.value !== null}>
        <div class="capture-list" ref={list}>
          <Table
            label="Frames"
            columns={FRAME_COLUMNS}
            rows={frames}
            keyOf={({ number }) => String(number)}
            selected={chosen.value === null ? null : String(chosen.value.number)}
            onOpen={(frame) => {
              chosen.value = frame;
              isFollowing.value = false;
            }}
            empty={state === 'none' || state === 'over' ? <Teaching isOver={state === 'over'} /> : <Waiting />}
          />
        </div>
        {chosen.value !== null && (
          <FrameDetails
            key={chosen.value.number}
            frame={chosen.value}
            onClose={() => {
              chosen.value = null;
            }}
          />
        )}
      </div>
    </div>
  );
}

function Teaching({ isOver }: { readonly isOver: boolean }): JSX.Element {
  return (
    <Empty
      title={isOver ? 'No frame came' : 'See what a port sends and receives'}
      command={'tcp port 443 and net 192.0.2.0/24\narp or icmp6\nvlan 10 and host 192.0.2.1'}
    >
      Choose a port, or a station to follow, and start. A filter in the language of tcpdump limits the frames, such as:
    </Empty>
  );
}

function Waiting(): JSX.Element {
  return <p class="muted">Waiting for the first frame that matches.</p>;
}

/** What the capture does, and what is done with its frames. */
function StatusLine({ isFollowing }: { readonly isFollowing: Signal<boolean> }): JSX.Element {
  const { store } = capture;
  capture.version.value;
  const state = capture.state.value;
  return (
    <div class="capture-status">
      <span role="status">
        {state === 'running' && <span class="badge badge-good">capturing</span>}
        {capture.news.value !== null && <span>{capture.news.value}</span>}
      </span>
      <span>{counted(store.received, 'frame')}</span>
      {store.dropped > 0 && (
        <span class="muted">
          the last {count(store.frames.length)} are kept ({octets(store.octets)})
        </span>
      )}
      <Lost />
      <span class="capture-status-buttons">
        <label class="capture-follow">
          <input
            type="checkbox"
            checked={isFollowing.value}
            onChange={({ currentTarget }) => {
              isFollowing.value = currentTarget.checked;
            }}
          />
          Show the newest
        </label>
        <button
          type="button"
          class="button"
          disabled={store.received === 0}
          title={store.dropped > 0 ? `With the last ${count(MOST_FRAMES)} frames at most` : 'All octets as they came'}
          onClick={() => saveFile('etherws.pcapng', 'application/x-pcapng', store.file())}
        >
          <Icon name="download" /> Download pcapng
        </button>
      </span>
    </div>
  );
}

/** The switch says lost frames at the next frame, and at the end. */
function Lost(): JSX.Element | null {
  const atEnd = capture.entries.value.reduce((sum, { lost }) => sum + lost, 0);
  const lost = Math.max(capture.store.lost, atEnd);
  if (lost === 0) return null;
  return <span class="badge badge-bad">{counted(lost, 'frame')} lost, since this page was too slow</span>;
}

/** Keeps the end of the list in view, until it is scrolled by hand. */
function useTail(
  list: { readonly current: HTMLDivElement | null },
  isFollowing: Signal<boolean>,
  version: number,
): void {
  useEffect(() => {
    const table = list.current?.querySelector('.table');
    if (table === null || table === undefined) return undefined;
    const stop = (event: Event): void => {
      if (event instanceof WheelEvent && event.deltaY >= 0) return;
      if (event instanceof KeyboardEvent && !['ArrowUp', 'PageUp', 'Home'].includes(event.key)) return;
      isFollowing.value = false;
    };
    const kinds = ['wheel', 'touchmove', 'keydown'];
    for (const kind of kinds) table.addEventListener(kind, stop, { passive: true });
    return () => {
      for (const kind of kinds) table.removeEventListener(kind, stop);
    };
  }, [list, isFollowing]);
  useEffect(() => {
    const table = list.current?.querySelector('.table');
    if (isFollowing.value && table) table.scrollTop = table.scrollHeight;
  }, [list, isFollowing.value, version]);
}
