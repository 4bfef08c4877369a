import { BlockSplitter, HEAD_BYTES, optionsIn, textIn, viewOf } from './pcapng-blocks.ts';
import { BLOCK, INTERFACE, STATISTICS } from './pcapng-codes.ts';
import { interfaceDescription, sectionHeader } from './pcapng-writer.ts';

/** The number of the interface is the first field of packets and of statistics. */
const INTERFACE_AT = HEAD_BYTES;
/** Number of the interface and time. */
const STATISTICS_BYTES = 12;

/**
 * Merges captures of several switches into one section: each interface of each of them gets a number and a name of its own.
 * Packets keep their times and come in the order in which they arrive.
 */
export class PcapngMerger {
  /** by interface: the packets that were passed on */
  readonly captured: number[] = [];
  readonly #most: number;
  #total = 0;

  /** @param most limit of packets; further ones are left out */
  constructor(most: number = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** The first octets of the merged capture. */
  header(application: string): Buffer {
    return sectionHeader(application);
  }

  /** Whether the limit of packets is reached. */
  get isFull(): boolean {
    return this.#total >= this.#most;
  }

  /** @param prefix of the names of its interfaces */
  part(prefix: string): PcapngPart {
    return new PcapngPart(prefix, this);
  }

  /** @returns the number of a further interface */
  add(): number {
    return this.captured.push(0) - 1;
  }

  /** @returns whether a packet of the interface is passed on */
  count(interfaceId: number): boolean {
    if (this.isFull) return false;
    this.#total++;
    this.captured[interfaceId] = (this.captured[interfaceId] ?? 0) + 1;
    return true;
  }
}

/** The capture of one switch in a merged one. */
export class PcapngPart {
  /** the numbers of its interfaces in the merged capture, by their own ones */
  readonly interfaces: number[] = [];
  readonly #prefix: string;
  readonly #merger: PcapngMerger;
  readonly #splitter = new BlockSplitter();

  constructor(prefix: string, merger: PcapngMerger) {
    this.#prefix = prefix;
    this.#merger = merger;
  }

  /**
   * @param piece of the output of pcapng-writer.ts; it is overwritten
   * @returns what the merged capture has of the blocks that it completes
   * @throws RangeError for octets that are no such output
   */
  take(piece: Uint8Array): Buffer {
    const blocks: Uint8Array[] = [];
    for (const { type, octets } of this.#splitter.split(piece)) {
      if (type === BLOCK.interfaceDescription) {
        this.interfaces.push(this.#merger.add());
        blocks.push(renamed(octets, this.#prefix));
      } else if (type === BLOCK.enhancedPacket) {
        if (this.#merger.count(this.#renumber(octets))) blocks.push(octets);
      } else if (type === BLOCK.interfaceStatistics) {
        const number = this.#renumber(octets);
        setDelivered(octets, this.#merger.captured[number] ?? 0);
        blocks.push(octets);
      }
    }
    return Buffer.concat(blocks);
  }

  #renumber(octets: Uint8Array): number {
    if (octets.length < INTERFACE_AT + 8) throw new RangeError(`a block of ${octets.length} octets`);
    const view = viewOf(octets);
    const number = this.interfaces[view.getUint32(INTERFACE_AT, true)];
    if (number === undefined) throw new RangeError('a packet of no interface');
    view.setUint32(INTERFACE_AT, number, true);
    return number;
  }
}

function renamed(block: Uint8Array, prefix: string): Buffer {
  const body = block.subarray(HEAD_BYTES, -4);
  if (body.length < 8) throw new RangeError(`an interface of ${body.length} octets`);
  const options = optionsIn(body, 8);
  return interfaceDescription({
    name: prefix + textIn(options.get(INTERFACE.name)?.[0]),
    description: textIn(options.get(INTERFACE.description)?.[0]),
    snapLength: viewOf(body).getUint32(4, true),
    // Its first octet says that the text of the filter follows.
    filter: textIn(options.get(INTERFACE.filter)?.[0]?.subarray(1)),
  });
}

/** A limit of packets leaves out some that the switch has delivered. */
function setDelivered(block: Uint8Array, packets: number): void {
  const option = optionsIn(block.subarray(HEAD_BYTES, -4), STATISTICS_BYTES).get(STATISTICS.delivered)?.[0];
  if (option?.length === 8) viewOf(option).setBigUint64(0, BigInt(packets), true);
}
