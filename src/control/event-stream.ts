import { ControlStream, type ControlStreamOptions } from './control-stream.ts';
import type { ParamsOf } from './schema.ts';

/** An event of a switch, or `lost` with the number of events that are missing before the next one. */
export interface WatchedEvent {
  readonly event: string;
  /** the node that tells it, among those of a cluster */
  readonly at?: string;
  /** undefined for a notice about a node */
  readonly sequence?: number;
  readonly time: string;
  readonly [fact: string]: unknown;
}

export interface EventStreamOptions extends ControlStreamOptions {
  readonly method: 'subscribe' | 'subscribeCluster';
  readonly params: ParamsOf<'subscribe'>;
  readonly onEvent: (event: WatchedEvent) => void;
  readonly onEnd: (error: Error) => void;
}

/**
 * Opens a WebSocket to a control API and subscribes to events.
 * @returns the function that ends the subscription
 * @throws ControlError, EtherwsError as `ControlClient.call`
 */
export async function openEventStream(options: EventStreamOptions): Promise<() => void> {
  const { method: first, params, onEvent, onEnd } = options;
  const stream = await ControlStream.open(options, first, params, {
    notified: (method, event) => {
      if (method === 'event') onEvent(event as WatchedEvent);
    },
    ended: onEnd,
  });
  return () => stream.end();
}
