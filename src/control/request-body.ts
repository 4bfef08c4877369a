import type { IncomingMessage } from 'node:http';
import { PeerDeadline } from '../net/peer-deadline.ts';

/** Bodies up to this length are always read: a switch whose buffers are full must stay controllable. */
const SHORT_BYTES = 64 * 1024;

/** `aborted`: the connection is closed, so no response is possible. */
export type BodyOutcome = Uint8Array | 'tooLong' | 'tooSlow' | 'noRoom' | 'aborted';

/** The budget of buffered octets of the process. */
export interface BodyBudget {
  readonly isFull: boolean;
  hold(bytes: number): void;
  release(bytes: number): void;
}

/**
 * Collects the body of a request. Octets beyond the limit are not read,
 * so at most `limitBytes` are held, whatever Content-Length says.
 * @param deadlineMs for the whole body, so that a slow sender cannot keep the request open
 * @param budget counts the body while it is collected; while it is full, long bodies are refused
 */
export function readBody(
  request: IncomingMessage,
  limitBytes: number,
  deadlineMs: number,
  budget?: BodyBudget,
): Promise<BodyOutcome> {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return Promise.resolve('tooLong');
  return new Promise((resolve) => {
    const pieces: Uint8Array[] = [];
    let bytes = 0;

    const settle = (outcome: BodyOutcome): void => {
      deadline.cancel();
      budget?.release(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      request.pause();
      resolve(outcome);
    };
    const onData = (piece: Uint8Array): void => {
      bytes += piece.byteLength;
      if (bytes > limitBytes) settle('tooLong');
      else if (bytes > SHORT_BYTES && budget?.isFull === true) settle('noRoom');
      else {
        budget?.hold(piece.byteLength);
        pieces.push(piece);
      }
    };
    const onEnd = (): void => settle(Buffer.concat(pieces, bytes));
    const onClose = (): void => settle('aborted');
    const deadline = new PeerDeadline(deadlineMs, () => settle('tooSlow'));

    request.on('data', onData).on('end', onEnd).on('close', onClose);
    if (request.destroyed) settle('aborted');
  });
}
