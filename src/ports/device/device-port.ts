import type { CloseReason, Congestion, DiscardReason, LinkState, Port, PortEvents } from '../../bridge/port.ts';
import type { Described, DeviceDetails, NetworkInterface } from '../../bridge/port-details.ts';
import { describeError } from '../../errors.ts';
import { nativeAddon } from '../../native/addon.ts';
import { LOST } from '../../native/descriptors.ts';
import { TALLY_REASONS } from '../../native/devices.ts';
import { endFlows } from '../../native/flow-table.ts';
import { HEADER_BYTES, MAX_SUPER_FRAME_BYTES } from '../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { MAX_TAGS_BYTES, type TagAllowance } from '../../wire/ethernet/frame-length.ts';
import type { FrameExample } from '../../wire/ethernet/frame-summary.ts';
import type { Offloads } from '../../wire/offload/virtio-header.ts';
import { AttachedDevice } from './attached-device.ts';
import type { DeviceOwner } from './device-owner.ts';
import { type OpenDevice, useDevice } from './device-setup.ts';
import { BATCH_FRAMES, deviceSlab, tally } from './device-slab.ts';
import { DeviceWait } from './device-wait.ts';
import { takeFaultExample } from './fault-example.ts';
import { fittedLength } from './fitted-length.ts';
import { LinuxInterface } from './interface-settings.ts';
import { reasonOf, stateOf } from './link-state.ts';

/** How long reading pauses for a congested egress port; after that the egress port drops what it cannot queue. */
const MAX_WAIT_MS = 100;

/**
 * The common part of tap and netdev ports: a port on a kernel device that is read and written frame by frame.
 *
 * Ingress: the descriptor becomes readable → one call of the addon reads frames
 * into a slab → the bridge gets one batch.
 * Egress: `send` notes the frame's index → `flush` writes all noted frames in one call.
 *
 * When the device is deleted, the port goes down and waits for a device of the same name.
 */
export abstract class DevicePort implements Port, Described {
  abstract readonly type: 'tap' | 'netdev';
  readonly networkInterface: NetworkInterface;
  readonly #owner: DeviceOwner;
  readonly #indexes = new Uint32Array(BATCH_FRAMES);
  /** Undefined while the port waits for a device. */
  #attached: AttachedDevice | undefined;
  /** Kept apart from `#attached` for the data path. */
  #device: OpenDevice;
  #name: string;
  #maxFrameBytes = 0;
  #waiting: DeviceWait | undefined;
  #state: LinkState = 'down';
  #reason: string | undefined;
  #events: PortEvents | undefined;
  #noted: FrameBatch | undefined;
  #notedFrames = 0;
  /**
   * A copy of the noted batch's lengths, made when padding is first cut from one of its frames; undefined: the batch's
   * lengths hold. Frames appended to the batch after the copy are not in it (`#hasLengthOf`).
   */
  #cutLengths: Uint32Array | undefined;
  /** Runs while reading pauses for a congested egress port. */
  #patience: NodeJS.Timeout | undefined;
  /** The network namespace of the device that was last reported. */
  #netns: string | undefined;
  /** Settles when the previous device is closed. */
  #released: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  /** One bit for each direction and reason of discards that was reported with an example frame. */
  #explained = 0;

  /** @throws the addon's errors, and DEVICE_BUSY; the descriptor then still belongs to the caller */
  protected constructor(owner: DeviceOwner) {
    this.#owner = owner;
    this.#device = owner.device;
    this.#name = owner.device.found.name;
    this.networkInterface = new LinuxInterface(
      () => this.#attached?.whereabouts,
      () => this.#name,
    );
    try {
      this.#attach(owner.device);
    } catch (error) {
      owner.register?.release(this);
      throw error;
    }
  }

  /** The current name of the device; follows a rename. */
  get target(): string {
    return this.#name;
  }

