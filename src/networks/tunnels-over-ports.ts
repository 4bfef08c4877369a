import type { BridgePort } from '../bridge/bridge-port.ts';
import { detailsOf } from '../bridge/port-details.ts';
import type { Logger } from '../observability/logger.ts';

/**
 * Warns of a tunnel that runs over a device which is a port of the same switch: what arrives there for the tunnel enters
 * the switch, too, goes into the tunnel again as a frame, and each of these causes more of them.
 */
export class TunnelsOverPorts {
  readonly #logger: Logger;
  /** Pairs that were told of: a tunnel that is dialled again says nothing new. */
  readonly #told = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** To be called with a port that is new, or whose tunnel stands, and all ports. */
  look(changed: BridgePort, ports: Iterable<BridgePort>): void {
    for (const other of ports) {
      if (changed.port.type === 'netdev') this.#compare(other, changed);
      else if (other.port.type === 'netdev') this.#compare(changed, other);
    }
  }

  /** The port is none any more; its number will not come again. */
  forget({ number }: BridgePort): void {
    for (const pair of [...this.#told]) if (pair.split(' ').includes(String(number))) this.#told.delete(pair);
  }

  #compare(tunnel: BridgePort, device: BridgePort): void {
    const address = plain(localAddressOf(tunnel));
    const pair = `${tunnel.number} ${device.number}`;
    if (address === undefined || this.#told.has(pair) || !addressesOf(device).includes(address)) return;
    this.#told.add(pair);
    const { target } = device.port;
    this.#logger.warn(
      { port: tunnel.number, device: target, address },
      `the tunnel of port ${tunnel.number} runs over ${target}, which is port ${device.number}: the tunnel's own packets ` +
        'enter the switch and go into the tunnel again, which makes more of them; use another device for one of the two',
    );
  }
}

function localAddressOf({ port }: BridgePort): string | undefined {
  const details = detailsOf(port);
  return details?.kind === 'tunnel' ? details.connection?.localAddress : undefined;
}

function addressesOf({ port }: BridgePort): string[] {
  const details = detailsOf(port);
  if (details?.kind !== 'device') return [];
  try {
    return details.networkInterface.read().addresses.map(({ address }) => address);
  } catch {
    // The device has gone: nothing runs over it.
    return [];
  }
}

/** An address as rtnetlink has it: neither mapped into IPv6 nor with a zone. */
function plain(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}
