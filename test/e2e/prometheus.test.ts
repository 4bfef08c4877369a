import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import { eventually } from '../support/etherws.ts';
import { ask } from '../support/http.ts';
import { CertificateMaker } from '../support/openssl.ts';
import { Process } from '../support/process.ts';
import { promtool, samplesOf } from '../support/prometheus.ts';
import { RawTunnel } from '../support/raw-tunnel.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';

const RULES = 'contrib/prometheus/etherws.rules.yml';

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly definition?: string }[] };
}

interface Alert {
  readonly labels: { readonly alertname: string; readonly name?: string; readonly instance: string };
  readonly state: string;
  readonly annotations: { readonly summary?: string };
}

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-prometheus-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function metricsPortOf(process: Process): Promise<number> {
  const [, port] = await process.output(/"service":"metrics","address":"[^"]*","port":(\d+)/);
  return Number(port);
}

/** The queries of the dashboard. */
function questionsOf({ panels, templating }: Dashboard): string[] {
  const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  return [...asked, ...templating.list.flatMap(({ definition }) => definition ?? [])];
}

test('the alert rules are valid, and fire when they must', { skip: missingTools('promtool') }, async () => {
  assert.match(await promtool(['check', 'rules', RULES]), /SUCCESS: 10 rules found/);
  assert.match(await promtool(['test', 'rules', 'contrib/prometheus/etherws.rules.test.yml']), /SUCCESS/);
});

