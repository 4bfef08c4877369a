import { ETHER_TYPE, MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { CUT_TAG, NO_TAG, TPID_C_TAG, TPID_S_TAG, type Tpid, tagOf, tciOf } from '../../wire/ethernet/tag.ts';
import { TAG_BYTES, writeWord } from '../../wire/ethernet/transport-header.ts';
import type { Vid } from '../../wire/ethernet/vid.ts';
import { MAX_FINISHED_BYTES } from '../../wire/offload/gso.ts';
import { beginRecord, endOf, RECORD_LEAD_BYTES } from '../../wire/offload/records.ts';
import { OFFLOAD_HEADER_BYTES, shiftOffsets } from '../../wire/offload/virtio-header.ts';
import type { BridgePort } from '../bridge-port.ts';
import type { DiscardReason } from '../port.ts';
import type { PortVlans } from '../port-vlans.ts';

/** The forms in which a frame may leave: with its outer tag removed, with a C-TAG, with an S-TAG, or as it came. */
export const FORMS = 4;
export const FORM_UNTAGGED = 0;
const FORM_C_TAG = 1;
const FORM_S_TAG = 2;
export const FORM_AS_IT_CAME = 3;
export type Form = typeof FORM_UNTAGGED | typeof FORM_C_TAG | typeof FORM_S_TAG | typeof FORM_AS_IT_CAME;

/** Enough for a usual batch, so that ports get its frames as one batch. */
const SLAB_BYTES = Math.max(MAX_FINISHED_BYTES, 1 << 20);

const NO_FRAMES: FrameBatch = new FrameBatch(Buffer.alloc(0), 0);

/** Slabs of the process that no batch uses. A bridge takes one when it changes a tag, and gives it back after the batch. */
const idleSlabs: FrameBatch[] = [];
const MOST_IDLE_SLABS = 4;

/** What has to be done to the tag of a frame: first `strippedBytes` are removed, then `tag` is inserted. */
export class TagChange {
  /** 0 or TAG_BYTES */
  strippedBytes = 0;
  /** The four octets as one number; 0: none. */
  tag = 0;

  get isNone(): boolean {
    return this.strippedBytes === 0 && this.tag === 0;
  }

  /**
   * Compares a frame with the form in which it has to leave.
   * @param tpid the kind of tag that the ingress port reads
   * @param vid the VLAN of the frame
   * @returns whether it can have this form; false: it ends inside of its tag
   */
  find(bytes: Uint8Array, start: number, length: number, tpid: Tpid, vid: Vid, form: Form): boolean {
    this.strippedBytes = 0;
    this.tag = 0;
    if (form === FORM_AS_IT_CAME) return true;
    const tci = tciOf(bytes, start, length, tpid);
    if (tci === CUT_TAG) return false;
    if (tci !== NO_TAG) this.strippedBytes = TAG_BYTES;
    if (form === FORM_UNTAGGED) return true;
    this.tag = tagOf(form === FORM_C_TAG ? TPID_C_TAG : TPID_S_TAG, tci, vid);
    if (tci === NO_TAG || this.tag !== tpid * 0x1_0000 + tci) return true;
    this.strippedBytes = 0;
    this.tag = 0;
    return true;
  }
}

/** The form in which frames of a VLAN leave by `egress`. @param from the VLANs of the ingress port */
export function formOf(from: PortVlans | undefined, { vlans }: BridgePort, vid: Vid): Form {
  if (vlans === undefined) return from === undefined ? FORM_AS_IT_CAME : FORM_C_TAG;
  if (vlans.isUntagged(vid)) return FORM_UNTAGGED;
  return vlans.tpid === TPID_C_TAG ? FORM_C_TAG : FORM_S_TAG;
}

/**
 * Egress rewriting of tags (IEEE 802.1Q-2022, 6.9.2): makes copies of frames with another outer tag, since octets are
 * read-only after ingress. PCP and DEI of a tag are kept in the tag that replaces it. The copies stay valid until `end`.
 */
export class Retagging {
  /** The last copy. */
  batch: FrameBatch = NO_FRAMES;
  index = 0;
  /** The change that `copy` makes. */
  readonly change: TagChange = new TagChange();
  readonly #slabs: FrameBatch[] = [];
  /** The last frame that was copied in each form, and its copy, since flooding needs it for several ports. */
  readonly #lastFrames = new Int32Array(FORMS).fill(-1);
  readonly #lastBatches: FrameBatch[] = [];
  readonly #lastCopies = new Int32Array(FORMS);

  /**
   * Copies frame `index` of a batch with the change in `change`, to `batch` and `index`.
   * @param form of a frame of the pass: its copies in this form are all the same
   * @returns why there is no such frame, else undefined
   */
  copy(from: FrameBatch, index: number, form?: Form): DiscardReason | undefined {
    if (form === undefined) return this.#make(from, index);
    if (this.#lastFrames[form] === index) {
      this.batch = this.#lastBatches[form] as FrameBatch;
      this.index = this.#lastCopies[form] as number;
      return undefined;
    }
    const failure = this.#make(from, index);
    if (failure !== undefined) return failure;
    this.#lastFrames[form] = index;
    this.#lastBatches[form] = this.batch;
    this.#lastCopies[form] = this.index;
    return undefined;
  }

  #make(from: FrameBatch, index: number): DiscardReason | undefined {
    const { strippedBytes, tag } = this.change;
    const added = (tag === 0 ? 0 : TAG_BYTES) - strippedBytes;
    const fromLength = from.lengths[index] as number;
    const length = fromLength + added;
    if (length > MAX_SUPER_FRAME_BYTES) return 'tooLong';
    const to = this.#slabFor(length);
    const { bytes } = to;
    const start = beginRecord(to);
    const fromStart = from.starts[index] as number;
    if (from.hasOffloadHeaders) {
      from.bytes.copy(bytes, start - OFFLOAD_HEADER_BYTES, fromStart - OFFLOAD_HEADER_BYTES, fromStart + ETHER_TYPE);
      shiftOffsets(bytes, start - OFFLOAD_HEADER_BYTES, added);
    } else {
      from.bytes.copy(bytes, start, fromStart, fromStart + ETHER_TYPE);
    }
    let at = start + ETHER_TYPE;
    if (tag !== 0) {
      writeWord(bytes, at, Math.floor(tag / 0x1_0000));
      writeWord(bytes, at + 2, tag % 0x1_0000);
      at += TAG_BYTES;
    }
    from.bytes.copy(bytes, at, fromStart + ETHER_TYPE + strippedBytes, fromStart + fromLength);
    to.push(start, length);
    this.batch = to;
    this.index = to.count - 1;
    return undefined;
  }

  /** Ends the batch: the copies may be overwritten. */
  end(): void {
    if (this.#slabs.length === 0) return;
    this.batch = NO_FRAMES;
    this.#lastFrames.fill(-1);
    this.#lastBatches.length = 0;
    for (let slab = this.#slabs.pop(); slab !== undefined; slab = this.#slabs.pop()) {
      if (idleSlabs.length < MOST_IDLE_SLABS) idleSlabs.push(slab);
    }
  }

  #slabFor(length: number): FrameBatch {
    const present = this.#slabs.at(-1);
    if (present !== undefined && endOf(present) + RECORD_LEAD_BYTES + length <= SLAB_BYTES) return present;
    const slab = idleSlabs.pop() ?? newSlab();
    slab.clear();
    this.#slabs.push(slab);
    return slab;
  }
}

function newSlab(): FrameBatch {
  const slab = new FrameBatch(Buffer.allocUnsafeSlow(SLAB_BYTES), 1024);
  slab.hasOffloadHeaders = true;
  return slab;
}
