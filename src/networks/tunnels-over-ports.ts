import type { BridgePort } from '../bridge/bridge-port.ts';
import { detailsOf } from '../bridge/port-details.ts';
import type { Logger } from '../observability/logger.ts';

/**
 * Warns of a tunnel that runs over a device which is a port of the same switch. The tunnel's packets that arrive at the
 * device also enter the switch as frames and go into the tunnel again, where each causes further packets.
 */
export class TunnelsOverPorts {
  readonly #logger: Logger;
  /** The pairs `TUNNEL DEVICE` of port numbers that were warned of, so that a tunnel that is dialled again is not repeated. */
  readonly #warned = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** To be called for a new port, and for a port whose tunnel was established. @param ports all ports */
  look(changed: BridgePort, ports: Iterable<BridgePort>): void {
    for (const other of ports) {
      if (changed.port.type === 'netdev') this.#compare(other, changed);
      else if (other.port.type === 'netdev') this.#compare(changed, other);
    }
  }

  /** To be called when the port was removed. */
  forget({ number }: BridgePort): void {
    for (const pair of [...this.#warned]) if (pair.split(' ').includes(String(number))) this.#warned.delete(pair);
  }

  #compare(tunnel: BridgePort, device: BridgePort): void {
    const address = plain(localAddressOf(tunnel));
    const pair = `${tunnel.number} ${device.number}`;
    if (address === undefined || this.#warned.has(pair) || !addressesOf(device).includes(address)) return;
    this.#warned.add(pair);
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
    // The device was deleted, so no tunnel runs over it.
    return [];
  }
}

/** The address in the form of rtnetlink: not IPv4-mapped, and without a zone. */
function plain(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}
