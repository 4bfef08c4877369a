import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian's packages of the programs that tests need. */
const PACKAGES: Readonly<Record<string, string>> = {
  'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross',
  as: 'binutils',
  bash: 'bash',
  busybox: 'busybox',
  capinfos: 'wireshark-common',
  cc: 'build-essential',
  chromium: 'chromium',
  clang: 'clang libclang-rt-14-dev',
  'clang-tidy': 'clang-tidy',
  curl: 'curl',
  faketime: 'faketime',
  haproxy: 'haproxy',
  htpasswd: 'apache2-utils',
  ip: 'iproute2',
  ld: 'binutils',
  iperf3: 'iperf3',
  'musl-gcc': 'musl-tools',
  nft: 'nftables',
  'nats-server': 'nats-server',
  nginx: 'nginx-light libnginx-mod-stream',
  nsenter: 'util-linux',
  openssl: 'openssl',
  'ovs-ofctl': 'openvswitch-switch',
  'ovs-vsctl': 'openvswitch-switch',
  'ovs-vswitchd': 'openvswitch-switch',
  'ovsdb-server': 'openvswitch-switch',
  'ovsdb-tool': 'openvswitch-switch',
  ping: 'iputils-ping',
  prometheus: 'prometheus',
  promtool: 'prometheus',
  python3: 'python3',
  readelf: 'binutils',
  script: 'bsdutils',
  setpriv: 'util-linux',
  ss: 'iproute2',
  'systemd-analyze': 'systemd',
  systemctl: 'systemd',
  sysctl: 'procps',
  tc: 'iproute2',
  tcpdump: 'tcpdump',
  tshark: 'tshark',
  unshare: 'util-linux',
};

/** The path of a program, searched also in the sbin directories, which are not in a user's PATH on Debian. */
export function pathOf(tool: string): string | undefined {
  const { PATH = '' } = process.env;
  for (const directory of [...PATH.split(delimiter), '/usr/sbin', '/sbin']) {
    try {
      const path = join(directory, tool);
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this directory; the next one may have it
    }
  }
  return undefined;
}

/** @returns why a test that needs these programs must be skipped; false if all are installed */
export function missingTools(...tools: readonly string[]): string | false {
  for (const tool of tools) {
    if (pathOf(tool) === undefined) return `needs ${tool}: apt install ${PACKAGES[tool] ?? tool}`;
  }
  return false;
}

/** @returns why this host cannot make a TAP device, or false */
export function missingTapDevice(): string | false {
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
    return false;
  } catch (error) {
    return `needs /dev/net/tun (${(error as NodeJS.ErrnoException).code}): modprobe tun; chmod 0666 /dev/net/tun`;
  }
}
