import type { IncomingMessage } from 'node:http';

/** `tooLong` and `tooSlow` can still be answered; `aborted`: nobody is there any more. */
export type BodyOutcome = Uint8Array | 'tooLong' | 'tooSlow' | 'aborted';

/**
 * Collects the body of a request. What stands beyond the limit is not read:
 * what a lying or missing Content-Length may cost is `limitBytes`.
 * @param deadlineMs from now on, not since the last piece: a byte a second must not hold the request open
 */
export function readBody(request: IncomingMessage, limitBytes: number, deadlineMs: number): Promise<BodyOutcome> {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return Promise.resolve('tooLong');
  return new Promise((resolve) => {
    const pieces: Uint8Array[] = [];
    let bytes = 0;

    const settle = (outcome: BodyOutcome): void => {
      clearTimeout(deadline);
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      request.pause();
      resolve(outcome);
    };
    const onData = (piece: Uint8Array): void => {
      bytes += piece.byteLength;
      if (bytes > limitBytes) settle('tooLong');
      else pieces.push(piece);
    };
    const onEnd = (): void => settle(Buffer.concat(pieces, bytes));
    const onClose = (): void => settle('aborted');
    const deadline = setTimeout(() => settle('tooSlow'), deadlineMs);

    request.on('data', onData).on('end', onEnd).on('close', onClose);
    if (request.destroyed) settle('aborted');
  });
}
