import type { Bridge } from '../bridge.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { MulticastOptions } from './multicast-settings.ts';
import { MulticastSnooper } from './multicast-snooper.ts';

/** The snooper of a bridge. @param ports those that forward now */
export function makeSnooper(
  bridge: Bridge,
  options: MulticastOptions,
  ports: Iterable<BridgePort>,
  nowMs: number,
): MulticastSnooper {
  const snooper = new MulticastSnooper({
    ...options,
    send: (port, vid, frame) => bridge.transmitInVlan(port, vid, frame),
    ports,
  });
  snooper.setQuerier(options.isQuerier, nowMs);
  return snooper;
}
