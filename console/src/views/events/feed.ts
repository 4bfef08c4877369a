import { type Signal, signal } from '@preact/signals';
import type { Connection } from '../../live/connection.ts';
import { may } from '../../session.ts';
import { EventLog, MOST_EVENTS } from './event-log.ts';
import { ADDRESS_KINDS, EVENT_KINDS, type ShownEvent } from './sentences.ts';

/*
 * The events since the page was opened, whichever view is shown: a loop is looked up when it has happened. They are handed to
 * the views once an animation frame.
 */

export const log: EventLog = new EventLog();
/** Counts the changes of the log. */
export const version: Signal<number> = signal(0);
/** Whether events of single addresses come, too. They are many. */
export const wantsAddresses: Signal<boolean> = signal(false);
/** Why no events come; null: they do. */
export const failure: Signal<string | null> = signal(null);

let waiting: ShownEvent[] = [];

/** Follows the events by this connection, for as long as the page lives. */
export function startFeed(connection: Connection): void {
  let hasBeenOpen = false;
  connection.listen(({ method, params }) => {
    if (method === 'etherws.control.event') add(params as unknown as ShownEvent);
  });
  connection.whenOpen(() => {
    if (!may('subscribe')) return;
    if (hasBeenOpen) add({ sequence: 0, time: new Date().toISOString(), event: 'gap' });
    hasBeenOpen = true;
    subscribe(connection);
  });
  wantsAddresses.subscribe(() => {
    if (hasBeenOpen && connection.state.peek() === 'open') subscribe(connection);
  });
}

function subscribe(connection: Connection): void {
  const isWanted = wantsAddresses.peek();
  const events = EVENT_KINDS.filter((kind) => isWanted || !ADDRESS_KINDS.includes(kind));
  connection.call('subscribe', { events }).then(
    () => {
      failure.value = null;
    },
    (error: Error) => {
      failure.value = error.message;
    },
  );
}

function add(event: ShownEvent): void {
  waiting.push(event);
  // Timers of a hidden page may sleep for a minute.
  if (waiting.length >= 2 * MOST_EVENTS) waiting = waiting.slice(-MOST_EVENTS);
  if (waiting.length > 1) return;
  // A hidden page has no frames, and need not be fast.
  if (document.hidden) setTimeout(takeWaiting, 100);
  else requestAnimationFrame(takeWaiting);
}

function takeWaiting(): void {
  log.add(waiting);
  waiting = [];
  version.value++;
}
