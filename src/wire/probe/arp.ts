import type { MacAddress } from '../ethernet/mac-address.ts';
import { readMacAddress } from '../ethernet/mac-address.ts';
import { frameWith, type ProbeHeader } from './header.ts';

export const ETHER_TYPE_ARP = 0x0806;
const ARP_BYTES = 28;
const REPLY = 2;
/** Ethernet and IPv4 addresses of six and four octets. */
const HEAD = 0x0001_0800;
const SIZES = 0x0604;

/** An ARP packet about IPv4 on Ethernet (RFC 826). */
export interface Arp {
  readonly isReply: boolean;
  readonly senderMac: MacAddress;
  readonly senderIp: number;
  readonly targetIp: number;
}

/**
 * An ARP probe (RFC 5227, 1.1): it asks who has `ip`, from the address 0.0.0.0, so no host learns anything of it. Hosts
 * answer to the source of the frame.
 */
export function arpProbe(header: ProbeHeader, ip: number): Buffer {
  const arp = Buffer.alloc(ARP_BYTES);
  arp.writeUInt32BE(HEAD, 0);
  arp.writeUInt16BE(SIZES, 4);
  arp.writeUInt16BE(1, 6);
  arp.writeUIntBE(header.source, 8, 6);
  arp.writeUInt32BE(ip, 24);
  return frameWith(header, ETHER_TYPE_ARP, arp);
}

/** @param at where the packet begins, behind the EtherType. @returns undefined for another packet, and for a truncated one */
export function readArp(bytes: Uint8Array, at: number, end: number): Arp | undefined {
  if (end - at < ARP_BYTES) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + at, ARP_BYTES);
  if (view.readUInt32BE(0) !== HEAD || view.readUInt16BE(4) !== SIZES) return undefined;
  return {
    isReply: view.readUInt16BE(6) === REPLY,
    senderMac: readMacAddress(view, 8),
    senderIp: view.readUInt32BE(14),
    targetIp: view.readUInt32BE(24),
  };
}
