import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Authority, createAuthority } from './certificates.ts';
import { EtherwsSwitch } from './etherws.ts';
import { openTapLab } from './lab-test.ts';
import type { Host, Lab } from './namespaces.ts';
import { run } from './process.ts';
import { PATIENCE_MS } from './waits.ts';

/** The left host's addresses on the cable between the two hosts, and its name. */
export const LEFT = { v4: '10.1.0.1', v6: 'fd01::1', name: 'left.example' } as const;
export const RIGHT = { v4: '10.1.0.2', v6: 'fd01::2' } as const;
/** The left host's addresses on the Ethernet of the switches. */
export const LEFT_TAP = { v4: '192.0.2.1', v6: '2001:db8::1' } as const;
export const RIGHT_TAP = { v4: '192.0.2.2', v6: '2001:db8::2' } as const;
export const USER = 'alice';
/** A password with colons, which separate the fields of htpasswd lines and Basic credentials. */
export const PASSWORD = 'open:sesame: 7';

/** Two hosts on one cable, without switches. */
export interface Pair {
  readonly lab: Lab;
  readonly left: Host;
  readonly right: Host;
}

/** Two hosts on one cable, or undefined with the test marked as skipped. */
export async function openPair(t: TestContext, ...tools: readonly string[]): Promise<Pair | undefined> {
  const lab = await openTapLab(t, ...tools);
  if (lab === undefined) return undefined;
  const [left, right] = [await lab.host('left'), await lab.host('right')];
  await lab.link(
    { host: left, device: 'eth0', addresses: [`${LEFT.v4}/24`, `${LEFT.v6}/64`] },
    { host: right, device: 'eth0', addresses: [`${RIGHT.v4}/24`, `${RIGHT.v6}/64`] },
  );
  return { lab, left, right };
}

/** Files for a service with TLS and a password. */
export interface Credentials {
  readonly authority: Authority;
  /** Options of `etherws sw` that serve tunnels with them. */
  readonly options: readonly string[];
  readonly htpasswd: string;
}

/** Makes a certificate for the left host's name and addresses, and a user. Needs `openssl` and `htpasswd`. */
export async function createCredentials({ lab }: Pair): Promise<Credentials> {
  const authority = await createAuthority(lab.directory);
  const { key, certificate } = await authority.issue('left', [LEFT.name, LEFT.v4, LEFT.v6]);
  await lab.nameHosts({ [LEFT.name]: LEFT.v4 });
  const htpasswd = join(lab.directory, 'users');
  writeFileSync(htpasswd, await htpasswdLine('-B', USER, PASSWORD));
  return { authority, htpasswd, options: ['--sslkey', key, '--sslcert', certificate, '--htpasswd', htpasswd] };
}

/** A line of an htpasswd file as Apache's own tool makes it, with the flag that names the format. */
export async function htpasswdLine(flag: string, user: string, password: string): Promise<string> {
  const { status, stdout, stderr } = await run(['htpasswd', '-n', '-b', flag, user, password]);
  if (status !== 0) throw new Error(stderr);
  return `${stdout.trim()}\n`;
}

/** A switch on each host, whose port 1 is a TAP device with addresses. */
export interface SwitchedPair extends Pair {
  readonly leftSwitch: EtherwsSwitch;
  readonly rightSwitch: EtherwsSwitch;
}

/** Starts two switches without a tunnel. @param sw options of the left one */
export async function startSwitches(
  pair: Pair,
  left: readonly string[] = ['--port', '8000'],
  right: readonly string[] = ['--port', '8000'],
): Promise<SwitchedPair> {
  const [leftSwitch, rightSwitch] = await Promise.all([
    EtherwsSwitch.start(pair.left, left),
    EtherwsSwitch.start(pair.right, right),
  ]);
  for (const [each, tap] of [
    [leftSwitch, LEFT_TAP],
    [rightSwitch, RIGHT_TAP],
  ] as const) {
    await each.done('addport', 'tap', 'ethws0');
    await each.done('setif', '1', '--address', tap.v4, '--netmask', '255.255.255.0');
    await each.done('setif', '1', '--address', `${tap.v6}/64`);
  }
  return { ...pair, leftSwitch, rightSwitch };
}

/**
 * The same, with a tunnel that the right switch dials.
 * @param url the URL that the right switch dials; `options` are those of the left one and of `addport client`
 */
export async function joinPair(
  pair: Pair,
  url = `ws://${LEFT.v4}:8000/`,
  options: { readonly sw?: readonly string[]; readonly addport?: readonly string[] } = {},
): Promise<SwitchedPair> {
  const switched = await startSwitches(pair, options.sw);
  await switched.rightSwitch.done('addport', 'client', url, ...(options.addport ?? []));
  return switched;
}

/** A device's MAC address. */
export async function macOf(host: Host, device: string): Promise<string> {
  const [link] = JSON.parse(await host.check(['ip', '-json', 'link', 'show', 'dev', device])) as { address: string }[];
  return link?.address ?? '';
}

/** Whether an echo request is answered: one is sent every 200 ms until then, for at most this time. */
export async function pings(from: Host, address: string, patienceS: number = PATIENCE_MS / 1000): Promise<boolean> {
  // With a deadline, ping counts answers, not requests.
  const { status } = await from.run(['ping', '-c', '1', '-i', '0.2', '-w', String(patienceS), address]);
  return status === 0;
}

/** Whether none of three echo requests is answered. */
export async function pingsInVain(from: Host, address: string): Promise<boolean> {
  const { stdout } = await from.run(['ping', '-c', '3', '-i', '0.2', '-W', '1', address]);
  return stdout.includes(' 0 received');
}
