import type { BridgePort } from '../bridge/bridge-port.ts';
import type { DiscardReason } from '../bridge/port.ts';
import type { PortFault } from '../bridge/port-fault.ts';
import type { Logger } from '../observability/logger.ts';
import { describeFrame } from '../wire/ethernet/frame-summary.ts';

const CAUSES: Partial<Record<DiscardReason, string>> = {
  tooLong: 'are longer than it takes: the MTU of a device here, or of one that they came by, does not fit',
  badOffload: 'have an offload header that contradicts their octets, or that it cannot carry out',
  deviceError: 'are refused by its device',
};

/** Warns that a port begins to discard frames, and describes one of them. Further ones are only counted. */
export function logFault(
  logger: Logger,
  { number, port }: BridgePort,
  { direction, reason, example }: PortFault,
): void {
  const { target, maxFrameBytes } = port;
  logger.warn(
    {
      port: number,
      target,
      direction,
      reason,
      ...(reason === 'tooLong' ? { maxFrameBytes } : {}),
      ...(example === undefined ? {} : { frame: describeFrame(example) }),
    },
    `port ${number} begins to drop frames that ${CAUSES[reason] ?? 'it cannot take'}; listport --json counts them as ${reason}`,
  );
}
