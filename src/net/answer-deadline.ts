import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { queuedBytesOf } from './queued-bytes.ts';

export interface AnswerLimits {
  /** A connection is cut whose peer has taken nothing of an answer for so long. Default 30 000. */
  readonly stalledMs?: number;
  /** One that takes less than 1 MiB in so long is cut, after one more such time for each MiB that waited. Default 120 000. */
  readonly slowMs?: number;
}

const MIB = 1024 * 1024;

/**
 * Cuts the connection of an HTTP answer that its peer does not read: its octets stand in the memory of this process. While the
 * answer is being made there is no limit; each route has its own.
 */
export function boundAnswer(
  response: ServerResponse,
  socket: Socket,
  { stalledMs = 30_000, slowMs = 120_000 }: AnswerLimits = {},
): void {
  // Node restarts this time whenever octets leave, also parts of a large write.
  response.setTimeout(stalledMs, () => {
    if (socket.writableLength === 0) return;
    // After the event loop was blocked, the peer may have made room that nothing has been written into yet. More may wait behind it
    // than before, when a write is done and the next one begins.
    const queued = queuedBytesOf(socket);
    setImmediate(() => {
      if (response.writableFinished) return;
      if (queuedBytesOf(socket) !== queued) socket.setTimeout(stalledMs);
      else if (socket.writableLength > 0) socket.destroy();
    });
  });
  // The answer to a pipelined request gets the socket behind the one before it, and is told of no end until then.
  if (response.socket !== null) watchSlow(response, socket, slowMs);
  else response.once('socket', () => watchSlow(response, socket, slowMs));
}

function watchSlow(response: ServerResponse, socket: Socket, slowMs: number): void {
  let leftLooks: number | undefined;
  let takenBefore = socket.bytesWritten - socket.writableLength;
  const timer = setInterval(() => {
    const waiting = socket.writableLength;
    const taken = socket.bytesWritten - waiting;
    const isFast = taken - takenBefore >= MIB;
    takenBefore = taken;
    if (waiting === 0 || isFast) {
      leftLooks = undefined;
      return;
    }
    leftLooks = (leftLooks ?? 1 + Math.ceil(waiting / MIB)) - 1;
    if (leftLooks <= 0) socket.destroy();
  }, slowMs).unref();
  response.once('close', () => clearInterval(timer));
}
