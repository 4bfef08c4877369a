import { randomBytes } from 'node:crypto';
import { DESTINATION, SOURCE } from '../../wire/ethernet/ethernet-frame.ts';
import type { FrameBatch } from '../../wire/ethernet/frame-batch.ts';
import { isPingFiller, pingFiller } from '../../wire/tunnel/ping-filler.ts';
import { EchoMemory } from './echo-memory.ts';

const ADDRESS_BYTES = 6;

/** What becomes of a frame that does not go to the bridge: it is a discard, or no frame of the network at all. */
export type RawRefusal = 'echoed' | 'filler';

/**
 * The habits of peers on the raw wire, which need not be of our kind:
 *
 * - relays that send group frames back to their sender: what a dialled tunnel
 *   gets back of those that it sent within the last second is refused;
 * - programs that stand still behind a ping until a data message comes: each
 *   ping is followed by a filler frame.
 */
export class RawPeer {
  readonly #isDialled: boolean;
  #echoes: EchoMemory | undefined;
  /** The source of the frames that were sent; undefined before the first. */
  #station: Buffer | undefined;
  /** Whether frames of several stations were sent, or the one has been heard from the other side. */
  #isStationUnusable = false;
  #ownAddress: Buffer | undefined;

  /** @param isDialled whether we dialled the peer: it may then be a relay */
  constructor(isDialled: boolean) {
    this.#isDialled = isDialled;
  }

  /** Notes a frame that is being sent. */
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
   * The frame to send behind a ping. Relays that know one address a tunnel take
   * the source of the last frame for it, so the address is that of the only
   * station behind the tunnel; where that is not known, or there are several, it
   * is a random, locally administered one.
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
