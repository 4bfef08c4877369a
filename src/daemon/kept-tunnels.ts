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
import { check, dottedNames } from '../schema/check.ts';
import { DEFAULT_NETWORK } from '../schema/network-options.ts';
import { objectOf, type Table, type ValuesOf } from '../schema/table.ts';
import { TUNNEL_RECORD } from '../schema/tunnel-record.ts';
import { anyText, integer, listOf } from '../schema/types.ts';
import type { Roaming } from './roaming.ts';

/** An accepted tunnel in the file of `--state`, which has only hashes of tokens. */
const KEPT = {
  number: { type: integer(1, MOST_PORT_NUMBER), required: true, help: 'number of the port' },
  ...TUNNEL_RECORD,
  latest: { type: anyText, required: true, help: 'hash of the token of its client' },
  session: { type: anyText, help: 'its key among the sessions of the cluster' },
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
  /** the keys of tunnels among the sessions of a cluster; undefined: there is no cluster */
  readonly roaming?: Pick<Roaming, 'idOf' | 'know' | 'isElsewhere'> | undefined;
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
    const { server, etherSwitch, attach, ports, logger, state, roaming } = this.#options;
    const names = new Set(ports.map((port) => port.spec.name));
    for (const kept of this.#read()) {
      const { number, name, description, shut, settings: values = {}, session, ...tunnelOf } = kept;
      const { user = null, network = DEFAULT_NETWORK, ...tunnel } = tunnelOf;
      // Another node has taken the session over while this one was down; its client may be connected there.
      if (session !== undefined && roaming?.isElsewhere(session)) continue;
      const port = server.kept.restore({ ...tunnel, presented: tunnel.presented, user, network });
      if (port === undefined) continue;
      if (session !== undefined) roaming?.know(port, session);
      try {
        const labels = { name: names.has(name) ? '' : (name ?? ''), description: description ?? '' };
        const given = attach(port, user, { network, address: tunnel.address }, { number, values, ...labels });
        this.note(port, given);
        if (shut) etherSwitch.administration.setShut(given, true);
      } catch (error) {
        logger.warn({ port: number, error }, 'the port of a tunnel could not be made again');
        void port.close('shutdown');
      }
    }
    // Made anew for each write, since names, too, change.
    state.follow(SECTION, () => this.#section());
    server.kept.follow(() => this.#changed());
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
    const { server, etherSwitch, roaming } = this.#options;
    const attached = new Map<PortNumber | undefined, AttachedPort>(
      [...etherSwitch.attachedPorts()].map((port) => [port.bridgePort.number, port]),
    );
    const section: unknown[] = [];
    for (const { port, user, ...tunnel } of server.kept.all()) {
      const { bridgePort, name, description, ownValues = {} } = attached.get(this.#numbers.get(port)) ?? {};
      if (bridgePort === undefined) continue;
      const { number, isShut } = bridgePort;
      const settings = Object.keys(ownValues).length === 0 ? {} : { settings: ownValues };
      const owner = user === null ? {} : { user };
      const session = roaming === undefined ? {} : { session: roaming.idOf(port) };
      section.push({ number, name, description, shut: isShut, ...settings, ...owner, ...session, ...tunnel });
    }
    return section;
  }

  #read(): readonly ValuesOf<typeof KEPT>[] {
    const { state } = this.#options;
    return state.readAs(SECTION, (section) => check(keptTunnels, section, dottedNames(SECTION))) ?? [];
  }
}
