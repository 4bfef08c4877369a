import type { Dissector } from './dissection.ts';
import { CUT, flagsText, hexNumber, type Layer, named } from './layer.ts';

const LEAST_BYTES = 20;
/** By bit (RFC 9293, 3.1; NS: RFC 3540). */
const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'AE'];
const END = 0;
const NO_OPERATION = 1;
const OPTIONS: Readonly<Record<number, string>> = {
  0: 'end',
  1: 'no operation',
  2: 'maximum segment size',
  3: 'window scale',
  4: 'SACK permitted',
  5: 'SACK',
  8: 'timestamps',
  30: 'multipath TCP',
  34: 'fast open',
};

/** RFC 9293. Sequence numbers are those of the octets, not relative to the connection's beginning. */
export const dissectTcp: Dissector = (dissection, at, end) => {
  const layer = dissection.layer('TCP', at, end);
  const source = layer.number('Source port', 2);
  const destination = layer.number('Destination port', 2);
  dissection.say({ info: `${source} → ${destination}` });
  const sequence = layer.number('Sequence', 4);
  const acknowledged = layer.number('Acknowledgment', 4);
  const headerBytes = (layer.peek(layer.at, 1) >>> 4) * 4;
  layer.note('Header length', String(headerBytes), layer.at, 1);
  const flags = layer.number('Flags', 2, (value) => flagsText(value & 0x1ff, FLAGS, 3)) & 0x1ff;
  const window = layer.number('Window', 2);
  layer.number('Checksum', 2, (value) => hexNumber(value, 4));
  layer.number('Urgent pointer', 2);
  const names = FLAGS.filter((_, bit) => ((flags >>> bit) & 1) === 1).join(' ');
  const acknowledgment = (flags & 0x10) === 0 ? '' : ` ack ${acknowledged}`;
  const octets = Math.max(0, layer.end - at - headerBytes);
  dissection.say({
    info: `${source} → ${destination} [${names}] seq ${sequence}${acknowledgment} win ${window}, ${octets} octets`,
  });
  if (headerBytes < LEAST_BYTES) throw CUT;
  const headerEnd = at + headerBytes;
  if (headerEnd > layer.at) layer.group('Options', () => options(layer, headerEnd));
  dissection.pass(undefined, headerEnd, end);
};

function options(layer: Layer, end: number): string {
  const names: string[] = [];
  while (layer.at < end) {
    const kind = layer.peek(layer.at, 1);
    const name = OPTIONS[kind] ?? `kind ${kind}`;
    if (kind === END) {
      layer.octets('Padding', end - layer.at);
      break;
    }
    if (kind === NO_OPERATION) layer.number('Option', 1, named(OPTIONS));
    else {
      const octets = layer.peek(layer.at + 1, 1);
      if (octets < 2 || layer.at + octets > end) throw CUT;
      layer.octets(`Option ${name}`, octets, (bytes) => optionText(kind, bytes));
      names.push(name);
    }
  }
  return names.length === 0 ? 'none' : names.join(', ');
}

function optionText(kind: number, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (kind === 2 && bytes.length === 4) return `${view.getUint16(2)} octets`;
  if (kind === 3 && bytes.length === 3) return `shift by ${view.getUint8(2)}`;
  if (kind === 8 && bytes.length === 10) return `${view.getUint32(2)}, echo ${view.getUint32(6)}`;
  if (kind === 5 && bytes.length % 8 === 2) {
    const blocks = Array.from({ length: (bytes.length - 2) / 8 }, (_, index) => 2 + 8 * index);
    return blocks.map((at) => `${view.getUint32(at)}–${view.getUint32(at + 4)}`).join(', ');
  }
  return `${bytes.length} octets`;
}
