import { TPID_C_TAG } from '../../src/wire/ethernet/tag.ts';
import {
  type FrameStep,
  heardAt,
  type MirrorStep,
  octetsOf,
  type Step,
  sortedOutcome,
  type VlanStep,
} from './script.ts';

const ADDRESSES_BYTES = 12;
const VID_MASK = 0xfff;

/**
 * Makes outcomes with mirrors comparable, where the other switch copies in another way by design (by-design.ts). It follows
 * the steps of a script; without mirrors it changes nothing.
 */
export class MirrorJudge {
  readonly #mirrors = new Map<number, MirrorStep>();
  readonly #vlans = new Map<number, VlanStep>();
  readonly #shut = new Set<number>();
  #allTo = 0;

  /** A step that is no frame. */
  see(step: Step): void {
    if (step.do === 'mirror' && step.to === 0) this.#mirrors.delete(step.port);
    else if (step.do === 'mirror') this.#mirrors.set(step.port, step);
    else if (step.do === 'mirrorAll') this.#allTo = step.to;
    else if (step.do === 'vlan' && step.mode === 'transparent') this.#vlans.delete(step.port);
    else if (step.do === 'vlan') this.#vlans.set(step.port, step);
    else if (step.do === 'set' && step.name === 'state' && step.value === 0) this.#shut.add(step.port);
    else if (step.do === 'set' && step.name === 'state') this.#shut.delete(step.port);
  }

  /** What is compared of the frames that came out at a step. */
  judged(step: FrameStep, lines: readonly string[], isOurs: boolean): readonly string[] {
    const reserved = this.#reserved();
    if (reserved.size === 0) return lines;
    const isRefused = this.#shut.has(step.port) || reserved.has(step.port) || !this.#takes(step);
    const recopied = this.#recopied(reserved);
    const judged: string[] = [];
    for (const line of lines) {
      const [port, hex] = parsed(line);
      if (!reserved.has(port)) judged.push(line);
      else if (isRefused || recopied.has(port)) continue;
      else judged.push(heardAt(port, this.#comparable(isOurs ? this.#inVlan(step, port, hex, lines) : hex)));
    }
    return sortedOutcome(judged);
  }

  /** The ports that send copies. */
  #reserved(): Set<number> {
    const targets = new Set([...this.#mirrors.values()].map(({ to }) => to));
    if (this.#allTo !== 0) targets.add(this.#allTo);
    return targets;
  }

  /** The ports that send copies of copies in Open vSwitch, and none here. */
  #recopied(reserved: Set<number>): Set<number> {
    const second = [...this.#mirrors.values()].filter(
      ({ port, direction }) => reserved.has(port) && direction !== 'rx',
    );
    return new Set(second.map(({ to }) => to));
  }

  /** Whether the frame is in a VLAN of its port. */
  #takes({ port, tags }: FrameStep): boolean {
    const vlan = this.#vlans.get(port);
    if (vlan === undefined) return true;
    const vid = (tags[0]?.[1] ?? 0) & VID_MASK;
    if (vid === 0) return vlan.mode !== 'trunk';
    if (vlan.mode === 'access') return false;
    return vlan.vlans.includes(vid) || (vlan.mode === 'native' && vid === vlan.pvid);
  }

  /**
   * A copy of ours as Open vSwitch sends it, which is in its VLAN.
   * @returns a text that no frame has, if the copy is not octet for octet what the mirrored port has received or sent
   */
  #inVlan(step: FrameStep, target: number, hex: string, lines: readonly string[]): string {
    const received = octetsOf(step).toString('hex');
    if (this.#copies(step.port, target, 'rx') && hex === received) return tagged(hex, this.#vlans.get(step.port));
    for (const line of lines) {
      const [port, sent] = parsed(line);
      if (sent === hex && this.#copies(port, target, 'tx')) return tagged(hex, this.#vlans.get(port));
    }
    return `${hex} as no mirrored port has it`;
  }

  #copies(port: number, target: number, direction: 'rx' | 'tx'): boolean {
    if (port === target) return false;
    const own = this.#mirrors.get(port);
    return this.#allTo === target || (own?.to === target && [direction, 'both'].includes(own.direction));
  }

  /** Without the priority if ports remove tags: which of the ports of a flood is copied is not said. */
  #comparable(hex: string): string {
    const frame = Buffer.from(hex, 'hex');
    if (this.#vlans.size === 0 || !hasTag(frame)) return hex;
    frame.writeUInt16BE(frame.readUInt16BE(ADDRESSES_BYTES + 2) & VID_MASK, ADDRESSES_BYTES + 2);
    return frame.toString('hex');
  }
}

function parsed(line: string): [port: number, hex: string] {
  const [port, hex] = line.split(' ') as [string, string];
  return [Number(port), hex];
}

const hasTag = (frame: Buffer): boolean =>
  frame.length >= ADDRESSES_BYTES + 4 && frame.readUInt16BE(ADDRESSES_BYTES) === TPID_C_TAG;

/** A frame at a port with the tag of its VLAN. */
function tagged(hex: string, vlan: VlanStep | undefined): string {
  if (vlan === undefined) return hex;
  const frame = Buffer.from(hex, 'hex');
  const tci = hasTag(frame) ? frame.readUInt16BE(ADDRESSES_BYTES + 2) : 0;
  if ((tci & VID_MASK) !== 0) return hex;
  const tag = Buffer.alloc(4);
  tag.writeUInt16BE(TPID_C_TAG, 0);
  tag.writeUInt16BE(tci | vlan.pvid, 2);
  const rest = frame.subarray(ADDRESSES_BYTES + (hasTag(frame) ? 4 : 0));
  return Buffer.concat([frame.subarray(0, ADDRESSES_BYTES), tag, rest]).toString('hex');
}
