import type { BridgePort, PortNumber } from '../bridge/bridge-port.ts';
import { NumberedMap } from '../bridge/numbered-map.ts';
import { EtherwsError } from '../errors.ts';
import { closestWord } from '../schema/closest-word.ts';
import type { AttachedPort, PortLabels } from './attached-port.ts';

/** Limit of the ports that an error lists. */
const MOST_SHOWN = 10;

/** The ports of a switch, found by number and by name. */
export class PortDirectory {
  readonly #byNumber = new NumberedMap<PortNumber, AttachedPort>();
  readonly #bridgePorts = new NumberedMap<PortNumber, BridgePort>();
  readonly #byName = new Map<string, AttachedPort>();

  add(port: AttachedPort): void {
    this.#byNumber.set(port.bridgePort.number, port);
    this.#bridgePorts.set(port.bridgePort.number, port.bridgePort);
    if (port.name !== undefined) this.#byName.set(port.name, port);
  }

  remove(port: AttachedPort): void {
    this.#byNumber.delete(port.bridgePort.number);
    this.#bridgePorts.delete(port.bridgePort.number);
    if (port.name !== undefined) this.#byName.delete(port.name);
  }

  has(number: number): boolean {
    return this.#byNumber.has(number as PortNumber);
  }

  /** The ports of the bridges, in the order of their numbers. */
  get bridgePorts(): ReadonlyMap<PortNumber, BridgePort> {
    return this.#bridgePorts.sorted;
  }

  /** In the order of their numbers. */
  ports(): IterableIterator<AttachedPort> {
    return this.#byNumber.sorted.values();
  }

  /** The attached port of a port of the bridge; undefined for one that was removed, also if another one has its number now. */
  of(bridgePort: BridgePort): AttachedPort | undefined {
    const found = this.#byNumber.get(bridgePort.number);
    return found?.bridgePort === bridgePort ? found : undefined;
  }

  /** The port with this number or name. */
  get(reference: number | string): AttachedPort | undefined {
    return typeof reference === 'string' ? this.#byName.get(reference) : this.#byNumber.get(reference as PortNumber);
  }

  /** @throws EtherwsError PORT_NOT_FOUND */
  find(reference: number | string): AttachedPort {
    const found = this.get(reference);
    if (found !== undefined) return found;
    const isName = typeof reference === 'string';
    const called = isName ? `no port named "${reference}"` : `no port ${reference}`;
    throw new EtherwsError('PORT_NOT_FOUND', `There is ${called}`, { hint: this.#hint(reference) });
  }

  /**
   * @param owner a port that may have the name
   * @throws EtherwsError PORT_NAME_TAKEN
   */
  requireFree(name: string | undefined, owner?: AttachedPort): void {
    const holder = name === undefined ? undefined : this.#byName.get(name);
    if (holder === undefined || holder === owner) return;
    const { number, port } = holder.bridgePort;
    throw new EtherwsError(
      'PORT_NAME_TAKEN',
      `The name "${name}" is that of port ${number} (${port.type} ${port.target})`,
      { hint: `Choose another one, or take it away there with setport ${number} --name ''` },
    );
  }

  /** Changes the name and description of a port; absent labels stay unchanged. @throws EtherwsError PORT_NAME_TAKEN */
  label(port: AttachedPort, { name, description }: PortLabels): void {
    if (name !== undefined) {
      this.requireFree(name, port);
      if (port.name !== undefined) this.#byName.delete(port.name);
      port.name = name || undefined;
      if (port.name !== undefined) this.#byName.set(port.name, port);
    }
    if (description !== undefined) port.description = description || undefined;
  }

  #hint(reference: number | string): string {
    const meant = typeof reference === 'string' ? closestWord(reference, this.#byName.keys()) : undefined;
    if (meant !== undefined) return `Did you mean ${meant}?`;
    const present = [...this.#byNumber.sorted.values()];
    if (present.length === 0) return 'The switch has no ports';
    const shown = present.slice(0, MOST_SHOWN).map(describe).join(', ');
    return `The switch has port${present.length === 1 ? '' : 's'} ${shown}${present.length > MOST_SHOWN ? ', …' : ''}`;
  }
}

function describe({ bridgePort, name }: AttachedPort): string {
  return name === undefined ? `${bridgePort.number}` : `${bridgePort.number} (${name})`;
}
