import { randomUUID } from 'node:crypto';
import type { BridgePort, PortNumber } from '../bridge/bridge-port.ts';
import type { CloseReason, Port } from '../bridge/port.ts';
import { EtherwsError } from '../errors.ts';
import { EventHub } from '../events/event-hub.ts';
import { offloadEngine } from '../native/offload-engine.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { allClosed, closeAll } from '../runtime/close-all.ts';
import { defaultSettings, type NetworkChange } from '../schema/network-options.ts';
import type { OffloadEngine } from '../wire/offload/engine.ts';
import { AttachedPort, type AttachOptions } from './attached-port.ts';
import { settingsOf } from './bridge-port-settings.ts';
import { Captures } from './captures.ts';
import type { SeenEntry } from './fdb-entry.ts';
import { seenEntries } from './filtering-databases.ts';
import { factsOf, logLink } from './log-facts.ts';
import { Network } from './network.ts';
import { type FdbLimits, SwitchLogs, type SwitchSide, traceOf } from './network-parts.ts';
import { Networks } from './networks.ts';
import { PortAdministration } from './port-administration.ts';
import { PortDirectory } from './port-directory.ts';
import { stateOf } from './port-entries.ts';
import { requireRemovable } from './removable-network.ts';
import { SecondTick } from './second-tick.ts';
import { SwitchEvents } from './switch-events.ts';
import { TunnelsOverPorts } from './tunnels-over-ports.ts';

export interface SwitchOptions {
  /** The ageing time: how long an address is kept after its last frame (IEEE 802.1Q-2022, 8.8.3). Default 300 000. */
  ageingTimeMs?: number;
  /** Limit of addresses. When it is reached, the port with most loses its least recently seen one. Default 65 536. */
  fdbCapacity?: number;
  /** The reserved group addresses that are forwarded nevertheless: bit n means 01-80-C2-00-00-0n. Default none. */
  forwardReserved?: number;
  /** Software offload for super-frames. Default: the addon's if it is built, else in TypeScript. */
  offloadEngine?: OffloadEngine;
  /** The MAC addresses of its networks are made of it; no other switch of the LAN may have the same. Default: random. */
  addressSeed?: string;
  logger?: Logger;
}

/**
 * A running switch: one or more networks, which have one bridge each. It gives the sans-I/O bridges a clock, a timer and
 * a log, opens and closes the ports, and removes an accepted tunnel that its client has
 * closed. Numbers and names of ports are unique in the switch, events and captures are those of all networks.
 *
 * By itself it does not keep the process alive; its ports may.
 */
export class Switch {
  readonly #logs: SwitchLogs;
  readonly #tick: SecondTick;
  readonly #directory = new PortDirectory();
  readonly #networks: Networks;
  readonly #events: SwitchEvents;
  /** The events of the switch, for subscribers. */
  readonly events: EventHub = new EventHub();
  /** What changes ports that are attached. */
  readonly administration: PortAdministration;
  /** The captures of the switch. */
  readonly captures: Captures = new Captures({
    addTap: (port, tap) => this.#directory.of(port)?.network.bridge.addTap(port, tap),
    removeTap: (port, tap) => this.#directory.of(port)?.network.bridge.removeTap(port, tap),
  });
  /** Called when a port has its number and its settings, and before it receives anything. */
  onAttached: (port: AttachedPort) => void = () => undefined;
  /** Called when a port's labels, settings or link may have changed. */
  onChanged: (port: BridgePort) => void = () => undefined;
  /** Called when bindings of IP addresses have changed that the operator has not set. */
  onBindingsChanged: () => void = () => undefined;
  /** The address at which the control service listens, for LLDP; undefined: it listens at all addresses, or at none. */
  controlAddress: string | undefined;
  readonly #tunnelsOverPorts: TunnelsOverPorts;
  #limits: FdbLimits;
  #lastNumber = 0;
  #isClosed = false;

