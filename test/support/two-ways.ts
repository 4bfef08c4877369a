import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { PortEntry } from '../../src/control/schema.ts';
import { EtherwsSwitch } from './etherws.ts';
import { LEFT, openPair } from './lan.ts';
import type { Host } from './namespaces.ts';

/** Addresses of the second cable; the first one is that of the pair. */
export const SECOND = { left: '10.2.0.1', right: '10.2.0.2' } as const;

/** Two hosts with two cables, and a switch on each. */
export interface TwoWays {
  readonly right: Host;
  readonly dialler: EtherwsSwitch;
  /** Dials from the right host. @returns the tunnel's source address at the left one, and the client port */
  readonly dial: (...args: string[]) => Promise<{ from: string; port: PortEntry }>;
  readonly fails: (...args: string[]) => Promise<string>;
  readonly left: Host;
}

/** @returns undefined if the test was marked as skipped */
export async function openTwoWays(t: TestContext): Promise<TwoWays | undefined> {
  const pair = await openPair(t);
  if (pair === undefined) return undefined;
  const { left, right, lab } = pair;
  await lab.nameHosts({ 'xn--mller-kva.example': LEFT.v4 });
  await lab.link(
    { host: left, device: 'eth1', addresses: [`${SECOND.left}/24`] },
    { host: right, device: 'eth1', addresses: [`${SECOND.right}/24`] },
  );
  for (const host of [left, right]) {
    await host.check(['bash', '-c', 'for f in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $f; done']);
  }
  const listener = await EtherwsSwitch.start(left, ['--port', '8000', '--grace', '0']);
  const dialler = await EtherwsSwitch.start(right, ['--port', '8000']);
  const dial = async (...args: string[]): Promise<{ from: string; port: PortEntry }> => {
    await dialler.done('addport', 'client', ...args);
    const [port, accepted] = [(await dialler.ports()).at(-1), (await listener.ports()).at(-1)];
    assert.ok(port !== undefined && accepted !== undefined);
    await dialler.done('delport', String(port.port));
    return { from: accepted.target.replace(/:\d+$/, ''), port };
  };
  const fails = async (...args: string[]): Promise<string> => {
    const { status, stderr } = await dialler.ctl(['addport', 'client', ...args]);
    assert.equal(status, 1, stderr);
    return stderr;
  };
  return { left, right, dialler, dial, fails };
}
