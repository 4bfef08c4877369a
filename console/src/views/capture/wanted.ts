/** The ports of a capture and its filter, as they are typed. */

/** As the switch has it. */
export const MOST_PORTS = 64;

/** `aa:bb:cc:dd:ee:ff` of any usual spelling; undefined if it is none. */
export function macOf(text: string): string | undefined {
  const digits = text.trim().toLowerCase().replace(/[:.-]/g, '');
  return /^[0-9a-f]{12}$/.test(digits) ? digits.replace(/(..)(?=.)/g, '$1:') : undefined;
}

/** The filter that follows a station, beside another filter. */
export function filterOf(station: string, filter: string): string {
  const mac = macOf(station);
  if (mac === undefined) return filter.trim();
  const own = `ether host ${mac}`;
  return filter.trim() === '' ? own : `${own} and (${filter.trim()})`;
}

/** A port of a capture, and what it is known by. */
export interface PortName {
  readonly port: number;
  readonly name: string | null;
}

/** `uplink (3)`, or `3` */
export function shownPort({ port, name }: PortName): string {
  return name === null ? String(port) : `${name} (${port})`;
}

/** The port that a text means: a name, a number, or as `shownPort`. */
export function portIn(text: string, ports: readonly PortName[]): number | undefined {
  const wanted = text.trim();
  const found = ports.find(
    (port) => port.name === wanted || String(port.port) === wanted || shownPort(port) === wanted,
  );
  return found?.port;
}

/**
 * The ports in the order of their numbers. It is the former list while no port came, left or got another name, though counters
 * of ports change each second: so what depends on the list runs only when it must.
 */
export function portsOf(ports: Iterable<PortName>, former: readonly PortName[]): readonly PortName[] {
  const now = [...ports].map(({ port, name }) => ({ port, name })).sort((one, other) => one.port - other.port);
  const isSame = now.every(({ port, name }, at) => port === former[at]?.port && name === former[at]?.name);
  return isSame && now.length === former.length ? former : now;
}