  /** @throws RangeError for an option that is out of range */
  constructor(options: SwitchOptions = {}) {
    this.#logs = new SwitchLogs(options.logger ?? SILENT);
    this.#tunnelsOverPorts = new TunnelsOverPorts(this.#logs.all);
    this.#events = new SwitchEvents(this.events, this.#directory);
    const { ageingTimeMs = 300_000, fdbCapacity = 65_536, forwardReserved = 0 } = options;
    this.#limits = { ageingTimeMs, fdbCapacity };
    const side: SwitchSide = {
      logs: this.#logs,
      events: this.events,
      forwardReserved,
      offloadEngine: options.offloadEngine ?? offloadEngine(),
      addressSeed: options.addressSeed ?? randomUUID(),
      labelsOf: (port) => this.#directory.of(port) ?? {},
      portCalled: (reference, network) => {
        const found = this.#directory.get(/^\d/.test(reference) ? Number(reference) : reference);
        return found?.network.name === network ? found.bridgePort : undefined;
      },
      controlAddress: () => this.controlAddress,
      changed: (port) => this.#changed(port),
      announce: (port) => this.#announce(port),
    };
    this.#networks = new Networks((name) => {
      const network = new Network(name, side, this.#limits);
      network.bridge.sourceGuard.bindings.onChange = (number) => {
        this.onBindingsChanged();
        const attached = this.#directory.get(number);
        if (attached !== undefined) this.onChanged(attached.bridgePort);
      };
      return network;
    });
    this.events.onDemand = () => {
      const listener = this.#events.wantsAddresses ? this.#events : undefined;
      for (const { bridge } of this.#networks) bridge.addressListener = listener;
    };
    const parts = { directory: this.#directory, logs: this.#logs };
    this.administration = new PortAdministration({
      ...parts,
      changed: (port) => this.onChanged(port),
      stateChanged: (port) => this.#changed(port),
    });
    this.#tick = new SecondTick({ ...parts, networks: this.#networks, events: this.#events });
  }

  /** To be called when the level of the log was changed: with `debug` each learned address and each frame is logged. */
  logLevelChanged(): void {
    for (const { name, bridge } of this.#networks) bridge.trace = traceOf(this.#logs, name);
  }

  /** The networks; `default` first. */
  get networks(): Iterable<Network> {
    return this.#networks;
  }

  /** @throws EtherwsError NETWORK_NOT_FOUND */
  network(name: string): Network {
    return this.#networks.find(name);
  }

  /** @param name only this one; default: all. @throws EtherwsError NETWORK_NOT_FOUND */
  networksNamed(name?: string): readonly Network[] {
    return name === undefined ? [...this.#networks] : [this.#networks.find(name)];
  }

  hasNetwork(name: string): boolean {
    return this.#networks.has(name);
  }

  /**
   * Adds a network without ports, or lets one stay that would be removed with its last port.
   * @param maker whose tunnel wants it: then it is removed with its last port
   * @throws EtherwsError NETWORK_EXISTS, REQUEST_REFUSED
   */
  addNetwork(name: string, settings: NetworkChange = {}, maker?: string): Network {
    if (this.#isClosed) throw new EtherwsError('PORT_CLOSED', 'The switch is closed and takes no more networks');
    const present = this.#networks.has(name) ? this.#networks.find(name) : undefined;
    if (present?.maker !== undefined && maker === undefined) {
      present.maker = undefined;
      return this.configureNetwork(name, { ...defaultSettings(name), ...settings });
    }
    const network = this.#networks.add(name);
    network.maker = maker;
    network.configure(settings);
    if (this.#events.wantsAddresses) network.bridge.addressListener = this.#events;
    this.#logs.all.info({ network: name }, 'network added');
    this.events.publish('network-added', { network: name });
    return network;
  }

  /**
   * Removes a network.
   * @param isForced with its ports, which are closed
   * @throws EtherwsError NETWORK_NOT_FOUND, NETWORK_IN_USE, REQUEST_REFUSED for the default network
   */
  async removeNetwork(name: string, isForced = false): Promise<void> {
    const network = this.#networks.find(name);
    requireRemovable(network, isForced);
    // Gone at once, so that no port comes to it meanwhile.
    network.maker = undefined;
    const closing = [...network.bridge.ports.values()].reverse().map((port) => this.#drop(port, 'removed'));
    this.#removeEmpty(network);
    await allClosed(closing);
  }

  /** Changes settings of a network; absent ones stay. @throws EtherwsError NETWORK_NOT_FOUND */
  configureNetwork(name: string, settings: NetworkChange): Network {
    const network = this.#networks.find(name);
    network.configure(settings);
    this.administration.settingsChanged(this.attachedPorts(name));
    return network;
  }

  /** The limits of filtering databases of networks without others. */
  get limits(): FdbLimits {
    return this.#limits;
  }

  /** The attached ports by number, in ascending order. */
  get ports(): ReadonlyMap<PortNumber, BridgePort> {
    return this.#directory.bridgePorts;
  }

  /**
   * Adds a port, opens it, and takes ownership of it.
   * @returns its number: that of `options`, if no port has it; else 1, 2, …, and numbers are not reused
   * @throws EtherwsError PORT_CLOSED, PORT_NAME_TAKEN, NETWORK_NOT_FOUND; then the caller still owns the port
   */
  attach(port: Port, options: AttachOptions = {}): PortNumber {
    if (this.#isClosed) throw new EtherwsError('PORT_CLOSED', 'The switch is closed and takes no more ports');
    this.requireFreeName(options.name);
    const network = options.network === undefined ? this.#networks.default : this.#networks.find(options.network);
    const { bridge } = network;
    const { number: wanted } = options;
    const number = wanted === undefined || this.#directory.has(wanted) ? this.#lastNumber + 1 : wanted;
    this.reserveNumbers(number);
    const bridgePort = bridge.attach(port, number);
    const attached = new AttachedPort(bridgePort, network, options);
    bridge.setSettings(bridgePort, settingsOf(attached.values));
    attached.noteState(stateOf(bridgePort).state);
    this.#directory.add(attached);
    this.#logs.all.info({ ...factsOf(attached), type: port.type }, 'port attached');
    network.portAdded(bridgePort);
    options.attached?.(bridgePort);
    this.onAttached(attached);
    port.open({
      receive: (batch) => bridge.receive(bridgePort, batch, performance.now()),
      linkChanged: (state, reason) => {
        logLink(this.#logs.all, attached, state, reason);
        bridge.setLink(bridgePort, state, reason);
        if (state === 'up') attached.noteConnection();
        this.#changed(bridgePort);
        if (state === 'up') this.#tunnelsOverPorts.look(bridgePort, bridge.eachPort());
        if (state === 'closed' && (port.type === 'server' || port.type === 'mesh'))
          void this.#drop(bridgePort, 'removed');
      },
      tunnelLost: (tunnelId) => {
        bridge.portOfTunnel(tunnelId)?.port.tunnel?.abandon('lost at its other end');
      },
      discarded: (direction, reason, frames, example) => bridgePort.discard(direction, reason, frames, example),
    });
    network.portChanged(bridgePort);
    this.#tunnelsOverPorts.look(bridgePort, bridge.eachPort());
    if (this.#directory.of(bridgePort) !== undefined) this.#events.added(attached);
    return bridgePort.number;
  }

  /** The highest number that a port has had, or that is reserved. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /** Changes the ageing time and the capacity of filtering databases. @throws RangeError as the constructor */
  setFdbLimits({ ageingTimeMs, fdbCapacity }: FdbLimits): void {
    this.#limits = { ageingTimeMs, fdbCapacity };
    for (const network of this.#networks) network.setLimits(this.#limits);
  }

  /** Reserves the numbers up to this one for ports that are attached with `AttachOptions.number`. */
  reserveNumbers(upTo: number): void {
    this.#lastNumber = Math.max(this.#lastNumber, upTo);
  }

  /**
   * Removes a port and closes it.
   * @param reference its number or its name
   * @param reason what its far end is told
   * @returns its last state
   * @throws EtherwsError PORT_NOT_FOUND
   */
  async detach(reference: number | string, reason: CloseReason = 'removed'): Promise<BridgePort> {
    const bridgePort = this.port(reference);
    await this.#drop(bridgePort, reason);
    return bridgePort;
  }

  /** @param reference its number or its name. @throws EtherwsError PORT_NOT_FOUND */
  port(reference: number | string): BridgePort {
    return this.attachedPort(reference).bridgePort;
  }

  /** @param reference its number or its name. @throws EtherwsError PORT_NOT_FOUND */
  attachedPort(reference: number | string): AttachedPort {
    return this.#directory.find(reference);
  }

  /** @returns undefined if there is no port with this number */
  portAt(number: number): AttachedPort | undefined {
    return this.#directory.get(number);
  }

  /** The name of a port's network; undefined: there is no such port. @param reference its number or its name */
  networkOf(reference: number | string): string | undefined {
    return this.#directory.get(reference)?.network.name;
  }

  /** In the order of their numbers. @param network only of this one; default: of all. @throws EtherwsError NETWORK_NOT_FOUND */
  attachedPorts(network?: string): Iterable<AttachedPort> {
    if (network === undefined) return this.#directory.ports();
    return [...this.#networks.find(network).bridge.ports.keys()].map((number) => this.#directory.find(number));
  }

  /** @returns undefined for a port without a name, and for a removed one */
  nameOf(bridgePort: BridgePort): string | undefined {
    return this.#directory.of(bridgePort)?.name;
  }

  /** @returns undefined for a port without a name, and for a removed one */
  portName(number: number): string | undefined {
    return this.#directory.get(number)?.name;
  }

  /** @throws EtherwsError PORT_NAME_TAKEN */
  requireFreeName(name: string | undefined): void {
    this.#directory.requireFree(name);
  }

  /**
   * The learned addresses; for each the time since it was last seen, and whether it has moved more than ten times within a minute.
   * @param network only of this one; default: of all
   * @throws EtherwsError NETWORK_NOT_FOUND
   */
  fdb(network?: string): SeenEntry[] {
    return seenEntries(this.networksNamed(network), performance.now());
  }

  /** Closes all ports, the newest one first. Idempotent. */
  async close(reason: CloseReason = 'shutdown'): Promise<void> {
    this.#isClosed = true;
    this.#tick.close();
    const ports = [...this.ports.values()].reverse();
    await closeAll([
      () => allClosed(ports.map((port) => this.#drop(port, reason))),
      ...[...this.#networks].map((network) => () => network.close()),
    ]);
  }

  async #drop(bridgePort: BridgePort, reason: CloseReason): Promise<void> {
    const attached = this.#directory.of(bridgePort);
    if (attached === undefined) return;
    this.#events.removed(attached);
    this.captures.portRemoved(bridgePort);
    attached.network.portLeaving(bridgePort);
    attached.network.bridge.detach(bridgePort);
    this.#directory.remove(attached);
    attached.network.portRemoved(bridgePort);
    this.#tunnelsOverPorts.forget(bridgePort);
    attached.dropped?.(bridgePort);
    const { network } = attached;
    if (network.maker !== undefined && network.bridge.ports.size === 0) this.#removeEmpty(network);
    await bridgePort.port.close(reason);
    this.#logs.all.info(factsOf(attached), 'port removed');
  }

  #removeEmpty(network: Network): void {
    const { name } = network;
    this.#networks.remove(network);
    this.#logs.all.info({ network: name }, 'network removed');
    this.events.publish('network-removed', { network: name });
  }

  /** To be called after a possible change of a port's state, or of its link's. */
  #changed(bridgePort: BridgePort): void {
    this.#directory.of(bridgePort)?.network.portChanged(bridgePort);
    this.#announce(bridgePort);
    this.onChanged(bridgePort);
  }

  #announce(bridgePort: BridgePort): void {
    const attached = this.#directory.of(bridgePort);
    if (attached === undefined) return;
    attached.noteState(stateOf(bridgePort).state);
    this.#events.changed(attached);
  }
}
