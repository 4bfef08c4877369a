import { isDeepStrictEqual } from 'node:util';
import { Bridge } from '../bridge/bridge.ts';
import type { BridgePort, PortNumber } from '../bridge/bridge-port.ts';
import type { BridgeTrace } from '../bridge/bridge-trace.ts';
import type { FilteringEntry } from '../bridge/fdb.ts';
import type { CloseReason, Port } from '../bridge/port.ts';
import { EtherwsError } from '../errors.ts';
import { EventHub } from '../events/event-hub.ts';
import { NativeFlowTable } from '../native/flow-table.ts';
import { offloadEngine } from '../native/offload-engine.ts';
import { limitLevel, type RecordLimit } from '../observability/limited-logger.ts';
import { type Logger, SILENT } from '../observability/logger.ts';
import { type BridgePortValues, deviatingValues } from '../schema/bridge-port-options.ts';
import { formatMacAddress } from '../wire/ethernet/mac-address.ts';
import type { OffloadEngine } from '../wire/offload/engine.ts';
import { AttachedPort, type AttachOptions, type PortLabels } from './attached-port.ts';
import { settingsOf } from './bridge-port-settings.ts';
import { Captures } from './captures.ts';
import { logFault } from './log-fault.ts';
import { logMoves } from './log-moves.ts';
import { PortDirectory } from './port-directory.ts';
import { stateOf } from './port-entries.ts';
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
  logger?: Logger;
}

const AGEING_INTERVAL_MS = 1000;
/** The rate limit of each kind of warning that peers can cause. */
const WARNINGS: RecordLimit = { burst: 10, perSecond: 0.2 };
/** The rate limit of lines about ports: a client that connects repeatedly causes three for each connection. */
const PORT_LINES: RecordLimit = { burst: 300, perSecond: 30 };

/**
 * A running bridge: it gives the sans-I/O `Bridge` a clock, a timer and
 * a log, opens and closes the ports, and removes an accepted tunnel that its client has
 * closed.
 *
 * By itself it does not keep the process alive; its ports may.
 */
export class Switch {
  readonly #bridge: Bridge;
  readonly #logger: Logger;
  // Each kind of warning has its own rate limit, so that a flood of one kind does not suppress the others.
  readonly #faults: Logger;
  readonly #moves: Logger;
  readonly #parallel: Logger;
  readonly #ageing: NodeJS.Timeout;
  readonly #directory = new PortDirectory();
  readonly #events: SwitchEvents;
  /** The events of the switch, for subscribers. */
  readonly events: EventHub = new EventHub();
  /** The captures of the switch. */
  readonly captures: Captures = new Captures({
    addTap: (port, tap) => this.#bridge.addTap(port, tap),
    removeTap: (port, tap) => this.#bridge.removeTap(port, tap),
  });
  readonly #tunnelsOverPorts: TunnelsOverPorts;
  #isClosed = false;

  /** @throws RangeError for an option that is out of range */
  constructor(options: SwitchOptions = {}) {
    this.#logger = limitLevel(options.logger ?? SILENT, 'info', PORT_LINES);
    this.#faults = limitLevel(this.#logger, 'warn', WARNINGS);
    this.#moves = limitLevel(this.#logger, 'warn', WARNINGS);
    this.#parallel = limitLevel(this.#logger, 'warn', WARNINGS);
    this.#tunnelsOverPorts = new TunnelsOverPorts(this.#logger);
    this.#events = new SwitchEvents(this.events, this.#directory);
    this.#bridge = new Bridge({
      ...(options.ageingTimeMs === undefined ? {} : { ageingTimeMs: options.ageingTimeMs }),
      ...(options.fdbCapacity === undefined ? {} : { fdbCapacity: options.fdbCapacity }),
      ...(options.forwardReserved === undefined ? {} : { forwardReserved: options.forwardReserved }),
      offloadEngine: options.offloadEngine ?? offloadEngine(),
      flowTable: new NativeFlowTable(),
      parallel: {
        standsBy: (bridgePort, active) => {
          const { number, port } = bridgePort;
          const facts = { port: number, target: port.target, parallelTo: active.number };
          this.#parallel.warn(facts, 'a second tunnel to the same switch stands by');
          this.#changed(bridgePort);
        },
        takesOver: (bridgePort, former) => {
          const { number, port } = bridgePort;
          const facts = { port: number, target: port.target, from: former.number };
          this.#parallel.warn(facts, 'a tunnel that stood by takes over');
          this.#changed(bridgePort);
        },
      },
      onFault: (port, fault) => logFault(this.#faults, port, fault),
      ...(this.#logger.isLevelEnabled('debug') ? { trace: this.#trace() } : {}),
    });
    this.events.onDemand = () => {
      this.#bridge.addressListener = this.#events.wantsAddresses ? this.#events : undefined;
    };
    this.#ageing = setInterval(() => this.#age(performance.now()), AGEING_INTERVAL_MS);
    this.#ageing.unref();
  }

