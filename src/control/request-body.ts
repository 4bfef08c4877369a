import type { IncomingMessage } from 'node:http';

/** Bodies up to this length are read in any case: a switch whose buffers are full has to be controlled. */
const SHORT_BYTES = 64 * 1024;

/** `aborted`: the connection is gone. All others can still be answered. */
export type BodyOutcome = Uint8Array | 'tooLong' | 'tooSlow' | 'noRoom' | 'aborted';

/** Where octets count that are held for a while; the process has a bound for all of them. */
export interface BodyBudget {
  readonly isFull: boolean;
  hold(bytes: number): void;
  release(bytes: number): void;
}

/**
 * Collects the body of a request. What stands beyond the limit is not read:
 * what a lying or missing Content-Length may cost is `limitBytes`.
 * @param deadlineMs from now on, not since the last piece: a byte a second must not hold the request open
 * @param budget the body counts there while it is collected; where that is full no long one is read
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
      clearTimeout(deadline);
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
    const deadline = setTimeout(() => settle('tooSlow'), deadlineMs);

    request.on('data', onData).on('end', onEnd).on('close', onClose);
    if (request.destroyed) settle('aborted');
  });
}
