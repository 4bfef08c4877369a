import type { PortNumber } from '../bridge/bridge-port.ts';
import type { Port } from '../bridge/port.ts';
import { MOST_PORT_NUMBER } from '../config/kept-ports.ts';
import type { WantedPort } from '../config/wanted-ports.ts';
import type { AttachedPort, AttachOptions } from '../networks/attached-port.ts';
import type { Switch } from '../networks/switch.ts';
import type { Logger } from '../observability/logger.ts';
import type { TunnelServer } from '../ports/tunnel/accept/accept-tunnel.ts';
import type { TunnelFacts } from '../ports/tunnel/accept/server-options.ts';
import type { StateFile } from '../runtime/state-file.ts';
import { BRIDGE_PORT_OPTIONS } from '../schema/bridge-port-options.ts';
import { check, dottedNames } from '../schema/check.ts';
import { DEFAULT_NETWORK } from '../schema/network-options.ts';
import { objectOf, type Table, type ValuesOf } from '../schema/table.ts';
import { anyText, flag, integer, listOf } from '../schema/types.ts';

/** An accepted tunnel in the file of `--state`, which has only hashes of tokens. */
const KEPT = {
  number: { type: integer(1, MOST_PORT_NUMBER), required: true, help: 'number of the port' },
  name: { type: anyText, help: 'name of the port' },
  description: { type: anyText, help: 'its description' },
  shut: { type: flag, required: true, help: 'whether the port is shut' },
  settings: { type: objectOf(BRIDGE_PORT_OPTIONS), help: 'the settings of its bridge port that are not the defaults' },
  user: { type: anyText, help: 'the user of its client' },
  network: { type: anyText, help: 'its network', default: DEFAULT_NETWORK },
  target: { type: anyText, required: true, help: 'address and port of its client' },
  address: { type: anyText, required: true, help: 'what counts for the limit of an address' },
  latest: { type: anyText, required: true, help: 'hash of the token of its client' },
  presented: { type: anyText, help: 'hash of the token before, if the client may not know the latest' },
} as const satisfies Table;

const keptTunnels = listOf(objectOf(KEPT));

const SECTION = 'tunnels';

/**
 * Attaches a tunnel to the switch, with the rights of its user.
 * @returns the port's number
 * @throws EtherwsError as `Switch.attach`
 */
export type AttachTunnel = (
  port: Port,
  user: string | null,
  facts: TunnelFacts,
  options?: Omit<AttachOptions, 'network'>,
) => PortNumber;

export interface KeptTunnelsOptions {
  readonly state: StateFile;
  readonly server: TunnelServer;
  readonly etherSwitch: Switch;
  readonly attach: AttachTunnel;
  /** the ports of the configuration, whose names have precedence */
  readonly ports: readonly WantedPort[];
  readonly logger: Logger;
}

/**
 * Keeps the ports of accepted tunnels across a restart, with number, name, description and settings. After it the ports
 * wait for their clients as after the loss of a connection.
 */
export class KeptTunnels {
  readonly #options: KeptTunnelsOptions;
  readonly #numbers = new WeakMap<Port, PortNumber>();
  #isClosed = false;

  constructor(options: KeptTunnelsOptions) {
    this.#options = options;
  }

  /** To be called when an accepted tunnel has become a port. */
  note(port: Port, number: PortNumber): void {
    this.#numbers.set(port, number);
  }

  /** Attaches the ports of the last run, and keeps those of this run from now on. */
  restore(): void {
    const { server, etherSwitch, attach, ports, logger, state } = this.#options;
    const names = new Set(ports.map((port) => port.spec.name));
    for (const kept of this.#read()) {
      const { number, name, description, shut, settings: values = {}, ...tunnelOf } = kept;
      const { user = null, network = DEFAULT_NETWORK, ...tunnel } = tunnelOf;
      const port = server.restore({ ...tunnel, presented: tunnel.presented, user, network });
      if (port === undefined) continue;
      try {
        const labels = { name: names.has(name) ? '' : (name ?? ''), description: description ?? '' };
        const given = attach(port, user, { network, address: tunnel.address }, { number, values, ...labels });
        this.note(port, given);
        if (shut) etherSwitch.setShut(given, true);
      } catch (error) {
        logger.warn({ port: number, error }, 'the port of a tunnel could not be made again');
        void port.close('shutdown');
      }
    }
    // Made anew for each write, since names, too, change.
    state.follow(SECTION, () => this.#section());
    server.followKept(() => this.#changed());
    this.#changed();
  }

  /** Keeps the tunnels a last time: those that end later end because the switch does. */
  async close(): Promise<void> {
    const section = this.#section();
    this.#isClosed = true;
    await this.#options.state.keep(SECTION, section);
  }

  #changed(): void {
    if (!this.#isClosed) this.#options.state.keepSoon(SECTION, () => this.#section());
  }

  #section(): unknown[] {
    const { server, etherSwitch } = this.#options;
    const attached = new Map<PortNumber | undefined, AttachedPort>(
      [...etherSwitch.attachedPorts()].map((port) => [port.bridgePort.number, port]),
    );
    const section: unknown[] = [];
    for (const { port, user, ...tunnel } of server.kept()) {
      const { bridgePort, name, description, values = {} } = attached.get(this.#numbers.get(port)) ?? {};
      if (bridgePort === undefined) continue;
      const { number, isShut } = bridgePort;
      const settings = Object.keys(values).length === 0 ? {} : { settings: values };
      const owner = user === null ? {} : { user };
      section.push({ number, name, description, shut: isShut, ...settings, ...owner, ...tunnel });
    }
    return section;
  }

  #read(): readonly ValuesOf<typeof KEPT>[] {
    const { state } = this.#options;
    const section = state.read(SECTION);
    return section === undefined ? [] : check(keptTunnels, section, dottedNames(SECTION));
  }
}
