import { WebSocket } from 'ws';
import { isPingFiller } from '../../src/wire/tunnel/ping-filler.ts';

/**
 * A WebSocket of ws as the far end of a tunnel on the raw wire. The frames that a switch sends after its pings are no
 * events. The first one comes after 20 s, so a test that took them for frames of others would fail on busy machines only.
 */
export class TunnelSocket extends WebSocket {
  // biome-ignore lint/suspicious/noExplicitAny: the arguments of an event are whatever its emitter says
  override emit(event: string | symbol, ...args: any[]): boolean {
    const [bytes, isBinary] = args;
    if (event === 'message' && isBinary === true && isPingFiller(bytes, 0, bytes.length)) return false;
    return super.emit(event, ...args);
  }
}
