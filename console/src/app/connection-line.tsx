import type { JSX } from 'preact';
import { connection, store } from '../live/live.ts';
import { nowMs } from '../parts/time.ts';
import './connection-line.css';

/** Whether the page is live, and else when it tries again. */
export function ConnectionLine(): JSX.Element {
  const state = connection.state.value;
  return (
    <span class="connection" data-state={state}>
      <span class="connection-dot" aria-hidden="true" />
      <span role="status">{sentence()}</span>
      {state === 'lost' && (
        <button type="button" class="button button-quiet" onClick={() => connection.retryNow()}>
          Try now
        </button>
      )}
    </span>
  );
}

function sentence(): string {
  switch (connection.state.value) {
    case 'open':
      return store.failure.value ?? 'Live';
    case 'connecting':
      return 'Connecting';
    default: {
      const seconds = Math.ceil((connection.retryAtMs.value - nowMs.value) / 1000);
      return seconds > 0 ? `Connection lost, trying again in ${seconds} s` : 'Connection lost, trying again';
    }
  }
}
