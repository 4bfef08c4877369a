import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { nativeAddon } from '../native/addon.ts';
import { descriptorLimit } from './descriptor-limit.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** The checks of this host: what a switch needs to run and to open devices. They start no program. */

const TUN = '/dev/net/tun';
const LEAST_DESCRIPTORS = 128;
/** Enough descriptors for thousands of tunnels. */
const MANY_DESCRIPTORS = 4096;
/** Numbers of capabilities, from linux/capability.h. */
const CAPABILITIES = { CAP_NET_BIND_SERVICE: 10, CAP_NET_ADMIN: 12, CAP_NET_RAW: 13 } as const;
const HTTP_PORT = 80;
const ETHERNET_MTU = 1500;
/** Each costs a call of the kernel, and a switch may have 5000 devices of its own. */
const MOST_DEVICES = 256;
const DAY_MS = 86_400_000;

/** For a switch that is to be started. */
export function examineHost(): Finding[] {
  const [node, addon, tun, capabilities, ...others] = examineRunning();
  return [node, addon, tun, capabilities, examinePorts(), ...others];
}

/** For a switch that runs: its listeners are open. */
export function examineRunning(): [Finding, Finding, Finding, Finding, ...Finding[]] {
  return [
    ...([examineNode(), examineAddon(), examineTun(), examineCapabilities()] as const),
    ...[examineDescriptors(), examineMtu(), examineCongestion(), examineClock(Date.now())],
  ];
}

function examineNode(): Finding {
  return ok('Node.js', `${process.version} on ${process.platform} ${process.arch}`);
}

function examineAddon(): Finding {
  try {
    nativeAddon();
    return ok('addon', 'loaded');
  } catch (error) {
    return fail('addon', error);
  }
}

function examineTun(): Finding {
  try {
    if (!statSync(TUN).isCharacterDevice()) return fail(TUN, `${TUN} is no device`, 'mknod /dev/net/tun c 10 200');
    accessSync(TUN, constants.R_OK | constants.W_OK);
    return ok(TUN, 'can be opened');
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const advice = isAbsent
      ? 'As root: modprobe tun. In a container: --device /dev/net/tun'
      : 'As root: chmod 0666 /dev/net/tun, as udev does it; the right to make devices is CAP_NET_ADMIN';
    return fail(
      TUN,
      isAbsent ? 'does not exist' : `cannot be opened by this user: ${(error as Error).message}`,
      advice,
    );
  }
}

function has(capability: keyof typeof CAPABILITIES): boolean {
  const [, effective = '0'] = /^CapEff:\s*([\da-f]+)/m.exec(read('/proc/self/status')) ?? [];
  return ((BigInt(`0x${effective}`) >> BigInt(CAPABILITIES[capability])) & 1n) === 1n;
}

function examineCapabilities(): Finding {
  const missing = (['CAP_NET_ADMIN', 'CAP_NET_RAW'] as const).filter((name) => !has(name));
  if (missing.length === 0) return ok('capabilities', 'CAP_NET_ADMIN and CAP_NET_RAW');
  return warn(
    'capabilities',
    `this user lacks ${missing.join(' and ')}: no TAP devices, netdev ports and addresses`,
    'Run the switch as root with --user NAME, or as a service with AmbientCapabilities; tunnels need neither',
  );
}

function examinePorts(): Finding {
  const first = Number(read('/proc/sys/net/ipv4/ip_unprivileged_port_start') || '1024');
  if (has('CAP_NET_BIND_SERVICE') || first <= HTTP_PORT)
    return ok('low ports', 'this user may listen on ports 80 and 443');
  return warn(
    'low ports',
    `this user may listen on ports from ${first} on, and the default of sw is 80 or 443`,
    'Give sw --port 8000, or run it as root with --user NAME',
  );
}

function examineDescriptors(): Finding {
  const limit = descriptorLimit();
  const advice = 'Raise it, as root: ulimit -n 16384, or LimitNOFILE=16384 in its systemd unit';
  if (limit === undefined) return ok('descriptors', 'no limit of open files is known');
  if (limit < LEAST_DESCRIPTORS) return fail('descriptors', `${limit} open files are too few for a switch`, advice);
  if (limit < MANY_DESCRIPTORS) return warn('descriptors', `${limit} open files, one for each tunnel`, advice);
  return ok('descriptors', `${limit} open files`);
}

function examineMtu(): Finding {
  const short = devices().filter(({ mtu }) => mtu < ETHERNET_MTU);
  if (short.length === 0) return ok('MTU', `no device has less than ${ETHERNET_MTU} bytes`);
  const list = short.map(({ name, mtu }) => `${name} ${mtu}`).join(', ');
  return warn(
    'MTU',
    `less than ${ETHERNET_MTU} bytes: ${list}`,
    'Frames of full length do not fit a netdev port on it; tunnels over it work, since TCP cuts to size',
  );
}

/** The first devices that are up; none without the addon, which another check reports. */
function devices(): { readonly name: string; readonly mtu: number }[] {
  return Object.keys(networkInterfaces())
    .slice(0, MOST_DEVICES)
    .flatMap((name) => {
      try {
        return [{ name, mtu: nativeAddon().readLink(name).mtu }];
      } catch {
        return [];
      }
    });
}

function examineCongestion(): Finding {
  const algorithm = read('/proc/sys/net/ipv4/tcp_congestion_control');
  if (algorithm === '') return warn('TCP', 'the congestion control is not known', 'Is /proc mounted?');
  return ok('TCP', `congestion control ${algorithm}`);
}

/** With a clock before the installation of the program, valid certificates are refused. */
export function examineClock(nowMs: number): Finding {
  const installedMs = statSync(fileURLToPath(import.meta.url)).mtimeMs;
  const now = new Date(nowMs).toISOString();
  if (nowMs >= installedMs - DAY_MS) return ok('clock', now);
  const installed = new Date(installedMs).toISOString();
  return fail('clock', `it says ${now}, and etherws was installed ${installed}`, 'Set it, and keep it by NTP');
}

/** The text of a file, trimmed; `''` if it cannot be read. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
}
