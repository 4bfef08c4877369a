/** The two hosts of the demo: one that others can reach, and one that dials it. */
export type HostName = 'relay' | 'laptop';

/** A command as the README shows it, and on which host it is typed. */
export interface Command {
  readonly host: HostName;
  readonly line: string;
}

/** The name in the relay's certificate, which the tunnel verifies. */
export const RELAY_NAME = 'relay.example';
export const USER = 'alice';
/** Files in the directory where the commands are typed. */
export const FILES = { key: 'key.pem', certificate: 'cert.pem', htpasswd: 'users' } as const;
/** The addresses that `setif` gives to the TAP devices. */
export const INSIDE = { relay: '192.0.2.1', laptop: '192.0.2.2' } as const;

/** Everything that is typed to join two hosts, word for word as in the README; a test compares. */
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

/** What shows the result, on both hosts. */
export const LISTINGS: readonly string[] = ['etherws ctl listport', 'etherws ctl listif', 'etherws ctl listfdb'];
