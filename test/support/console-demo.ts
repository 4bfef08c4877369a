import type { TestContext } from 'node:test';
import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { TPID_C_TAG } from '../../src/wire/ethernet/tag.ts';
import type { Vid } from '../../src/wire/ethernet/vid.ts';
import { withTag } from '../../src/wire/ethernet/vid-tag.ts';
import { lldpFrame } from '../../src/wire/lldp/frame.ts';
import { FrameSource } from './frame-source.ts';
import { arpFrame, dhcpRequest, udpFrame } from './ip-frames.ts';
import { Random } from './random.ts';
import { SwitchProcess } from './switch-process.ts';
import { textFile } from './users-file.ts';
import { until } from './waits.ts';

/*
 * A switch that looks like one in use: offices with stations, VLANs, a second network, a neighbour by LLDP, a tunnel that cannot
 * be dialled, a DHCP server where there may be none. Its frames come by tunnels.
 */

interface Station {
  readonly mac: string;
  readonly ip: string;
  readonly host: string | undefined;
}

/** A port, its settings, and the stations behind it. */
interface Site {
  readonly name: string;
  readonly description?: string;
  readonly network?: string;
  readonly settings?: object;
  readonly stations: readonly Station[];
  /** the tag of its frames; default: none */
  readonly vid?: number;
  /** the most octets a second that it sends */
  readonly rate: number;
}

const VENDORS = ['b827eb', '001b21', '3c5ab4', 'f4ce46', '0050b6', '74ac5f'] as const;
const HOSTS = ['printer', 'nas', 'camera', 'laptop', 'build', 'phone', 'ticket', 'meter'] as const;

function stations(random: Random, site: number, count: number): Station[] {
  return Array.from({ length: count }, (_, index) => ({
    mac: `${VENDORS[(site + index) % VENDORS.length]}${random.bytes(3).toString('hex')}`,
    ip: `10.20.${site}.${10 + index}`,
    host: index % 3 === 2 ? undefined : `${HOSTS[(site * 3 + index) % HOSTS.length]}-${site}${index}`,
  }));
}

const ACCESS = { vlanMode: 'access', pvid: 10 };

function sitesOf(random: Random): Site[] {
  const site = (number: number, name: string, count: number, rate: number, more: Partial<Site> = {}): Site => ({
    name,
    rate,
    stations: stations(random, number, count),
    ...more,
  });
  return [
    site(1, 'office', 9, 900_000, {
      description: 'second floor',
      settings: { vlanMode: 'native', pvid: 10, vlans: '20,30' },
    }),
    site(2, 'warehouse', 6, 350_000, { settings: ACCESS }),
    site(3, 'servers', 5, 2_500_000, { settings: { vlanMode: 'trunk', vlans: '10,20,30' }, vid: 10 }),
    site(4, 'guests', 4, 120_000, { settings: { vlanMode: 'access', pvid: 20, dhcpGuard: true, macLimit: 8 } }),
    site(5, 'home-ann', 2, 60_000, { settings: ACCESS }),
    site(6, 'home-ben', 2, 40_000, { settings: ACCESS }),
    site(7, 'lab-bench', 3, 200_000, { network: 'lab' }),
    site(8, 'lab-rack', 4, 500_000, { network: 'lab' }),
  ];
}

export interface ConsoleDemo {
  readonly sw: SwitchProcess;
  /** of the console, without a hash */
  readonly url: string;
}

const TICK_MS = 100;
const FRAME_OCTETS = 1200;
const PAYLOAD = 'a5'.repeat(FRAME_OCTETS - 42);

