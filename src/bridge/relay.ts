import {
  destinationOf,
  HEADER_BYTES,
  MAX_SUPER_FRAME_BYTES,
  sourceOf,
  vidOf,
} from '../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../wire/ethernet/frame-batch.ts';
import { LOOP_PROBE_ADDRESS } from '../wire/ethernet/loop-probe.ts';
import { reservedDigitOf } from '../wire/ethernet/reserved-address.ts';
import { UNTAGGED, type Vid } from '../wire/ethernet/vid.ts';
import type { OffloadEngine } from '../wire/offload/engine.ts';
import type { BridgePort } from './bridge-port.ts';
import type { BridgeTrace } from './bridge-trace.ts';
import type { FlowInstaller } from './flow-installer.ts';
import { type FlowPermit, MAY_PASS, MUST_COME, permitOfBoth } from './flow-permit.ts';
import { idlePassesOf } from './idle-passes.ts';
import type { LoopDetection } from './loop-detection/loop-detection.ts';
import { type BridgeMesh, isOwnProtocol } from './mesh/bridge-mesh.ts';
import type { Mirrors } from './mirror/mirrors.ts';
import { Pass } from './pass.ts';
import type { Congestion, DiscardReason } from './port.ts';
import type { ProtocolEntities } from './protocol-entity.ts';
import { refuse, refuseAll, refuseAt } from './stages/refuse.ts';
import { areOfMesh } from './stages/split-horizon.ts';
import type { Stages } from './stages/stages.ts';
import { hostFrameOf } from './stations/host-frame.ts';
import type { HostSnooper } from './stations/host-snooper.ts';

/** No address that a frame can have. */
const NO_ADDRESS = -1;

/** The parts of a bridge that its relay uses. */
export interface RelayParts {
  readonly stages: Stages;
  readonly flows: FlowInstaller;
  readonly protocols: ProtocolEntities;
  readonly engine: OffloadEngine;
  readonly mirrors: Mirrors;
  readonly mesh: BridgeMesh;
}

/** The MAC relay entity of a bridge (IEEE 802.1Q-2022, 8.5): it runs the frames of a batch through the stages. */
export class Relay {
  /** The ports for flooding; replaced when a port changes, not for each frame. */
  forwarding: readonly BridgePort[] = [];
  /** Takes the probes of this bridge; undefined: they are relayed like other frames. */
  loopDetection: LoopDetection | undefined;
  /** Shown the frames that tell addresses of hosts; undefined: they are not looked for. */
  hosts: HostSnooper | undefined;
  /** Told of each frame and its egress ports, if set. */
  trace: BridgeTrace | undefined;
  readonly #stages: Stages;
  readonly #flows: FlowInstaller;
  readonly #protocols: ProtocolEntities;
  readonly #engine: OffloadEngine;
  readonly #mirrors: Mirrors;
  readonly #mesh: BridgeMesh;
  #lastPass = 0;
  /** A port that delivers while it is flushed re-enters `receive`, so each level needs its own pass. */
  readonly #idlePasses: Pass[];

  constructor({ stages, flows, protocols, engine, mirrors, mesh }: RelayParts) {
    this.#stages = stages;
    this.#flows = flows;
    this.#protocols = protocols;
    this.#engine = engine;
    this.#idlePasses = idlePassesOf(engine);
    this.#mirrors = mirrors;
    this.#mesh = mesh;
  }

