import type { MoveReport } from '../bridge/move-watch.ts';
import type { Logger } from '../observability/logger.ts';
import { formatMacAddress } from '../wire/ethernet/mac-address.ts';

/** Warns of an address that moves repeatedly between ports, or of a loop. */
export function logMoves(logger: Logger, report: MoveReport): void {
  const { ports, moves } = report;
  const between = `ports ${ports.join(' and ')}`;
  if (report.kind === 'loop') {
    const { addresses } = report;
    logger.warn(
      { ports, addresses, moves },
      `loop between ${between}: ${addresses} addresses move between them; take one of the two ways away`,
    );
    return;
  }
  const mac = formatMacAddress(report.mac);
  const seconds = Math.max(1, Math.round(report.withinMs / 1000));
  logger.warn(
    { mac, vid: report.vid, ports, moves, seconds },
    `${mac} in VLAN ${report.vid} moved ${moves} times between ${between} within ${seconds} s: two stations have this address, or there is a loop`,
  );
}
