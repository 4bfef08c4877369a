import type { Host, Lab } from '../namespaces.ts';

/** The network between the sites: addresses as `10.50.0.N`. */
const NETWORK = '10.50.0.';
/** Kernel names of devices have at most 15 octets. */
const BACKBONE_BRIDGE = 'br0';

/** One switch of the kernel to which all sites and clients are connected by a cable each. */
export class Underlay {
  readonly #lab: Lab;
  readonly #backbone: Host;
  readonly #numbers = new Map<Host, number>();

  private constructor(lab: Lab, backbone: Host) {
    this.#lab = lab;
    this.#backbone = backbone;
  }

  static async build(lab: Lab): Promise<Underlay> {
    const backbone = await lab.host('backbone');
    await backbone.check(['ip', 'link', 'add', BACKBONE_BRIDGE, 'type', 'bridge']);
    await backbone.check(['ip', 'link', 'set', BACKBONE_BRIDGE, 'up']);
    return new Underlay(lab, backbone);
  }

  /** A new host with the address `10.50.0.NUMBER`. */
  async addHost(name: string, number: number): Promise<Host> {
    const host = await this.#lab.host(name);
    const cable = `to${number}`;
    await this.#lab.link(
      { host, device: 'eth0', addresses: [`${this.addressOf(number)}/24`] },
      { host: this.#backbone, device: cable, addresses: [] },
    );
    await this.#backbone.check(['ip', 'link', 'set', cable, 'master', BACKBONE_BRIDGE]);
    await host.check(['nft', 'add table inet cut; add chain inet cut in { type filter hook input priority 0; }']);
    this.#numbers.set(host, number);
    return host;
  }

  addressOf(number: number): string {
    return `${NETWORK}${number}`;
  }

  /**
   * Cuts two groups of hosts from each other: packets are dropped silently, as by a broken line.
   * @param tcpPort only packets of this TCP port; default: all
   */
  async cut(some: readonly Host[], others: readonly Host[], tcpPort?: number): Promise<void> {
    for (const host of some) for (const other of others) await this.cutOneWay(other, host, tcpPort);
    for (const host of others) for (const other of some) await this.cutOneWay(other, host, tcpPort);
  }

  /** Drops what `to` gets from `from`; the other direction stays. */
  async cutOneWay(from: Host, to: Host, tcpPort?: number): Promise<void> {
    const source = `ip saddr ${this.addressOf(this.#numbers.get(from) ?? 0)}`;
    const ports = tcpPort === undefined ? [''] : [`tcp sport ${tcpPort}`, `tcp dport ${tcpPort}`];
    await to.check(['nft', ports.map((port) => `add rule inet cut in ${source} ${port} drop`).join('; ')]);
  }

  /** Ends all cuts of a host, or of all hosts. */
  async join(...hosts: readonly Host[]): Promise<void> {
    const all = hosts.length === 0 ? [...this.#numbers.keys()] : hosts;
    await Promise.all(all.map((host) => host.check(['nft', 'flush chain inet cut in'])));
  }

  /** Takes the carrier of a host's cable away, or gives it back. */
  async setCable(host: Host, state: 'up' | 'down'): Promise<void> {
    await this.#backbone.check(['ip', 'link', 'set', `to${this.#numbers.get(host) ?? 0}`, state]);
  }
}