  /** The attached ports by number, in ascending order. */
  get ports(): ReadonlyMap<PortNumber, BridgePort> {
    return this.#bridge.ports;
  }

  /**
   * Adds a port, opens it, and takes ownership of it.
   * @returns its number: that of `options`, if no port has it; else 1, 2, …, and numbers are not reused
   * @throws EtherwsError PORT_CLOSED, PORT_NAME_TAKEN; then the caller still owns the port
   */
  attach(port: Port, options: AttachOptions = {}): PortNumber {
    if (this.#isClosed) throw new EtherwsError('PORT_CLOSED', 'The switch is closed and takes no more ports');
    this.requireFreeName(options.name);
    const isTaken = options.number !== undefined && this.#bridge.hasPort(options.number);
    const bridgePort = this.#bridge.attach(port, isTaken ? undefined : options.number);
    const { number } = bridgePort;
    const attached = new AttachedPort(bridgePort, options);
    this.#bridge.setSettings(bridgePort, settingsOf(attached.values));
    attached.noteState(stateOf(bridgePort).state);
    this.#directory.add(attached);
    this.#logger.info({ ...factsOf(attached), type: port.type }, 'port attached');
    options.attached?.(bridgePort);
    port.open({
      receive: (batch) => this.#bridge.receive(bridgePort, batch, performance.now()),
      linkChanged: (state, reason) => {
        this.#bridge.setLink(bridgePort, state, reason);
        if (state === 'up') attached.noteConnection();
        this.#logger.info({ ...factsOf(attached), state, reason }, 'link changed');
        this.#changed(bridgePort);
        if (state === 'up') this.#tunnelsOverPorts.look(bridgePort, this.#bridge.eachPort());
        if (state === 'closed' && port.type === 'server') void this.#drop(bridgePort, 'removed');
      },
      tunnelLost: (tunnelId) => {
        this.#bridge.portOfTunnel(tunnelId)?.port.tunnel?.abandon('lost at its other end');
      },
      discarded: (direction, reason, frames, example) => bridgePort.discard(direction, reason, frames, example),
    });
    this.#tunnelsOverPorts.look(bridgePort, this.#bridge.eachPort());
    if (this.#directory.of(bridgePort) !== undefined) this.#events.added(attached);
    return number;
  }

  /** The highest number that a port has had, or that is reserved. */
  get lastNumber(): number {
    return this.#bridge.lastNumber;
  }

  /** Changes the ageing time and the capacity of the filtering database. @throws RangeError as the constructor */
  setFdbLimits({ ageingTimeMs, fdbCapacity }: { readonly ageingTimeMs: number; readonly fdbCapacity: number }): void {
    this.#bridge.setAgeingTime(ageingTimeMs);
    this.#bridge.setFdbCapacity(fdbCapacity, performance.now());
  }

  /** Reserves the numbers up to this one for ports that are attached with `AttachOptions.number`. */
  reserveNumbers(upTo: number): void {
    this.#bridge.reserveNumbers(upTo);
  }

  /**
   * Removes a port and closes it.
   * @param reference its number or its name
   * @returns its last state
   * @throws EtherwsError PORT_NOT_FOUND
   */
  async detach(reference: number | string): Promise<BridgePort> {
    const bridgePort = this.port(reference);
    await this.#drop(bridgePort, 'removed');
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

  attachedPorts(): IterableIterator<AttachedPort> {
    return this.#directory.ports();
  }

  /** @returns undefined for a port without a name, and for a removed one */
  nameOf(bridgePort: BridgePort): string | undefined {
    return this.#directory.of(bridgePort)?.name;
  }

  /** Changes the name and description of a port; absent labels stay unchanged. @throws EtherwsError PORT_NOT_FOUND, PORT_NAME_TAKEN */
  setLabels(reference: number | string, labels: PortLabels): void {
    this.#directory.label(this.#directory.find(reference), labels);
  }

  /** Changes settings of a bridge port; absent ones stay unchanged. @throws EtherwsError PORT_NOT_FOUND */
  setValues(reference: number | string, values: BridgePortValues): void {
    const attached = this.#directory.find(reference);
    const changed = deviatingValues({ ...attached.values, ...values });
    if (isDeepStrictEqual(changed, attached.values)) return;
    attached.values = changed;
    this.#bridge.setSettings(attached.bridgePort, settingsOf(changed));
    this.#logger.info({ ...factsOf(attached), settings: changed }, 'port settings changed');
  }

  /** @throws EtherwsError PORT_NAME_TAKEN */
  requireFreeName(name: string | undefined): void {
    this.#directory.requireFree(name);
  }

  /** A shut port neither receives nor sends. @param reference its number or its name. @throws EtherwsError PORT_NOT_FOUND */
  setShut(reference: number | string, isShut: boolean): BridgePort {
    const attached = this.attachedPort(reference);
    const { bridgePort } = attached;
    this.#bridge.setShut(bridgePort, isShut);
    this.#logger.info(factsOf(attached), isShut ? 'port shut' : 'port opened');
    this.#changed(bridgePort);
    return bridgePort;
  }

  /** The learned addresses; for each the time since it was last seen, and whether it has moved more than ten times within a minute. */
  fdb(): { entry: FilteringEntry; ageMs: number; isFlapping: boolean }[] {
    const nowMs = performance.now();
    return [...this.#bridge.fdbEntries(nowMs)].map((entry) => ({
      entry,
      ageMs: nowMs - entry.seenMs,
      isFlapping: entry.moves?.isFlapping(nowMs) ?? false,
    }));
  }

  /** The learned addresses of a port, the most recently seen first, with the time since then. */
  *addressesAt(bridgePort: BridgePort): IterableIterator<{ entry: FilteringEntry; ageMs: number }> {
    const nowMs = performance.now();
    for (const entry of this.#bridge.fdbEntriesAt(bridgePort, nowMs)) yield { entry, ageMs: nowMs - entry.seenMs };
  }

  /** The numbers of learned addresses, their limit, and those displaced from a full database since the start. */
  get fdbUse(): { readonly addresses: number; readonly capacity: number; readonly displaced: number } {
    const { fdbSize: addresses, fdbCapacity: capacity, fdbDisplaced: displaced } = this.#bridge;
    return { addresses, capacity, displaced };
  }

  /** Closes all ports, the newest one first. Idempotent. */
  async close(reason: CloseReason = 'shutdown'): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#ageing);
    await Promise.all([...this.#bridge.ports.values()].reverse().map((port) => this.#drop(port, reason)));
  }

  #age(nowMs: number): void {
    this.#bridge.age(nowMs);
    for (const { rates } of this.#directory.ports()) rates.sample(nowMs);
    for (const report of this.#bridge.moveReports(nowMs)) {
      logMoves(this.#moves, report);
      this.#events.flapping(report);
    }
    this.#events.lookForViolations();
  }

  async #drop(bridgePort: BridgePort, reason: CloseReason): Promise<void> {
    const attached = this.#directory.of(bridgePort);
    if (attached === undefined) return;
    this.#events.removed(attached);
    this.captures.portRemoved(bridgePort);
    this.#bridge.detach(bridgePort);
    this.#directory.remove(attached);
    this.#tunnelsOverPorts.forget(bridgePort);
    attached.dropped?.(bridgePort);
    await bridgePort.port.close(reason);
    this.#logger.info(factsOf(attached), 'port removed');
  }

  /** To be called after a possible change of a port's state, or of its link's. */
  #changed(bridgePort: BridgePort): void {
    const attached = this.#directory.of(bridgePort);
    if (attached === undefined) return;
    attached.noteState(stateOf(bridgePort).state);
    this.#events.changed(attached);
  }

  #trace(): BridgeTrace {
    const logger = this.#logger;
    return {
      learned: ({ vid, mac, port, from }) =>
        logger.debug({ vid, mac: formatMacAddress(mac), port, from }, from === undefined ? 'learned' : 'moved'),
      aged: ({ vid, mac, port }) => logger.debug({ vid, mac: formatMacAddress(mac), port: port.number }, 'aged out'),
      forwarded: (from, to, length) => logger.debug({ from, to, length }, 'forwarded'),
    };
  }
}

/** The facts in each line about a port: the port, its peer, and the user of its credentials. */
function factsOf({ bridgePort, name, user }: AttachedPort): object {
  const { number, port } = bridgePort;
  return {
    port: number,
    ...(name === undefined ? {} : { portName: name }),
    target: port.target,
    ...(user === undefined || user === null ? {} : { user }),
  };
}
