import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/etherws.ts';
import { type FencedBlock, fencedBlocks } from '../support/fenced-blocks.ts';
import { missingSystemd, SystemdLab } from '../support/systemd.ts';
import { missingTools } from '../support/tools.ts';

/*
 * Runs the page "A hardened relay in ten minutes": the relay is a machine with systemd, the client a network namespace
 * in it. Commands that install packages are left out; a fake `npm` prints the path of this build.
 */

const PAGE = 'docs/operate/ten-minutes.md';
const INSTALLED = new Set(['Install']);
const CLIENT_SECTION = 'The first client';
const MONITORING = 'A dashboard and an alert';

const skip = missingSystemd() || missingTools('openssl', 'promtool', 'prometheus', 'ping', 'curl');

/** Makes the machine of the page, with a cable to the client's namespace. */
async function openRelay(lab: SystemdLab): Promise<void> {
  await lab.write('/srv/bin/npm', '#!/bin/sh\necho /srv\n');
  await lab.done('chmod', '+x', '/srv/bin/npm');
  await lab.done('mount', '-t', 'tmpfs', 'tmpfs', '/root');
  await lab.write('/etc/netns/client/hosts', '10.1.0.1 relay.example\n');
  await lab.type(`ip netns add client
ip link add cable type veth peer name cable netns client
ip address add 10.1.0.1/24 dev cable
ip link set cable up
ip -n client address add 10.1.0.2/24 dev cable
ip -n client link set cable up
ip -n client link set lo up`);
}

/** Runs a block of the page, or writes it to the file that its first line names. */
async function follow(lab: SystemdLab, { language, text }: FencedBlock): Promise<string> {
  if (language === 'sh') return await lab.type(text);
  const [, path = ''] = /^# (\S+)\n/.exec(text) ?? [];
  assert.notEqual(path, '', `the first line names the file: ${text}`);
  await lab.write(path, text);
  return '';
}

test('every step of the page leads on: service, policy, client, Prometheus, alert', { skip }, async (t) => {
  const lab = await SystemdLab.start(t);
  await openRelay(lab);
  const blocks = fencedBlocks(PAGE).filter(({ section }) => !INSTALLED.has(section));
  const isLater = ({ section }: FencedBlock): boolean => section === CLIENT_SECTION || section === MONITORING;
  const printed: string[] = [];
  for (const block of blocks.filter((block) => !isLater(block))) printed.push(await follow(lab, block));
  const service = printed.join('');
  assert.match(service, /etherws\.yaml is valid/);
  assert.match(service, /Active: active \(running\)/);
  assert.match(service, /Services +tunnels +wss:/);
  const { MainPID: pid = '' } = await lab.show('etherws', 'MainPID');
  assert.doesNotMatch(await lab.done('cat', `/proc/${pid}/status`), /^Uid:\t0/m);

  const client = blocks.find(({ section }) => section === CLIENT_SECTION)?.text ?? '';
  const files = 'cd /root; cp /etc/etherws/tls.pem .';
  const ping = await lab.done(
    ...['ip', 'netns', 'exec', 'client', 'sh', '-euc'],
    `PATH=/srv/bin:$PATH; ${files}\n${client}`,
  );
  assert.match(ping, /3 received/);
  assert.match(await lab.type('etherws ctl listport'), /server +up/);
  // The policy is in force: a third tunnel of the user is refused.
  const more = await lab.run(
    [
      ...['ip', 'netns', 'exec', 'client', 'sh', '-c'],
      `PATH=/srv/bin:$PATH; cd /root; export ETHERWS_CLIENT_PASSWD=$(cat alice.password)
for n in 1 2; do etherws ctl addport client wss://relay.example/ --cacerts tls.pem --user alice --allow-parallel --name more$n; done`,
    ],
    {},
  );
  assert.match(more.stderr, /429/);

  for (const block of blocks.filter(({ section }) => section === MONITORING)) {
    const text = block.text
      .replace('15s', '500ms, evaluation_interval: 500ms')
      .replace(/^systemctl reload prometheus$/m, '');
    await follow(lab, { ...block, text });
  }
  const prometheus = lab.spawn(
    [
      ...['prometheus', '--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/var/lib/prometheus'],
      '--web.listen-address=127.0.0.1:9090',
    ],
    { timeoutMs: 120_000 },
  );
  t.after(() => prometheus.end());
  const ask = async (path: string): Promise<string> =>
    (await lab.run(['curl', '-s', `http://127.0.0.1:9090/api/v1/${path}`])).stdout;
  await eventually(
    () => ask('query?query=etherws_port_up'),
    (json) => /"type":"server"[^}]*\},"value":\[[\d.]+,"1"\]/.test(json),
  );
  await lab.done('systemctl', 'stop', 'etherws');
  await eventually(
    () => ask('alerts'),
    (json) => json.includes('EtherwsDown'),
  );
});