  /**
   * Forwards the frames of a batch. The batch is not used after the return. Of its
   * octets only offload headers are changed: hdr_len and FLAG_ENCAPSULATED are
   * corrected. Malformed frames are discards, never exceptions.
   *
   * @returns the congestion of the only port that all frames of `ingress` have recently
   *   gone to. If the ingress port then leaves frames in its source, no other port
   *   waits, and senders notice the congestion earlier and without loss
   */
  receive(ingress: BridgePort, batch: FrameBatch, nowMs: number): Congestion | undefined {
    const pass = this.#idlePasses.pop() ?? new Pass(this.#engine, ingress);
    batch.renew();
    pass.begin(++this.#lastPass, ingress, batch, nowMs);
    const outer = this.#mirrors.enter(pass);
    ingress.tap?.received(batch);
    const portAnswer = this.#stages.enterPort(pass);
    if (portAnswer === 'discarding') this.#hearProtocols(pass);
    else if (typeof portAnswer === 'string') {
      if (portAnswer === 'protected') this.#hearProbes(pass);
      refuseAll(pass, portAnswer);
    } else this.#run(pass, portAnswer);
    const sole = pass.end();
    this.#mirrors.leave(outer);
    this.#idlePasses.push(pass);
    return sole?.port.congestion;
  }

  /** Runs the stages for each frame of a batch, and installs a flow with the key of the last frame. */
  #run(pass: Pass, portPermit: FlowPermit): void {
    const { ingress, batch } = pass;
    const { bytes, starts, lengths, count, hasOffloadHeaders } = batch;
    const { isEachFrameJudged } = ingress;
    const isVlanAware = ingress.vlans !== undefined;
    const { hosts } = this;
    // Most frames of a batch have the same key as the frame before, whose decision is then reused.
    let lastVid: Vid = UNTAGGED;
    // No valid address, so that the first frame differs.
    let lastSource = -1;
    let lastDestination = 0;
    let takenIndex = -1;
    let takenVid: Vid = UNTAGGED;
    let takenPermit: FlowPermit = MUST_COME;
    let takenKeyPermit: FlowPermit = MUST_COME;
    let frames = 0;
    let octets = 0;
    for (let index = 0; index < count; index++) {
      const start = starts[index] as number;
      const length = lengths[index] as number;
      pass.index = index;
      if (length < HEADER_BYTES) {
        // A runt has no addresses, so no stage is run.
        pass.frames = 1;
        refuse(pass, 'runt');
        continue;
      }
      if (hasOffloadHeaders || length > MAX_SUPER_FRAME_BYTES) {
        pass.lookAtOffload(length);
        const answer = this.#stages.enterWellFormed(pass);
        if (typeof answer === 'string') {
          refuse(pass, answer);
          continue;
        }
      }
      let vid: Vid;
      if (!isVlanAware) vid = vidOf(bytes, start, length);
      else {
        pass.start = start;
        pass.length = length;
        const answer = this.#stages.enterVlan(pass);
        if (typeof answer === 'string') {
          this.#refuseInVlan(pass, answer);
          continue;
        }
        vid = pass.vid;
      }
      const source = sourceOf(bytes, start);
      const destination = destinationOf(bytes, start);
      const isSameSource = source === lastSource && vid === lastVid;
      const isSameKey = isSameSource && destination === lastDestination;
      if (!isSameKey || isEachFrameJudged) {
        pass.start = start;
        pass.length = length;
        pass.permit = portPermit;
        if (!isSameKey) {
          lastSource = -1;
          pass.vid = vid;
          pass.source = source;
          pass.destination = destination;
          if (!isSameSource) pass.sourcePermit = MAY_PASS;
          // Before the stages, since a policy must not hide a loop.
          if (isOwnProtocol(destination) && (this.#isOwnProbe(pass) || this.#mesh.take(pass))) {
            frames++;
            octets += length;
            continue;
          }
        }
        if (!this.#stages.enter(pass, isSameSource)) {
          refuse(pass, pass.refusal);
          if (ingress.protection === undefined) continue;
          // The frame has caused it, and the rest of the batch is late.
          this.#refuseFrom(pass, index + 1);
          break;
        }
        if (!isSameKey) {
          this.#decide(pass);
          lastVid = vid;
          lastSource = source;
          // Each frame of an own protocol is looked at, also behind one that is relayed.
          lastDestination = pass.isDecidedAlone || isOwnProtocol(destination) ? NO_ADDRESS : destination;
        }
      }
      frames += pass.frames;
      octets += length;
      if (hosts !== undefined) {
        const told = hostFrameOf(bytes, start);
        if (told !== undefined) hosts.hear(told, { ingress, bytes, start, length, vid, source }, pass.nowMs);
      }
      const { egress, keyRefusal } = pass;
      if (keyRefusal === 'reserved') this.#protocols.take(pass);
      else if (keyRefusal !== undefined) refuseAt(pass, egress, keyRefusal);
      else if (egress === undefined) this.#flood(pass);
      else {
        takenIndex = pass.send(egress) ? index : -1;
        takenVid = vid;
        takenPermit = pass.permit;
        takenKeyPermit = pass.keyPermit;
      }
      if (this.trace !== undefined && keyRefusal !== 'reserved' && keyRefusal !== 'badMembership') {
        this.#traceForward(pass, length);
      }
    }
    ingress.rx.count(octets, frames);
    // Installed before the ports are flushed, since they may overwrite the octets.
    if (pass.egress === undefined || takenIndex < 0) return;
    // A frame of this batch may have shut one of the ports: a probe, a BPDU, one address too many.
    if (!ingress.isForwarding || !pass.egress.isForwarding) return;
    this.#flows.install(pass, pass.egress, takenIndex, takenVid, permitOfBoth(takenPermit, takenKeyPermit));
  }

  /** Refuses a frame that is in no VLAN of its port. Protocol entities stand below the VLANs, so they get theirs at a trunk, too. */
  #refuseInVlan(pass: Pass, reason: DiscardReason): void {
    if (reason !== 'tagMissing' || !this.#isForProtocols(pass)) {
      refuse(pass, reason);
      return;
    }
    pass.ingress.rx.count(pass.length, pass.frames);
    this.#protocols.take(pass);
  }

