/** The two hosts of the demo: a relay with a public address, and a laptop that dials it. */
export type HostName = 'relay' | 'laptop';

/** A command of the README, and the host on which it runs. */
export interface Command {
  readonly host: HostName;
  readonly line: string;
}

/** The name in the relay's certificate, which the tunnel verifies. */
export const RELAY_NAME = 'relay.example';
export const USER = 'alice';
/** Files in the working directory of the commands. */
export const FILES = { key: 'key.pem', certificate: 'cert.pem', htpasswd: 'users' } as const;
/** The addresses that `setif` gives to the TAP devices. */
export const INSIDE = { relay: '192.0.2.1', laptop: '192.0.2.2' } as const;

/** The commands that join two hosts. A test compares them with the README. */
export const COMMANDS: readonly Command[] = [
  {
    host: 'relay',
    line: `etherws sw --sslkey ${FILES.key} --sslcert ${FILES.certificate} --htpasswd ${FILES.htpasswd}`,
  },
  { host: 'relay', line: 'etherws ctl addport tap ethws0' },
  { host: 'relay', line: `etherws ctl setif 1 --address ${INSIDE.relay} --netmask 255.255.255.0` },
  { host: 'laptop', line: 'etherws sw --port 8000' },
  { host: 'laptop', line: 'etherws ctl addport tap ethws0' },
  { host: 'laptop', line: `etherws ctl setif 1 --address ${INSIDE.laptop} --netmask 255.255.255.0` },
  {
    host: 'laptop',
    line: `etherws ctl addport client wss://${RELAY_NAME}/ --cacerts ${FILES.certificate} --user ${USER}`,
  },
];

/** The commands that show the result, on both hosts. */
export const LISTINGS: readonly string[] = ['etherws ctl listport', 'etherws ctl listif', 'etherws ctl listfdb'];
