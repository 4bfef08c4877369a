import type { Logger } from '../observability/logger.ts';
import { BUFFERS, DEFAULT_BUFFERS_BYTES } from '../ports/stream/buffer-budget.ts';

/** The least time between two warnings about full buffers. */
const WARNING_INTERVAL_MS = 60_000;

export function setBufferLimit(limitBytes: number = DEFAULT_BUFFERS_BYTES): void {
  BUFFERS.limitBytes = limitBytes;
}

/** Sets the process's limit of buffered octets. @param limitBytes default: see `--max-buffers` */
export function limitBuffers(limitBytes: number | undefined, logger: Logger): void {
  setBufferLimit(limitBytes);
  let warnedMs = Number.NEGATIVE_INFINITY;
  BUFFERS.onPressure = (heldBytes) => {
    const nowMs = performance.now();
    if (nowMs - warnedMs < WARNING_INTERVAL_MS) return;
    warnedMs = nowMs;
    const words = 'the buffers are nearly full: the tunnels that hold most lose frames or end (--max-buffers)';
    logger.warn({ heldBytes, limitBytes: BUFFERS.limitBytes }, words);
  };
}
