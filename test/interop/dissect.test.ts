import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DissectedFrame, dissect } from '../../src/capture/dissect/dissect.ts';
import type { DissectedField } from '../../src/capture/dissect/layer.ts';
import { pcapOf } from '../support/pcap.ts';
import { run } from '../support/process.ts';
import { protocolFrame } from '../support/protocol-frames.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';
import { missingTools } from '../support/tools.ts';

/** Compares the fields of frames with tshark: the first of each kind in a frame. */

const FRAMES = 3000;

/** `layer/field` of ours, and tshark's name of it. */
const FIELDS: readonly (readonly [ours: string, theirs: string])[] = [
  ['Ethernet/Destination', 'eth.dst'],
  ['Ethernet/Source', 'eth.src'],
  ['802.1Q/VID', 'vlan.id'],
  ['802.1Q/Priority', 'vlan.priority'],
  ['802.1ad/VID', 'ieee8021ad.id'],
  ['ARP/Opcode', 'arp.opcode'],
  ['ARP/Sender MAC', 'arp.src.hw_mac'],
  ['ARP/Sender IP', 'arp.src.proto_ipv4'],
  ['ARP/Target IP', 'arp.dst.proto_ipv4'],
  ['IPv4/Total length', 'ip.len'],
  ['IPv4/Identification', 'ip.id'],
  ['IPv4/Fragment offset', 'ip.frag_offset'],
  ['IPv4/Time to live', 'ip.ttl'],
  ['IPv4/Protocol', 'ip.proto'],
  ['IPv4/Source', 'ip.src'],
  ['IPv4/Destination', 'ip.dst'],
  ['IPv6/Flow label', 'ipv6.flow'],
  ['IPv6/Traffic class', 'ipv6.tclass'],
  ['IPv6/Payload length', 'ipv6.plen'],
  ['IPv6/Next header', 'ipv6.nxt'],
  ['IPv6/Source', 'ipv6.src'],
  ['Hop-by-hop options/Next header', 'ipv6.hopopts.nxt'],
  ['Destination options/Next header', 'ipv6.dstopts.nxt'],
  ['Routing header/Segments left', 'ipv6.routing.segleft'],
  ['Fragment header/Identification', 'ipv6.fraghdr.ident'],
  ['ICMP/Type', 'icmp.type'],
  ['ICMP/Code', 'icmp.code'],
  ['ICMP/Identifier', 'icmp.ident'],
  ['ICMP/Sequence', 'icmp.seq'],
  ['ICMPv6/Type', 'icmpv6.type'],
  ['ICMPv6/Code', 'icmpv6.code'],
  ['ICMPv6/MTU', 'icmpv6.mtu'],
  ['ICMPv6/Identifier', 'icmpv6.echo.identifier'],
  ['ICMPv6/Router lifetime', 'icmpv6.nd.ra.router_lifetime'],
  ['ICMPv6/Prefix', 'icmpv6.opt.prefix'],
  ['IGMP/Type', 'igmp.type'],
  ['IGMP/Group', 'igmp.maddr'],
  ['UDP/Source port', 'udp.srcport'],
  ['UDP/Destination port', 'udp.dstport'],
  ['UDP/Length', 'udp.length'],
  ['TCP/Source port', 'tcp.srcport'],
  ['TCP/Destination port', 'tcp.dstport'],
  ['TCP/Sequence', 'tcp.seq_raw'],
  ['TCP/Acknowledgment', 'tcp.ack_raw'],
  ['TCP/Header length', 'tcp.hdr_len'],
  ['TCP/Flags', 'tcp.flags'],
  ['TCP/Window', 'tcp.window_size_value'],
  ['DHCP/Transaction', 'dhcp.id'],
  ['DHCP/Your address', 'dhcp.ip.your'],
  ['DHCP/Client MAC', 'dhcp.hw.mac_addr'],
  ['DHCP/Message type', 'dhcp.option.dhcp'],
  ['DHCP/Host name', 'dhcp.option.hostname'],
  ['DHCP/Lease time', 'dhcp.option.ip_address_lease_time'],
  ['DNS/Identifier', 'dns.id'],
  ['DNS/Answers', 'dns.count.answers'],
  ['DNS/Question/Name', 'dns.qry.name'],
  ['DNS/Question/Type', 'dns.qry.type'],
  ['DNS/Answer/Address', 'dns.a,dns.aaaa'],
  ['DNS/Answer/Port', 'dns.srv.port'],
  ['BPDU/Root', 'stp.root.hw'],
  ['BPDU/Root path cost', 'stp.root.cost'],
  ['BPDU/Bridge', 'stp.bridge.hw'],
  ['BPDU/Port', 'stp.port'],
  ['BPDU/Flags', 'stp.flags'],
  ['BPDU/Maximum age', 'stp.max_age'],
  ['LLDP/Chassis/Identifier', 'lldp.chassis.id.mac'],
  ['LLDP/Port/Identifier', 'lldp.port.id'],
  ['LLDP/Time to live/Seconds', 'lldp.time_to_live'],
  ['LLDP/System name', 'lldp.tlv.system.name'],
  ['VXLAN/VNI', 'vxlan.vni'],
];

