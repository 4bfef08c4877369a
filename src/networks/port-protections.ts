import { randomBytes } from 'node:crypto';
import type { BridgePort, PortNumber } from '../bridge/bridge-port.ts';
import { LoopDetection, type LoopDetectionParts, type LoopFound } from '../bridge/loop-detection/loop-detection.ts';
import type { MoveReport } from '../bridge/move-watch.ts';
import type { StormReport } from '../bridge/storm-control.ts';
import { limitLevel, type RecordLimit } from '../observability/limited-logger.ts';
import type { Logger } from '../observability/logger.ts';
import type { NetworkSettings } from '../schema/network-options.ts';
import type { ReceivedProbe } from '../wire/ethernet/loop-probe.ts';
import type { MacAddress } from '../wire/ethernet/mac-address.ts';
import type { Vid } from '../wire/ethernet/vid.ts';
import type { MeshEntity } from './mesh/mesh-entity.ts';
import { SharedLoops, type SharedLoopsParts } from './mesh/shared-loops.ts';
import type { EntityHost, NetworkEntity } from './network-entity.ts';

/** Peers can cause these warnings. */
const WARNINGS: RecordLimit = { burst: 10, perSecond: 0.2 };

/**
 * Loop detection of a network, and what is told of storms and of ports that the switch shuts. It is itself what loop detection
 * asks of its bridge, here and towards other nodes, since objects of functions took 0.9 KiB in each network.
 */
export class PortProtections implements NetworkEntity, LoopDetectionParts, SharedLoopsParts {
  readonly mesh: MeshEntity;
  readonly address: MacAddress;
  readonly loops: LoopDetection;
  readonly randomBytes: LoopDetectionParts['randomBytes'] = randomBytes;
  readonly #host: EntityHost;
  readonly #logger: Logger;
  readonly #shared: SharedLoops;

  constructor(host: EntityHost, mesh: MeshEntity) {
    this.#host = host;
    this.#logger = limitLevel(host.logger, 'warn', WARNINGS);
    this.mesh = mesh;
    this.address = host.address;
    this.loops = new LoopDetection('off', this);
    this.#shared = new SharedLoops(this);
    host.bridge.loopDetection = this.loops;
    host.bridge.onProtected = (port) => this.#limitReached(port);
  }

  configure(settings: NetworkSettings): void {
    // A spanning tree leaves no loop, and probes would come back while it settles.
    const { stp } = settings as { readonly stp?: unknown };
    this.loops.setMode(stp === true || stp === 'on' ? 'off' : settings.loopDetection);
  }

  portAdded(port: BridgePort, nowMs: number): void {
    this.#shared.portAdded(port, nowMs);
  }

  portRemoved(port: BridgePort): void {
    this.#shared.portRemoved(port);
  }

  tick(nowMs: number): void {
    this.#shared.tick(nowMs);
    const { bridge } = this.#host;
    for (const port of bridge.eachPort()) {
      if (port.storm === undefined) continue;
      for (const report of port.storm.reports(nowMs)) this.#storm(port, report);
      if (port.storm.isStorming) this.loops.suspect(port, [port.storm.refusedVid], nowMs);
    }
    this.loops.tick(bridge.eachPort(), nowMs);
  }

  /** Addresses move to and fro: there may be a loop. */
  moved(report: MoveReport): void {
    const vids = report.kind === 'loop' ? report.vids : [report.vid];
    for (const number of report.ports) {
      const port = this.#host.bridge.ports.get(number);
      if (port !== undefined) this.loops.suspect(port, vids, this.#host.nowMs());
    }
  }

  transmit(port: BridgePort, vid: Vid, frame: Uint8Array): void {
    this.#host.bridge.transmitInVlan(port, vid, frame);
  }

  protect(port: BridgePort, reason: string): void {
    this.#host.bridge.protect(port, { cause: 'loop', reason });
  }

  unprotect(port: BridgePort): void {
    this.#host.bridge.protect(port, undefined);
  }

  onForeignProbe(probe: ReceivedProbe, by: BridgePort, nowMs: number): boolean {
    return this.#shared.probed(probe, by, nowMs);
  }

  portOf(number: number): BridgePort | undefined {
    return this.#host.bridge.ports.get(number as PortNumber);
  }

  #limitReached(port: BridgePort): void {
    this.#logger.warn(
      { port: port.number, target: port.port.target, reason: port.protection?.reason },
      `port shut: ${port.protection?.reason ?? ''}; setport ${port.number} --shut 0 opens it`,
    );
    this.#host.portChanged(port);
  }

  #storm(port: BridgePort, report: StormReport): void {
    const { kind, phase, limit, frames } = report;
    const facts = { port: port.number, target: port.port.target, kind, limit, frames };
    const words = kind === 'unicast' ? 'unicast frames to unknown stations' : `${kind} frames`;
    if (phase === 'start') this.#logger.warn(facts, `storm: more than ${limit} ${words}/s; the others are discarded`);
    else this.#logger.info(facts, `the storm is over: ${frames} ${words} were discarded`);
    this.#host.publish('storm', { port: port.number, kind, phase, limit, frames });
  }

  onFound({ from, by, shut }: LoopFound): void {
    const reason = shut.protection?.reason ?? '';
    const facts = { port: shut.number, target: shut.port.target, from: from.number, by: by.number };
    this.#logger.warn(facts, `loop: port ${shut.number} is shut: ${reason}`);
    this.#host.publish('loop', { port: shut.number, ports: [from.number, by.number], action: 'shut', reason });
    this.#host.portChanged(shut);
  }

  /** It was in a loop with a port of another node. */
  onShut(port: BridgePort, other: string): void {
    const reason = port.protection?.reason ?? '';
    const facts = { port: port.number, target: port.port.target, by: other };
    this.#logger.warn(facts, `loop: port ${port.number} is shut: ${reason}`);
    this.#host.publish('loop', { port: port.number, ports: [port.number], action: 'shut', reason });
    this.#host.portChanged(port);
  }

  onOpened(port: BridgePort): void {
    this.#logger.info({ port: port.number, target: port.port.target }, 'the loop is gone: port opened');
    this.#host.portChanged(port);
  }
}
