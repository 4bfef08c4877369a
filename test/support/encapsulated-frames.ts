import type { OffloadHeader } from '../../src/wire/offload/virtio-header.ts';
import {
  type BuiltFrame,
  ethernetHeader,
  type FrameFields,
  frameOf,
  ipv4Header,
  ipv6Header,
  onesComplementSum,
  pseudoSum,
  superFrameOf,
  transportSum,
} from './frames.ts';

/** The fields of one encapsulation; absent ones have defaults. */
export interface OuterFields {
  /** `ip`: the inner packet follows the IP header directly: IPIP, SIT, and the same over IPv6. */
  kind: 'vxlan' | 'vxlan-gpe' | 'vxlan-gpe-ip' | 'geneve' | 'geneve-ip' | 'gre' | 'gretap' | 'ip' | 'fou';
  ipv6?: boolean;
  /** TCIs of the frame around it, outer first. */
  tags?: readonly number[];
  /** Whether its UDP or GRE header has a checksum. */
  checksum?: boolean;
  id?: number;
  key?: number;
  /** Geneve's options, a multiple of four octets. */
  options?: Uint8Array;
  extension?: FrameFields['extension'];
}

const TUNNEL_LIMIT = { type: 60, bytes: Buffer.from('0000040104010000', 'hex') };

/** All encapsulations that can be segmented; the outermost first. */
export const ENCAPSULATIONS: readonly (readonly [string, readonly OuterFields[]])[] = [
  ['VXLAN without UDP checksum', [{ kind: 'vxlan' }]],
  ['VXLAN with UDP checksum', [{ kind: 'vxlan', checksum: true, id: 0xfffe }]],
  ['VXLAN over IPv6 without UDP checksum', [{ kind: 'vxlan', ipv6: true }]],
  ['VXLAN over IPv6 with UDP checksum, in a VLAN', [{ kind: 'vxlan', ipv6: true, checksum: true, tags: [100] }]],
  ['VXLAN-GPE', [{ kind: 'vxlan-gpe', checksum: true }]],
  ['VXLAN-GPE of IP packets', [{ kind: 'vxlan-gpe-ip', checksum: true }]],
  ['Geneve with options', [{ kind: 'geneve', checksum: true, options: new Uint8Array(12).fill(7) }]],
  ['Geneve over IPv6, of IP packets', [{ kind: 'geneve-ip', ipv6: true, checksum: true }]],
  ['GRE', [{ kind: 'gre' }]],
  ['GRE with checksum and key, over IPv6', [{ kind: 'gre', ipv6: true, checksum: true, key: 5 }]],
  ['GRE of Ethernet with checksum', [{ kind: 'gretap', checksum: true, tags: [200, 300] }]],
  ['IP in IPv4', [{ kind: 'ip', id: 0xffff }]],
  ['IP in IPv6 behind an extension header', [{ kind: 'ip', ipv6: true, extension: TUNNEL_LIMIT }]],
  ['IP in UDP', [{ kind: 'fou', checksum: true }]],
  [
    'VXLAN in GRE in IPv6',
    [
      { kind: 'ip', ipv6: true },
      { kind: 'gre', checksum: true },
      { kind: 'vxlan', checksum: true },
    ],
  ],
  [
    'VXLAN in VXLAN',
    [
      { kind: 'vxlan', checksum: true },
      { kind: 'vxlan', checksum: true, ipv6: true, tags: [9] },
    ],
  ],
];

/** A finished frame: `inner` inside of the encapsulations, the outermost first. */
export function encapsulatedFrameOf(outers: readonly OuterFields[], inner: FrameFields): BuiltFrame {
  return outers.reduceRight((built, outer) => wrap(outer, built, true), frameOf(inner));
}

/** The same as a kernel sends it: with a partial inner checksum, and outer checksums over the whole super-frame. */
export function encapsulatedSuperFrameOf(
  outers: readonly OuterFields[],
  inner: FrameFields,
  gsoSize: number,
): { frame: Buffer; header: OffloadHeader } {
  const { frame, header } = superFrameOf(inner, gsoSize);
  if (gsoSize === 0) return begun(encapsulatedFrameOf(outers, inner), frame, frameOf(inner), header);
  const built = outers.reduceRight((whole, outer) => wrap(outer, whole, false), { ...frameOf(inner), bytes: frame });
  return {
    frame: built.bytes,
    header: { ...header, headerBytes: built.payloadStart, checksumStart: built.transportStart },
  };
}

/** Linux writes outer checksums that are right when the inner one is completed (local checksum offload). */
function begun(
  built: BuiltFrame,
  innerBegun: Buffer,
  inner: BuiltFrame,
  header: OffloadHeader,
): { frame: Buffer; header: OffloadHeader } {
  const checksum = innerBegun.readUInt16BE(inner.transportStart + header.checksumOffset);
  built.bytes.writeUInt16BE(checksum, built.transportStart + header.checksumOffset);
  return { frame: built.bytes, header: { ...header, checksumStart: built.transportStart } };
}

