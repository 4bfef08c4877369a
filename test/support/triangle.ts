import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EtherwsSwitch } from './etherws.ts';
import { openTapLab } from './lab-test.ts';
import { LEFT, LEFT_TAP, macOf, RIGHT, RIGHT_TAP } from './lan.ts';
import type { Host } from './namespaces.ts';
import type { Process } from './process.ts';

const RELAY = [process.execPath, fileURLToPath(new URL('tcp-relay.js', import.meta.url))];
/** The URL of the right host's relay, for its own switch. */
export const RELAYED = 'ws://127.0.0.1:9000/';
export const THIRD_TAP = '192.0.2.3';
/** Numbers of the left switch's server ports. */
export const RIGHT_CLIENT = 2;
export const THIRD_CLIENT = 3;
/** Waits of at most 0.5 s, so that tests are short. */
const QUICK = ['--reconnect-min', '0.2', '--reconnect-max', '0.5'];

/**
 * Three hosts, each with a switch and a TAP device. Right and third dial the left
 * one, right through a relay. The kernels send no frames by themselves: IPv6 is off,
 * and each has static neighbour entries for the others.
 */
export interface Triangle {
  readonly left: Host;
  readonly right: Host;
  readonly third: Host;
  readonly leftSwitch: EtherwsSwitch;
  readonly rightSwitch: EtherwsSwitch;
  readonly thirdSwitch: EtherwsSwitch;
  readonly rightMac: string;
  readonly relay: Relay;
}

/** A TCP relay from the right host to the left one, which can be killed. */
export class Relay {
  readonly #host: Host;
  #process: Process | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  async start(): Promise<void> {
    this.#process = this.#host.spawn([...RELAY, '127.0.0.1', '9000', LEFT.v4, '8000'], { timeoutMs: 600_000 });
    await this.#process.output(/^listening$/m);
  }

  async kill(): Promise<void> {
    this.#process?.signal('SIGKILL');
    await this.#process?.exited;
  }
}

/** @returns undefined if the test was marked as skipped. @param sw options of the left switch */
export async function openTriangle(
  t: TestContext,
  sw: readonly string[] = [],
  ...tools: readonly string[]
): Promise<Triangle | undefined> {
  const lab = await openTapLab(t, 'ping', ...tools);
  if (lab === undefined) return undefined;
  const [left, right, third] = [await lab.host('left'), await lab.host('right'), await lab.host('third')];
  for (const host of [left, right, third]) {
    await host.check([
      'bash',
      '-c',
      'for f in /proc/sys/net/ipv6/conf/{all,default}/disable_ipv6; do echo 1 > $f; done',
    ]);
  }
  await lab.link(
    { host: left, device: 'eth0', addresses: [`${LEFT.v4}/24`] },
    { host: right, device: 'eth0', addresses: [`${RIGHT.v4}/24`] },
  );
  await lab.link(
    { host: left, device: 'eth1', addresses: ['10.2.0.1/24'] },
    { host: third, device: 'eth0', addresses: ['10.2.0.2/24'] },
  );
  const leftSwitch = await EtherwsSwitch.start(left, ['--port', '8000', ...sw]);
  const rightSwitch = await EtherwsSwitch.start(right, ['--port', '8000']);
  const thirdSwitch = await EtherwsSwitch.start(third, ['--port', '8000']);
  const taps = [
    { host: left, ethernet: leftSwitch, address: LEFT_TAP.v4, mac: '' },
    { host: right, ethernet: rightSwitch, address: RIGHT_TAP.v4, mac: '' },
    { host: third, ethernet: thirdSwitch, address: THIRD_TAP, mac: '' },
  ];
  for (const tap of taps) {
    await tap.ethernet.done('addport', 'tap', 'ethws0');
    await tap.ethernet.done('setif', '1', '--address', tap.address, '--netmask', '255.255.255.0');
    tap.mac = await macOf(tap.host, 'ethws0');
  }
  for (const { host } of taps) {
    for (const { host: other, address, mac } of taps) {
      if (other === host) continue;
      await host.check(['ip', 'neighbour', 'replace', address, 'lladdr', mac, 'dev', 'ethws0', 'nud', 'permanent']);
    }
  }
  const relay = new Relay(right);
  await relay.start();
  await rightSwitch.done('addport', 'client', RELAYED, ...QUICK);
  await thirdSwitch.done('addport', 'client', 'ws://10.2.0.1:8000/', ...QUICK);
  return { left, right, third, leftSwitch, rightSwitch, thirdSwitch, rightMac: taps[1]?.mac ?? '', relay };
}
