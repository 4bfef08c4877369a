import type { MirrorStep } from './script.ts';

/** The mirrors of a script in the table `Mirror` of Open vSwitch: one for each mirrored port, and one for all ports. */
export class OvsMirrors {
  readonly #bridge: string;
  readonly #ofPorts = new Map<number, MirrorStep>();
  #allTo = 0;

  constructor(bridge: string) {
    this.#bridge = bridge;
  }

  set(step: MirrorStep): void {
    if (step.to === 0) this.#ofPorts.delete(step.port);
    else this.#ofPorts.set(step.port, step);
  }

  setAll(to: number): void {
    this.#allTo = to;
  }

  /** @returns whether there were any */
  clear(): boolean {
    const wereAny = this.#ofPorts.size > 0 || this.#allTo !== 0;
    this.#ofPorts.clear();
    this.#allTo = 0;
    return wereAny;
  }

  /** Whether the port is reserved for copies. */
  isOutput(port: number): boolean {
    return port === this.#allTo || [...this.#ofPorts.values()].some(({ to }) => to === port);
  }

  /**
   * The operations that replace the mirrors of the bridge. Rows that nothing refers to are removed by the database.
   * @param idOf the UUID of the row of a port in the table `Port`
   */
  operations(idOf: (port: number) => string): object[] {
    const setOf = (port: number, isIn: boolean): object => ['set', isIn ? [['uuid', idOf(port)]] : []] as object;
    const rows = [...this.#ofPorts.values()].map(({ port, to, direction, vids }) => ({
      select_src_port: setOf(port, direction !== 'tx'),
      select_dst_port: setOf(port, direction !== 'rx'),
      select_vlan: ['set', vids],
      output_port: ['uuid', idOf(to)],
    }));
    const all = this.#allTo === 0 ? [] : [{ select_all: true, output_port: ['uuid', idOf(this.#allTo)] }];
    const inserts = [...rows, ...all].map((row, at) => ({
      op: 'insert',
      table: 'Mirror',
      row: { name: `mirror${at}`, ...row },
      'uuid-name': `row${at}`,
    }));
    const mirrors = ['set', inserts.map((insert) => ['named-uuid', insert['uuid-name']])];
    const bridge = { op: 'update', table: 'Bridge', where: [['name', '==', this.#bridge]], row: { mirrors } };
    return [...inserts, bridge];
  }
}
