import { batchOf } from '../wire/ethernet/frame-batch.ts';
import type { BridgePort } from './bridge-port.ts';
import type { Mirrors } from './mirror/mirrors.ts';

/** Sends a frame of the bridge itself by an attached port, as `Bridge.transmit`. */
export function transmit(bridgePort: BridgePort, frame: Uint8Array, mirrors: Mirrors): boolean {
  const { isShut, link, isMirrorOutput } = bridgePort;
  if (isShut || link !== 'up' || isMirrorOutput) return false;
  const batch = batchOf(frame);
  const outer = mirrors.enter(undefined);
  const refused = bridgePort.port.send(batch, 0);
  bridgePort.port.flush(false);
  mirrors.leave(outer);
  if (refused === undefined) bridgePort.tx.count(frame.length, 1);
  else bridgePort.drop('tx', refused, 1, batch, 0);
  return refused === undefined;
}