/** Encapsulates an Ethernet frame, or the packet in it. */
function wrap(outer: OuterFields, inner: BuiltFrame, isFinished: boolean): BuiltFrame {
  const isBridged = ['vxlan', 'vxlan-gpe', 'geneve', 'gretap'].includes(outer.kind);
  const stripped = isBridged ? 0 : inner.networkStart;
  const content = inner.bytes.subarray(stripped);
  const isInnerIpv6 = (inner.bytes[inner.networkStart] as number) >> 4 === 6;
  const { protocol, shim } = shimOf(outer, isInnerIpv6, content.length);
  const fields: FrameFields = {
    payload: content,
    source: 0xcc,
    ...(outer.tags && { tags: outer.tags }),
    ...(outer.ipv6 && { ipv6: true }),
    ...(outer.id !== undefined && { id: outer.id }),
    ...(outer.extension && { extension: outer.extension }),
  };
  const ethernet = ethernetHeader(fields);
  const network = outer.ipv6 ? ipv6Header(fields, protocol, shim.length) : ipv4Header(fields, protocol, shim.length);
  const bytes = Buffer.concat([ethernet, network, shim, content]);
  const transport = ethernet.length + network.length;
  if (outer.checksum) writeChecksum(bytes, ethernet.length, transport, protocol, isFinished);
  const moved = bytes.length - content.length - stripped;
  return {
    bytes,
    networkStart: ethernet.length,
    transportStart: inner.transportStart + moved,
    payloadStart: inner.payloadStart + moved,
  };
}

const UDP = 17;
const GRE = 47;

function writeChecksum(bytes: Buffer, network: number, transport: number, protocol: number, isFinished: boolean): void {
  if (protocol === GRE) {
    bytes.writeUInt16BE(isFinished ? ~onesComplementSum(bytes.subarray(transport)) & 0xffff : 0x1234, transport + 4);
    return;
  }
  const finished = ~transportSum(bytes, network, transport, protocol) & 0xffff || 0xffff;
  bytes.writeUInt16BE(isFinished ? finished : pseudoSum(bytes, network, transport, protocol), transport + 6);
}

/** The headers between the outer IP header and the content. */
function shimOf(outer: OuterFields, isIpv6: boolean, contentBytes: number): { protocol: number; shim: Buffer } {
  const type = isIpv6 ? 0x86dd : 0x0800;
  switch (outer.kind) {
    case 'ip':
      return { protocol: isIpv6 ? 41 : 4, shim: Buffer.alloc(0) };
    case 'gre':
    case 'gretap':
      return { protocol: GRE, shim: greHeader(outer, outer.kind === 'gre' ? type : 0x6558) };
    case 'fou':
      return { protocol: UDP, shim: udpHeader(5555, Buffer.alloc(0), contentBytes) };
    case 'vxlan':
      return { protocol: UDP, shim: udpHeader(4789, Buffer.from('0800000000000700', 'hex'), contentBytes) };
    case 'vxlan-gpe':
      return { protocol: UDP, shim: udpHeader(4790, Buffer.from('0c00000300000700', 'hex'), contentBytes) };
    case 'vxlan-gpe-ip': {
      const gpe = Buffer.from('0c00000000000700', 'hex');
      gpe[3] = isIpv6 ? 2 : 1;
      return { protocol: UDP, shim: udpHeader(4790, gpe, contentBytes) };
    }
    default: {
      const options = outer.options ?? new Uint8Array();
      const geneve = Buffer.concat([Buffer.from('0000000000000700', 'hex'), options]);
      geneve[0] = options.length / 4;
      geneve.writeUInt16BE(outer.kind === 'geneve' ? 0x6558 : type, 2);
      return { protocol: UDP, shim: udpHeader(6081, geneve, contentBytes) };
    }
  }
}

function udpHeader(port: number, behind: Uint8Array, contentBytes: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(50_000);
  header.writeUInt16BE(port, 2);
  header.writeUInt16BE(8 + behind.length + contentBytes, 4);
  return Buffer.concat([header, behind]);
}

function greHeader(outer: OuterFields, type: number): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt16BE((outer.checksum ? 0x8000 : 0) | (outer.key === undefined ? 0 : 0x2000));
  header.writeUInt16BE(type, 2);
  const parts = [header];
  if (outer.checksum) parts.push(Buffer.alloc(4));
  if (outer.key !== undefined) {
    const key = Buffer.alloc(4);
    key.writeUInt32BE(outer.key);
    parts.push(key);
  }
  return Buffer.concat(parts);
}
