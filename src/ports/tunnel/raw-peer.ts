import { randomBytes } from 'node:crypto';
import { DESTINATION, SOURCE } from '../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { isPingFiller, pingFiller } from '../../wire/tunnel/ping-filler.ts';
import { EchoMemory } from './echo-memory.ts';

const ADDRESS_BYTES = 6;

/** Why a frame does not go to the bridge: `echoed` counts as a discard; `filler` is not a frame of the network. */
export type RawRefusal = 'echoed' | 'filler';

/**
 * Handles two properties of other programs on the raw wire:
 *
 * - relays return group-addressed frames to their sender: a dialled tunnel
 *   refuses a received frame that it sent within the last second;
 * - some programs wait after a ping until a data message arrives: each ping is
 *   followed by a filler frame.
 */
export class RawPeer {
  readonly #isDialled: boolean;
  #echoes: EchoMemory | undefined;
  /** The source address of sent frames; undefined before the first. */
  #station: Buffer | undefined;
  /** Whether frames of several stations were sent, or a frame with the station's source address was received. */
  #isStationUnusable = false;
  #ownAddress: Buffer | undefined;

  /** @param isDialled whether the tunnel was dialled here: the peer may then be a relay */
  constructor(isDialled: boolean) {
    this.#isDialled = isDialled;
  }

  /** Records a frame that is being sent. */
  sent({ bytes, starts, lengths }: FrameBatch, index: number): void {
    const start = starts[index] as number;
    if (!this.#isStationUnusable) this.#noteStation(bytes, start);
    if (!this.#isDialled || !isGroup(bytes, start)) return;
    this.#echoes ??= new EchoMemory();
    this.#echoes.add(bytes, start, lengths[index] as number, performance.now());
  }

  /** @returns undefined for a frame of at least 14 octets that goes to the bridge */
  refusalOf(bytes: Buffer, start: number, length: number): RawRefusal | undefined {
    if (isPingFiller(bytes, start, length)) return 'filler';
    if (isGroup(bytes, start) && this.#echoes?.has(bytes, start, length, performance.now()) === true) return 'echoed';
    if (this.#station !== undefined && isSource(bytes, start, this.#station)) this.#isStationUnusable = true;
    return undefined;
  }

  /**
   * The frame to send after a ping. Some relays know one MAC address per tunnel,
   * the source of the last frame. So the source address is that of the only
   * station behind the tunnel; when it is unknown or there are several, it is a
   * random, locally administered address.
   */
  filler(): Buffer {
    if (this.#station !== undefined && !this.#isStationUnusable) return pingFiller(this.#station);
    this.#ownAddress ??= locallyAdministered(randomBytes(ADDRESS_BYTES));
    return pingFiller(this.#ownAddress);
  }

  #noteStation(bytes: Buffer, start: number): void {
    if (this.#station === undefined) {
      this.#station = Buffer.from(bytes.subarray(start + SOURCE, start + SOURCE + ADDRESS_BYTES));
      this.#isStationUnusable = isGroup(this.#station, 0);
    } else if (!isSource(bytes, start, this.#station)) {
      this.#isStationUnusable = true;
    }
  }
}

/** Sets the U/L bit and clears the I/G bit (IEEE 802-2014, 8.2). */
function locallyAdministered(address: Buffer): Buffer {
  address[0] = ((address[0] as number) & 0xfc) | 0x02;
  return address;
}

function isGroup(bytes: Uint8Array, start: number): boolean {
  return ((bytes[start + DESTINATION] as number) & 1) === 1;
}

function isSource(bytes: Uint8Array, start: number, address: Uint8Array): boolean {
  const at = start + SOURCE;
  for (let i = ADDRESS_BYTES - 1; i >= 0; i--) if (bytes[at + i] !== address[i]) return false;
  return true;
}
