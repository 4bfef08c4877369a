import { createHash } from 'node:crypto';

/** The parts of a unit that differ between hosts. */
export interface UnitOptions {
  /** absolute path of Node */
  readonly node: string;
  /** absolute path of the command's script */
  readonly script: string;
  /** absolute path of the configuration file */
  readonly config: string;
  /** Default: DynamicUser=, a user that exists only while the service runs. */
  readonly user?: string | undefined;
  /** Whether systemd has Type=notify-reload (253 and later), by which `systemctl reload` waits for the end of it. */
  readonly hasNotifyReload?: boolean;
}

export const UNIT_NAME = 'etherws.service';
export const DEFAULT_CONFIG = '/etc/etherws/etherws.yaml';

/**
 * The unit of the switch for systemd, 247 and later. Its first line has a hash of the others, by which
 * `isUnchangedUnit` tells whether it was edited.
 *
 * Restrictions that it cannot have: MemoryDenyWriteExecute=, since V8 writes code to memory; PrivateDevices=, since it
 * hides /dev/net/tun; PrivateNetwork=, PrivateUsers= and IPAddressDeny=, since devices and tunnels are of the host's
 * network.
 */
export function serviceUnit({ node, script, config, user, hasNotifyReload = false }: UnitOptions): string {
  const type = hasNotifyReload ? 'Type=notify-reload' : 'Type=notify\nExecReload=/bin/kill -HUP $MAINPID';
  const body = `[Unit]
Description=etherws: virtual Ethernet switch over WebSockets
After=network-online.target nss-lookup.target
Wants=network-online.target

[Service]
${type}
NotifyAccess=main
ExecStart=${quoted(node)} ${quoted(script)} sw --foreground --config ${quoted(config)} --state /var/lib/etherws/state
WatchdogSec=30s
Restart=on-failure
RestartSec=1s
TimeoutStopSec=20s

# Who it is, and which directories are its own.
${user === undefined ? 'DynamicUser=yes' : `User=${user}`}
ConfigurationDirectory=etherws
StateDirectory=etherws
StateDirectoryMode=0700
RuntimeDirectory=etherws
UMask=0077
LimitNOFILE=65536

# A private key that only root can read: the configuration names it /run/credentials/${UNIT_NAME}/tls.key
#LoadCredential=tls.key:/etc/etherws/tls.key

# CAP_NET_ADMIN makes and sets up devices, CAP_NET_RAW is for netdev ports, CAP_NET_BIND_SERVICE for ports below 1024.
AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE
DevicePolicy=closed
DeviceAllow=/dev/net/tun rw
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK AF_PACKET

# What a switch never needs.
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
PrivateTmp=yes
PrivateMounts=yes
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
  return `${MARK}${hashOf(body)}\n${body}`;
}

const MARK = '# Written by etherws install-service; changes belong into a drop-in (systemctl edit etherws). ';

/** Whether a unit is unchanged since `serviceUnit` of this version or another one made it. */
export function isUnchangedUnit(text: string): boolean {
  const end = text.indexOf('\n');
  return text.startsWith(MARK) && text.slice(MARK.length, end) === hashOf(text.slice(end + 1));
}

function hashOf(body: string): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 16);
}

/** Quotes a word of ExecStart=, by systemd.service(5) and systemd.syntax(7). */
function quoted(word: string): string {
  const escaped = word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w./@:+-]+$/.test(word) ? word : `"${escaped}"`;
}