  /** Whether the present frame is to an address of a protocol entity. */
  #isForProtocols({ batch, index }: Pass): boolean {
    if ((batch.lengths[index] as number) < HEADER_BYTES) return false;
    const digit = reservedDigitOf(destinationOf(batch.bytes, batch.starts[index] as number));
    return digit >= 0 && ((this.#protocols.addresses >>> digit) & 1) === 1;
  }

  /** Hands the frames of protocol entities to them, and discards all others. */
  #hearProtocols(pass: Pass): void {
    const { ingress, batch } = pass;
    for (let index = 0; index < batch.count; index++) {
      pass.index = index;
      if (!this.#isForProtocols(pass)) {
        if (!this.#isForMesh(pass)) refuse(pass, 'discarding');
        continue;
      }
      ingress.rx.count(batch.lengths[index] as number, 1);
      this.#protocols.take(pass);
    }
  }

  /** Takes the present frame of a port that discards, if it is of the mesh, whose tree decides whether the port discards. */
  #isForMesh(pass: Pass): boolean {
    const { ingress, batch, index } = pass;
    const length = batch.lengths[index] as number;
    if (ingress.meshNode === undefined || length < HEADER_BYTES) return false;
    pass.destination = destinationOf(batch.bytes, batch.starts[index] as number);
    if (!this.#mesh.take(pass)) return false;
    ingress.rx.count(length, 1);
    return true;
  }

  #refuseFrom(pass: Pass, from: number): void {
    pass.frames = 1;
    for (let index = from; index < pass.batch.count; index++) {
      pass.index = index;
      refuse(pass, 'protected');
    }
  }

  /** Whether the present frame is a probe that this bridge has sent, which is then taken. */
  #isOwnProbe({ ingress, batch, start, length, destination, nowMs }: Pass): boolean {
    if (destination !== LOOP_PROBE_ADDRESS) return false;
    return this.loopDetection?.received(ingress, batch.bytes, start, length, nowMs) ?? false;
  }

  /** A port that was shut because of a loop takes probes still, to see when the loop is gone. */
  #hearProbes(pass: Pass): void {
    const { batch } = pass;
    for (let index = 0; index < batch.count && this.loopDetection !== undefined; index++) {
      pass.start = batch.starts[index] as number;
      pass.length = batch.lengths[index] as number;
      if (pass.length < HEADER_BYTES) continue;
      pass.destination = destinationOf(batch.bytes, pass.start);
      this.#isOwnProbe(pass);
    }
  }

  /** Floods the present frame, unless its port brings too many such frames. */
  #flood(pass: Pass): void {
    const { ingress, destination, frames, nowMs } = pass;
    const { storm } = ingress;
    const refusal = storm?.refusalOf(destination, frames, nowMs);
    if (storm === undefined || refusal === undefined) {
      this.#stages.flooded(pass);
      pass.sendFlood();
      return;
    }
    storm.refusedVid = pass.vid;
    refuse(pass, refusal);
  }

  /** Makes the forwarding decision for all frames with the key of the present one. */
  #decide(pass: Pass): void {
    const { ingress } = pass;
    pass.egress = undefined;
    pass.members = undefined;
    pass.isDecidedAlone = false;
    pass.keyPermit = pass.sourcePermit;
    if (!this.#stages.decide(pass)) {
      pass.keyRefusal = pass.refusal;
      return;
    }
    pass.keyRefusal = undefined;
    const egress = pass.egress as BridgePort | undefined;
    pass.mayRetag = ingress.vlans !== undefined;
    if (egress === undefined) this.#decideFlood(pass);
    else if (!pass.allowsKey(this.#stages.leave(pass, egress))) pass.keyRefusal = pass.refusal;
    else if (egress.vlans !== undefined) pass.mayRetag = true;
  }

  /** Selects the ports for flooding frames with the present key. */
  #decideFlood(pass: Pass): void {
    const ports = pass.members ?? this.forwarding;
    pass.flood.length = 0;
    pass.refusedFlood.length = 0;
    for (let at = 0; at < ports.length; at++) {
      const egress = ports[at] as BridgePort;
      if (egress === pass.ingress || areOfMesh(pass.ingress, egress)) continue;
      if (egress.vlans !== undefined) {
        // No discard: the frame is not offered to a port outside of its VLAN.
        if (!egress.vlans.isMember(pass.vid)) continue;
        pass.mayRetag = true;
      }
      const answer = this.#stages.leave(pass, egress);
      if (typeof answer === 'string') pass.refusedFlood.push({ egress, reason: answer });
      else pass.flood.push(egress);
    }
  }

  #traceForward({ ingress, egress, members }: Pass, length: number): void {
    const targets = egress === undefined ? (members ?? this.forwarding) : [egress];
    const numbers = targets.filter((port) => port !== ingress && !areOfMesh(ingress, port)).map(({ number }) => number);
    this.trace?.forwarded(ingress.number, numbers, length);
  }
}