test('the dashboard and the rules ask only for metrics that a switch has', {
  skip: missingTools('promtool', 'openssl'),
}, async (t) => {
  const maker = new CertificateMaker();
  t.after(() => maker.remove());
  const { keyFile, certFile } = maker.make({ name: 'switch', subjectAltName: 'IP:127.0.0.1' });
  const tls = ['--ctlsslkey', keyFile, '--ctlsslcert', certFile, '--ctlhtpasswd', keyFile];
  const running = await SwitchProcess.start(t, ['--metrics-listen', '0', ...tls.slice(0, 4)]);
  // A port on the batched wire, and a discarded runt.
  const other = await SwitchProcess.start(t);
  await other.call('addPort', { type: 'client', target: `ws://127.0.0.1:${running.tunnelPort}/` });
  const peer = await RawTunnel.open(t, running.tunnelPort);
  await peer.send(Buffer.from([0x82, 0x83, 0, 0, 0, 0, 1, 2, 3]));
  const port = await metricsPortOf(running.process);
  const scrape = await eventually(
    async () => (await ask({ port, path: '/metrics', method: 'GET' })).body,
    (text) => text.includes('reason="runt"'),
  );
  const existing = new Set(samplesOf(scrape).map(({ name }) => name));
  // The first ping comes after seconds, and egress discards need a peer that does not read;
  // src/metrics/port-families.test.ts has both.
  for (const name of ['etherws_port_round_trip_seconds', 'etherws_port_transmit_discards_total']) existing.add(name);

  const dashboard = JSON.parse(readFileSync('contrib/grafana/etherws.json', 'utf8')) as Dashboard;
  const questions = questionsOf(dashboard);
  assert.ok(questions.length > 25, `${questions.length} questions`);
  const namesIn = (text: string): string[] =>
    [...text.matchAll(/\b(?:etherws|process|nodejs)_[a-z_]+\b/g)].map(([name]) => name);
  const asked = [...questions, readFileSync(RULES, 'utf8').replaceAll(/^#.*$/gm, '')].flatMap(namesIn);
  assert.ok(asked.length > 40, `${asked.length} names`);
  assert.deepEqual([...new Set(asked.filter((name) => !existing.has(name)))], []);

  await t.test('and Prometheus can read each expression', async (t) => {
    const rules = join(temporary(t), 'rules.yml');
    const expressions = dashboard.panels.flatMap(({ targets = [] }) =>
      targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')),
    );
    writeFileSync(
      rules,
      JSON.stringify({ groups: [{ name: 'g', rules: expressions.map((expr, at) => ({ record: `r:${at}`, expr })) }] }),
    );
    assert.match(await promtool(['check', 'rules', rules]), new RegExp(`SUCCESS: ${expressions.length} rules`));
  });
});

test('Prometheus scrapes a running switch, and its alert fires when a port goes down', {
  skip: missingTools('prometheus'),
}, async (t) => {
  const directory = temporary(t);
  const relay = await SwitchProcess.start(t);
  const running = await SwitchProcess.start(t, ['--metrics-listen', '0']);
  await running.call('addPort', { type: 'client', target: `ws://127.0.0.1:${relay.tunnelPort}/`, name: 'uplink' });
  const target = `127.0.0.1:${await metricsPortOf(running.process)}`;
  // The rules of the repository, with a duration of 1 s.
  writeFileSync(join(directory, 'rules.yml'), readFileSync(RULES, 'utf8').replaceAll(/for: \d+m/g, 'for: 1s'));
  const config = {
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
    rule_files: [join(directory, 'rules.yml')],
    scrape_configs: [{ job_name: 'etherws', static_configs: [{ targets: [target] }] }],
  };
  writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config));
  const options = ['--web.listen-address=127.0.0.1:0', `--storage.tsdb.path=${resolve(directory, 'data')}`];
  const prometheus = new Process(['prometheus', `--config.file=${join(directory, 'prometheus.yml')}`, ...options], {
    timeoutMs: 120_000,
  });
  t.after(() => prometheus.end());
  const [, webPort] = await prometheus.output(/msg="Listening on" address=127\.0\.0\.1:(\d+)/);
  await prometheus.output(/Server is ready to receive web requests/);
  const api = async <Data>(path: string): Promise<Data> => {
    const { body } = await ask({ port: Number(webPort), path: `/api/v1/${path}`, method: 'GET' });
    return (JSON.parse(body) as { data: Data }).data;
  };
  const alerts = async (): Promise<readonly Alert[]> => (await api<{ alerts: Alert[] }>('alerts')).alerts;

  interface Target {
    readonly health: string;
    readonly lastError: string;
  }
  await eventually(
    () => api<{ activeTargets: Target[] }>('targets'),
    ({ activeTargets }) =>
      activeTargets.length === 1 && activeTargets[0]?.health === 'up' && activeTargets[0].lastError === '',
  );
  interface Result {
    readonly result: readonly { readonly value: readonly [number, string] }[];
  }
  const asked = await eventually(
    () =>
      api<Result>(
        `query?query=${encodeURIComponent('etherws_port_up{name="uplink"} and on(instance, port) etherws_port_info')}`,
      ),
    ({ result }) => result.length === 1,
  );
  assert.equal(asked.result[0]?.value[1], '1');
  // Types and units are those of OpenMetrics, which Prometheus requests.
  interface Meaning {
    readonly type: string;
    readonly unit: string;
  }
  const metadata = await eventually(
    () => api<Readonly<Record<string, readonly Meaning[]>>>('metadata'),
    (known) => Object.keys(known).length > 20,
  );
  const meaningOf = (name: string): Meaning | undefined => metadata[name]?.[0];
  assert.deepEqual(
    [meaningOf('etherws_port_receive_bytes')?.type, meaningOf('etherws_port_receive_bytes')?.unit],
    ['counter', 'bytes'],
  );
  assert.equal(meaningOf('etherws_event_loop_delay_seconds')?.type, 'histogram');
  assert.equal(meaningOf('etherws_port')?.type, 'info');
  assert.deepEqual(await alerts(), []);

  relay.process.signal('SIGTERM');
  const fired = await eventually(
    alerts,
    (all) => all.some(({ state, labels }) => state === 'firing' && labels.alertname === 'EtherwsPortDown'),
    60_000,
  );
  const down = fired.find(({ labels }) => labels.alertname === 'EtherwsPortDown');
  assert.equal(down?.annotations.summary, `Port 1 uplink (client) of ${target} is down`);

  await running.call('setPort', { port: 'uplink', shut: true });
  await eventually(alerts, (all) => all.length === 0);
  running.process.signal('SIGTERM');
  await eventually(
    alerts,
    (all) => all.some(({ state, labels }) => state === 'firing' && labels.alertname === 'EtherwsDown'),
    60_000,
  );
});