function fieldAt({ layers }: DissectedFrame, path: string): string {
  const [protocol = '', ...labels] = path.split('/');
  for (const layer of layers) {
    if ((NAMES[layer.protocol] ?? layer.protocol) !== protocol) continue;
    let fields: readonly DissectedField[] | undefined = layer.fields;
    let field: DissectedField | undefined;
    for (const label of labels) {
      field =
        fields?.find((each) => each.label === label) ??
        fields?.flatMap((each) => each.fields ?? []).find((each) => each.label === label);
      fields = field?.fields;
    }
    if (field !== undefined) return field.value;
  }
  return '';
}

/** tshark has one set of fields for these. */
const NAMES: Readonly<Record<string, string>> = { mDNS: 'DNS', LLMNR: 'DNS', RARP: 'ARP' };
/** tshark counts this one in units of eight octets. */
const UNITS: Readonly<Record<string, number>> = { 'IPv4/Fragment offset': 8 };

/** The number, address or word that a value begins with. Numbers are decimal. */
function plain(value: string): string {
  const word = (value.split(/[ ,]/)[0] as string).replace(/^\d+\.(?=..:)/, '');
  return /^0x[0-9a-f]+$/i.test(word) ? String(Number(word)) : word;
}

test('fields are those that tshark shows', { skip: missingTools('tshark') }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-dissect-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const random = new Random(fuzzSeed());
  const frames = Array.from({ length: fuzzCases(FRAMES) }, () => protocolFrame(random));
  const file = join(directory, 'frames.pcap');
  writeFileSync(file, pcapOf(frames));
  const names = FIELDS.flatMap(([, theirs]) => theirs.split(','));
  const { stdout, stderr, status } = await run([
    'tshark',
    ...['-r', file, '-T', 'fields', '-E', 'occurrence=f', '-E', 'separator=/t'],
    ...['-o', 'ip.defragment:FALSE', '-o', 'ipv6.defragment:FALSE', '-o', 'tcp.desegment_tcp_streams:FALSE'],
    ...names.flatMap((name) => ['-e', name]),
  ]);
  assert.equal(status, 0, stderr);
  const rows = stdout.replace(/\n$/, '').split('\n');
  assert.equal(rows.length, frames.length);
  const compared = new Map(FIELDS.map(([ours]) => [ours, 0]));
  for (const [index, row] of rows.entries()) {
    const cells = new Map(row.split('\t').map((cell, column) => [names[column] as string, cell]));
    const frame = frames[index] as Buffer;
    const dissected = dissect(frame);
    const isCut = dissected.layers.some((layer) => layer.isCut);
    for (const [ours, theirs] of FIELDS) {
      const own = plain(fieldAt(dissected, ours));
      const other = plain(
        theirs
          .split(',')
          .map((name) => cells.get(name) ?? '')
          .find((cell) => cell !== '') ?? '',
      );
      // Of a header that is cut, tshark shows fewer fields.
      if (other === '' && (own === '' || isCut)) continue;
      const unit = UNITS[ours] ?? 1;
      assert.equal(
        own,
        unit === 1 ? other : String(Number(other) * unit),
        `frame ${index}, ${ours}, seed ${random.seed}: ${frame.toString('hex')}`,
      );
      compared.set(ours, (compared.get(ours) as number) + 1);
    }
  }
  const never = [...compared].filter(([, count]) => count === 0).map(([ours]) => ours);
  assert.deepEqual(never, [], 'fields that were never compared');
  t.diagnostic(`${[...compared.values()].reduce((sum, count) => sum + count, 0)} fields compared`);
});