/** Starts the switch, and its traffic, which ends after the test. */
export async function openDemo(t: TestContext): Promise<ConsoleDemo> {
  const random = new Random(7);
  const oui = textFile(t, 'oui', VENDORS.map((prefix, at) => `${prefix.toUpperCase()} ${NAMES[at]}\n`).join(''));
  const sw = await SwitchProcess.start(t, ['--oui', oui]);
  await sw.call('setNet', { network: 'default', stp: 'on', lldp: 'on' });
  await sw.call('addNet', { network: 'lab' });
  const sites = sitesOf(random);
  const sources: FrameSource[] = [];
  for (const [index, { name, description, network, settings = {} }] of sites.entries()) {
    const source = await FrameSource.open(t, sw.tunnelPort, network === undefined ? '/' : `/${network}`);
    await sw.call('setPort', {
      port: index + 1,
      name,
      ...(description === undefined ? {} : { description }),
      ...settings,
    });
    sources.push(source);
  }
  // Nothing listens at the discard port.
  const options = { wait: false };
  await sw.call('addPort', { type: 'client', target: 'ws://127.0.0.1:9/', name: 'branch', options });
  introduce(sites, sources);
  let ticks = 0;
  const timer = setInterval(() => {
    ticks++;
    for (const [index, site] of sites.entries()) converse(random, site, sources[index] as FrameSource, sites, ticks);
    if (ticks % 50 === 1) introduce(sites, sources);
  }, TICK_MS);
  t.after(() => clearInterval(timer));
  await until(() => ticks > 3);
  return { sw, url: `http://127.0.0.1:${sw.controlPort}/console/` };
}

const NAMES = [
  'Raspberry Pi Foundation',
  'Intel Corporate',
  'Google, Inc.',
  'Hewlett Packard',
  'Cisco Systems',
  'Motorola Mobility',
];

/** @param vid of its tag; undefined: it has none */
function frame(vid: number | undefined, hex: string): Buffer {
  const octets = Buffer.from(hex, 'hex');
  return vid === undefined ? octets : withTag(octets, TPID_C_TAG, vid as Vid);
}

/** What hosts say to all others from time to time: addresses and names; and a neighbour. */
function introduce(sites: readonly Site[], sources: readonly FrameSource[]): void {
  for (const [index, { stations: all, vid }] of sites.entries()) {
    const source = sources[index] as FrameSource;
    for (const { mac, ip, host } of all) {
      source.send(frame(vid, arpFrame(mac, ip, ip)));
      if (host !== undefined) source.send(frame(vid, dhcpRequest({ client: mac, current: ip, hostName: host })));
    }
  }
  sources[1]?.send(
    lldpFrame(0x02_00_00_00_77_01 as MacAddress, {
      chassisId: { subtype: 4, octets: Buffer.from('020000007701', 'hex') },
      portId: { subtype: 5, octets: Buffer.from('ge-0/0/24') },
      ttlSeconds: 120,
      systemName: 'warehouse-sw1',
      systemDescription: 'the switch of the warehouse',
      capabilities: { supported: 0x14, enabled: 0x04 },
    }),
  );
}

/** Data between stations, in waves, so that curves have shapes. */
function converse(random: Random, site: Site, source: FrameSource, sites: readonly Site[], ticks: number): void {
  const wave = 0.55 + 0.45 * Math.sin(ticks / (23 + site.name.length) + site.name.length);
  const frames = Math.round((site.rate * wave * TICK_MS) / 1000 / FRAME_OCTETS);
  const others = sites.filter((other) => other !== site && other.network === site.network);
  const from = random.pick(site.stations);
  const to = random.pick(random.pick(others).stations);
  const data = frame(site.vid, udpFrame(to.mac, from.mac, from.ip, to.ip, [49_152 + random.below(1000), 443], PAYLOAD));
  for (let sent = 0; sent < frames; sent++) source.send(data);
  if (random.once(4)) source.send(frame(site.vid, dnsQuery(from, to)));
  // A DHCP server among the guests is refused.
  if (site.name === 'guests' && ticks % 150 === 0) {
    source.send(Buffer.from(udpFrame('ffffffffffff', from.mac, from.ip, '255.255.255.255', [67, 68], '0201'), 'hex'));
  }
}

function dnsQuery(from: Station, to: Station): string {
  const name = Buffer.from('\u0003www\u0007example\u0003org\u0000').toString('hex');
  return udpFrame(to.mac, from.mac, from.ip, to.ip, [53_000, 53], `1a2b01000001000000000000${name}00010001`);
}
