import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ETHERWS, EtherwsSwitch, eventually } from '../support/etherws.ts';
import { commandsIn, fencedBlocks } from '../support/fenced-blocks.ts';
import { openTapLab } from '../support/lab-test.ts';
import type { Host } from '../support/namespaces.ts';

/** Mirrors between real devices, by the commands of docs/operate/mirrors.md. */

/** The commands of the page, without `etherws ctl`. */
const COMMANDS = fencedBlocks('docs/operate/mirrors.md').flatMap(({ language, text }) =>
  language === 'sh' ? commandsIn(text).map((words) => words.slice(2).map((word) => (word === "''" ? '' : word))) : [],
);

/** The number of ICMP packets that the port sends within the run. */
async function icmpSent(running: EtherwsSwitch, port: string, traffic: () => Promise<unknown>): Promise<number> {
  const since = running.process.stderr.length;
  const capture = running.host.spawn([...ETHERWS, 'ctl', 'capture', port, '--filter', 'icmp']);
  await running.process.logged(/capture begins/, since);
  await traffic();
  capture.signal('SIGINT');
  const { stdout } = await capture.exited;
  return stdout.split('\n').filter((line) => line.includes('ICMP')).length;
}

test('a port and a network are mirrored to a probe, and nothing else reaches it', async (t) => {
  const lab = await openTapLab(t, 'ping');
  if (lab === undefined) return;
  const middle = await lab.host('middle');
  const hosts: Host[] = [];
  for (const [at, name] of ['left', 'right', 'probe'].entries()) {
    const host = await lab.host(name);
    await lab.link(
      { host, device: 'eth0', addresses: [`192.0.2.${at + 1}/24`] },
      { host: middle, device: `m${at}`, addresses: [] },
    );
    hosts.push(host);
  }
  const [left, , probe] = hosts as [Host, Host, Host];
  const received = async (): Promise<number> => {
    const [link] = JSON.parse((await probe.run(['ip', '-j', '-s', 'link', 'show', 'eth0'])).stdout);
    return link.stats64.rx.packets;
  };
  const running = await EtherwsSwitch.start(middle, ['--host', '127.0.0.1', '--port', '0']);
  for (const [at, name] of ['office', 'other', 'probe'].entries()) {
    await running.done('addport', 'netdev', `m${at}`, '--name', name);
  }
  const ping = async (): Promise<boolean> =>
    (await left.run(['ping', '-c', '3', '-i', '0.2', '-W', '2', '192.0.2.2'])).status === 0;
  const reaches = async (): Promise<boolean> =>
    (await left.run(['ping', '-c', '1', '-W', '1', '192.0.2.3'])).status === 0;
  assert.ok((await ping()) && (await reaches()));
  const seen = async (): Promise<number> => icmpSent(running, 'probe', async () => assert.ok(await ping()));

  // Each command of the page, and how many of three requests and three answers the probe sees then.
  const expected = [6, 3, 0, 0, 6, 0];
  assert.equal(COMMANDS.length, expected.length);
  for (const [at, command] of COMMANDS.entries()) {
    await running.done(...command);
    const before = await received();
    assert.equal(await seen(), expected[at], command.join(' '));
    assert.ok((await received()) - before >= (expected[at] as number), 'the copies reach the other host');
    if (at === 0) {
      assert.equal(await reaches(), false, 'the probe is reserved');
      const { mirrorOutput = 0 } = (await running.port(3)).rxDiscards;
      assert.ok(mirrorOutput > 0);
    }
  }
  await eventually(reaches, (is) => is);
});
