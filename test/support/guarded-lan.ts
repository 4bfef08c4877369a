import { udpFrame } from './ip-frames.ts';
import { BROADCAST, type LanPort, MemoryLan } from './memory-lan.ts';

/** The MAC address of the DHCP server. */
export const SERVER = '0200000000fe';

/** A guarded port for Ada, one for Bob, and a trusted one with a DHCP server. */
export function guarded(): { lan: MemoryLan; ada: LanPort; bob: LanPort; server: LanPort } {
  const lan = new MemoryLan();
  const ada = lan.join({ hasSourceGuard: true });
  const bob = lan.join({ hasSourceGuard: true });
  return { lan, ada, bob, server: lan.join({ isDhcpTrusted: true }) };
}

/** A UDP datagram with the source address `source`. */
export function data(from: string, source: string, tag = ''): string {
  return udpFrame(BROADCAST, from, source, '192.0.2.1', [5000, 5001], '00'.repeat(20), tag);
}