  get details(): DeviceDetails {
    return { kind: 'device', networkInterface: this.networkInterface, netns: this.#netns };
  }

  get offloads(): Offloads {
    return this.#device.offloads;
  }

  get tagAllowance(): TagAllowance {
    return this.#device.tagAllowance;
  }

  /** The current MTU plus 14 octets of Ethernet header. VLAN tags may come on top (`tagAllowance`). */
  get maxFrameBytes(): number {
    return this.#maxFrameBytes;
  }

  open(events: PortEvents): void {
    if (this.#closing !== undefined) return;
    this.#events = events;
    if (this.#state !== 'up') events.linkChanged(this.#state, this.#reason);
    if (this.#attached !== undefined) this.#listen(this.#attached);
  }

  get flowSource(): object | undefined {
    return this.#state === 'up' && this.#events !== undefined ? this.#device.descriptor : undefined;
  }

  get flowTarget(): object | undefined {
    return this.flowSource;
  }

  send(batch: FrameBatch, index: number): DiscardReason | undefined {
    if (this.#state !== 'up' || this.#events === undefined) return 'linkDown';
    const length = batch.lengths[index] as number;
    if (length < HEADER_BYTES) return 'runt';
    const kept = length > this.#maxFrameBytes ? fittedLength(batch, index, this) : length;
    if (kept < 0) return 'tooLong';
    // One call of the addon takes one slab and one list of lengths.
    if (batch !== this.#noted || this.#notedFrames === BATCH_FRAMES || !this.#hasLengthOf(index)) this.#write();
    this.#noted = batch;
    // Cut in a copy: the batch's lengths are shared with the other egress ports.
    if (kept < length) this.#cutLengths ??= batch.lengths.slice();
    if (this.#cutLengths !== undefined) this.#cutLengths[index] = kept;
    this.#indexes[this.#notedFrames++] = index;
    return undefined;
  }

  flush(_isSoleEgress: boolean): void {
    this.#write();
  }

  close(_reason?: CloseReason): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { register, logger } = this.#owner;
    this.#events = undefined;
    this.#state = 'closed';
    this.#forgetNoted();
    this.#endPatience();
    register?.release(this);
    const attached = this.#attached;
    this.#attached = undefined;
    await Promise.all([attached?.release(true, logger), this.#released, this.#waiting?.end()]);
  }

  /** Whether the lengths to write by include that frame: the batch may have grown since they were copied. */
  #hasLengthOf(index: number): boolean {
    return this.#cutLengths === undefined || index < this.#cutLengths.length;
  }

  #write(): void {
    const batch = this.#noted;
    const frames = this.#notedFrames;
    if (batch === undefined || frames === 0) return;
    const { bytes, starts, hasOffloadHeaders } = batch;
    const lengths = this.#cutLengths ?? batch.lengths;
    this.#forgetNoted();
    const { descriptor } = this.#device;
    const indexes = this.#indexes;
    const taken = nativeAddon().writeFrames(
      descriptor,
      bytes,
      starts,
      lengths,
      indexes,
      frames,
      hasOffloadHeaders,
      this.offloads,
      tally,
    );
    if (taken !== frames) this.#report('tx');
  }

  #forgetNoted(): void {
    this.#noted = undefined;
    this.#notedFrames = 0;
    this.#cutLengths = undefined;
  }

  /** @param count frames in the slab, or a negative errno */
  #ready(attached: AttachedDevice, status: number, count: number): void {
    if (this.#events === undefined || attached !== this.#attached) return;
    if (status === LOST) {
      this.#report('tx');
      return;
    }
    // A packet socket reports once, as an error, that its device went down; the link monitor reports it too.
    if (count < 0 && (status < 0 || !attached.refresh())) {
      if (status < 0) attached.refresh();
      return;
    }
    this.#report('rx');
    if (count <= 0) return;
    // In another network namespace a received frame shows before the next poll that the device was set up.
    if (this.#state !== 'up' && attached.netns !== undefined) attached.refresh();
    const slab = deviceSlab();
    slab.count = count;
    const congestion = this.#events?.receive(slab);
    if (congestion !== undefined) this.#wait(congestion);
  }

  /** Pauses reading until the congestion ends: frames wait in the device's queue, where senders see back-pressure. */
  #wait(congestion: Congestion): void {
    // `receive` may have closed the port or released the device.
    if (this.#attached === undefined) return;
    nativeAddon().pause(this.#device.descriptor);
    this.#patience = setTimeout(this.#resume, MAX_WAIT_MS);
    congestion.onceRelieved(this.#resume);
  }

  readonly #resume = (): void => {
    if (this.#patience === undefined || this.#attached === undefined) return;
    this.#endPatience();
    nativeAddon().resume(this.#device.descriptor);
  };

  #endPatience(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #report(direction: 'rx' | 'tx'): void {
    for (let i = 0; i < TALLY_REASONS.length; i++) {
      const frames = tally[i] as number;
      if (frames > 0)
        this.#events?.discarded(direction, TALLY_REASONS[i] as DiscardReason, frames, this.#example(direction, i));
    }
  }

  /** A dropped frame as an example, for the first report of each direction and reason; undefined for later ones. */
  #example(direction: 'rx' | 'tx', reason: number): FrameExample | undefined {
    const bit = 1 << (2 * reason + (direction === 'rx' ? 0 : 1));
    if ((this.#explained & bit) !== 0) return undefined;
    this.#explained |= bit;
    return takeFaultExample(reason);
  }

  /** Attaches a device. @throws the addon's errors, and DEVICE_BUSY */
  #attach(device: OpenDevice): void {
    const attached = new AttachedDevice(device, {
      changed: () => this.#follow(),
      gone: () => this.#lose(),
    });
    try {
      this.#claim(attached);
    } catch (error) {
      void attached.unwatch();
      throw error;
    }
    this.#attached = attached;
    this.#device = device;
    this.#netns = attached.netns;
    this.#follow();
    if (this.#events !== undefined) this.#listen(attached);
  }

  /** Registers the ifindex, for a device in this namespace only: an ifindex is unique within one namespace. */
  #claim({ link, netns }: AttachedDevice): void {
    const { register } = this.#owner;
    if (netns === undefined) register?.claim(this, link.index, link.name);
    else register?.release(this);
  }

  #listen(attached: AttachedDevice): void {
    // The slab must exist before the first wake-up.
    deviceSlab();
    nativeAddon().watch(attached.descriptor, (status, count) => this.#ready(attached, status, count));
    this.#setRoom();
  }

  /** The link state or the network namespace has changed. */
  #follow(): void {
    const attached = this.#attached;
    if (attached === undefined) return;
    const { link } = attached;
    const maxFrameBytes = link.mtu + HEADER_BYTES;
    // Installed flows were decided with the old maximum frame length.
    if (maxFrameBytes !== this.#maxFrameBytes) endFlows(attached.descriptor);
    this.#maxFrameBytes = maxFrameBytes;
    this.#name = link.name;
    if (this.#events !== undefined) this.#setRoom();
    this.#tell(stateOf(link), reasonOf(link, attached.netns));
    this.#noteMove(attached);
  }

  #noteMove(attached: AttachedDevice): void {
    if (attached.netns === this.#netns) return;
    this.#netns = attached.netns;
    const { logger } = this.#owner;
    const where =
      attached.netns === undefined ? 'is in our network namespace again' : 'is in another network namespace';
    logger.info({ device: this.#name, netns: attached.netns }, `the device ${where}`);
    try {
      this.#claim(attached);
    } catch (error) {
      logger.warn({ device: this.#name, error: describeError(error) }, 'the device came back and is two ports');
    }
  }

  #tell(state: LinkState, reason: string | undefined): void {
    if (state === this.#state && reason === this.#reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#events?.linkChanged(state, reason);
  }

  /** Sets the maximum length of frames that are read from now on. */
  #setRoom(): void {
    const room = this.#device.givesSuperFrames ? MAX_SUPER_FRAME_BYTES : this.#maxFrameBytes + MAX_TAGS_BYTES;
    nativeAddon().readsFrames(this.#device.descriptor, Math.min(room, MAX_SUPER_FRAME_BYTES));
  }

  /** The device is gone; another one of its name may exist already. */
  #lose(): void {
    const attached = this.#attached;
    if (attached === undefined) return;
    const { register, logger } = this.#owner;
    this.#attached = undefined;
    this.#netns = undefined;
    this.#forgetNoted();
    this.#endPatience();
    // Closing ends the flows that lead to it.
    this.#released = attached.release(false, logger);
    register?.keepName(this, this.#name);
    this.#waiting = new DeviceWait(this.#name, {
      tryAgain: () => useDevice(this.#owner.reopen(this.#name, this), logger, (device) => this.#attach(device)),
      inVain: (reason) => this.#tell('down', reason),
      logger,
    });
    this.#waiting.start();
  }
}
