import type { TestContext } from 'node:test';
import type { PortEntry } from '../../src/control/schema.ts';
import { EtherwsSwitch, eventually, type SwitchStart } from './etherws.ts';
import { LEFT_TAP, openPair, type Pair, RIGHT_TAP } from './lan.ts';
import type { Host } from './namespaces.ts';
import { PingStream } from './ping-stream.ts';

/** The numbers of the ports of a switch of `startOnTap`. */
export const TAP = 1;
export const CLIENT = 2;

/** Waits of at most 1 s, so that the tests are short. */
export const QUICK: readonly string[] = ['--reconnect-min', '0.2', '--reconnect-max', '1'];

/**
 * Two hosts on one cable with persistent TAP devices, which outlive the switches and
 * keep their addresses.
 */
export async function openTapPair(t: TestContext, ...tools: readonly string[]): Promise<Pair | undefined> {
  const pair = await openPair(t, 'ping', ...tools);
  if (pair === undefined) return undefined;
  await layTap(pair.left, '02:00:00:00:00:01', `${LEFT_TAP.v4}/24`);
  await layTap(pair.right, '02:00:00:00:00:02', `${RIGHT_TAP.v4}/24`);
  return pair;
}

/** Makes the persistent device `ethws0`. */
export async function layTap(host: Host, mac: string, address: string): Promise<void> {
  await host.check(['ip', 'tuntap', 'add', 'dev', 'ethws0', 'mode', 'tap']);
  await host.check(['ip', 'link', 'set', 'ethws0', 'address', mac, 'up']);
  await host.check(['ip', 'address', 'add', address, 'dev', 'ethws0']);
}

/** Starts a switch with the host's TAP device as port 1. */
export async function startOnTap(
  host: Host,
  options: readonly string[] = ['--port', '8000'],
  how: SwitchStart = {},
): Promise<EtherwsSwitch> {
  const started = await EtherwsSwitch.start(host, options, [], how);
  await started.done('addport', 'tap', 'ethws0');
  return started;
}

/** Starts echo requests from one host of a pair to the other's TAP device, until the end of the test. */
export function startPings(t: TestContext, from: Host, address: string = LEFT_TAP.v4): PingStream {
  const pings = new PingStream(from, address);
  t.after(() => pings.end());
  return pings;
}

/**
 * Waits until the server has one tunnel that is up, and its TAP device. After a restart
 * the tunnel may come first. The port of a client that was killed may stay for the
 * server's grace.
 */
export async function settled(server: EtherwsSwitch): Promise<PortEntry[]> {
  return eventually(
    () => server.ports(),
    (ports) =>
      ports.every(({ state }) => state === 'up') &&
      ports
        .map(({ type }) => type)
        .sort()
        .join() === 'server,tap',
    60_000,
  );
}
