import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { type Answer, ask } from '../support/http.ts';
import { htpasswdLine, PASSWORD, USER } from '../support/lan.ts';
import { Process } from '../support/process.ts';
import { promtool, sampleOf, samplesOf } from '../support/prometheus.ts';
import { RawTunnel } from '../support/raw-tunnel.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';
import { once, within } from '../support/waits.ts';
import { listen, stop } from '../support/web-socket-peer.ts';

const SECRETS = ['hunter2', 'sesame', 'opaque-token'] as const;

function read(port: number, path = '/metrics', headers: OutgoingHttpHeaders = {}, method = 'GET'): Promise<Answer> {
  return ask({ port, path, headers, method });
}

/** The port of the listener of `--metrics-listen`, from the log. */
async function metricsPortOf(process: Process): Promise<number> {
  const [, port] = await process.output(/"service":"metrics","address":"[^"]*","port":(\d+)/);
  return Number(port);
}

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-metrics-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('metrics tell what the control API tells, in both formats, and no secret', {
  skip: missingTools('promtool'),
}, async (t) => {
  const relay = await SwitchProcess.start(t);
  const running = await SwitchProcess.start(t, ['--metrics-listen', '0', '--fdb-size', '77']);
  const target = `ws://127.0.0.1:${relay.tunnelPort}/?access_token=${SECRETS[2]}`;
  const options = { user: 'bob', passwd: SECRETS[0] };
  await running.call('addPort', { type: 'client', target, options, name: 'uplink', description: 'to the "relay\\' });
  const dead = { ...{ user: 'eve', passwd: SECRETS[1], wait: false } };
  await running.call('addPort', { type: 'client', target: 'wss://127.0.0.1:1/', options: dead });
  await running.call('setPort', { port: 2, shut: true });
  const peer = await RawTunnel.open(t, running.tunnelPort);
  // A broadcast frame of 60 octets from 02:…:01, which leaves by the uplink.
  const frame = Buffer.concat([Buffer.from('ffffffffffff0200000000010800', 'hex'), Buffer.alloc(46)]);
  await peer.send(Buffer.concat([Buffer.from([0x82, 0x80 | frame.length, 0, 0, 0, 0]), frame]));
  await eventually(
    () => running.ports(),
    (ports) => ports[0]?.tx === 1,
  );
  const runt = Buffer.from([0x82, 0x83, 0, 0, 0, 0, 1, 2, 3]);
  await peer.send(runt);
  await eventually(
    () => running.ports(),
    (ports) => JSON.stringify(ports[2]?.rxDiscards) === '{"runt":1}',
  );

  const open = await metricsPortOf(running.process);
  const { status, headers, body: text } = await read(open);
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(await promtool(['check', 'metrics'], text), '');

  await t.test('each port as listport has it', async () => {
    for (const entry of await running.ports()) {
      const port = { port: String(entry.port), name: entry.name ?? '', type: entry.type };
      const read = (name: string): number => sampleOf(text, `etherws_port_${name}`, port);
      assert.deepEqual([read('receive_bytes_total'), read('transmit_bytes_total')], [entry.rxOctets, entry.txOctets]);
      assert.deepEqual([read('receive_frames_total'), read('transmit_frames_total')], [entry.rx, entry.tx]);
      assert.deepEqual(
        [read('up'), read('shut'), read('standby')],
        [Number(entry.state === 'up'), Number(entry.shut), 0],
      );
      assert.equal(read('reconnects_total'), 0);
    }
    assert.equal(sampleOf(text, 'etherws_ports'), 3);
    assert.equal(sampleOf(text, 'etherws_port_receive_discards_total', { port: '3', reason: 'runt' }), 1);
    assert.deepEqual(
      samplesOf(text).filter(({ name, labels }) => name.includes('discards') && labels.reason === 'tooLong'),
      [],
    );
    const queued = samplesOf(text).filter(({ name }) => name === 'etherws_port_queue_bytes');
    assert.deepEqual(
      queued.map(({ labels, value }) => [labels.port, value]),
      [
        ['1', 0],
        ['3', 0],
      ],
    );
    const information = samplesOf(text)
      .filter(({ name }) => name === 'etherws_port_info')
      .map(({ labels }) => labels);
    assert.deepEqual(information[0], {
      ...{ port: '1', name: 'uplink', type: 'client', network: 'default', wire: 'batched' },
      description: 'to the "relay\\',
      target: `ws://127.0.0.1:${relay.tunnelPort}/?access_token=(hidden)`,
    });
    assert.equal(information[1]?.target, 'wss://127.0.0.1:1/');
    assert.deepEqual([information[2]?.type, information[2]?.wire], ['server', 'raw']);
  });

  await t.test('the switch, its services, its process', async () => {
    assert.deepEqual([sampleOf(text, 'etherws_fdb_entries'), sampleOf(text, 'etherws_fdb_capacity')], [1, 77]);
    assert.equal(sampleOf(text, 'etherws_fdb_displaced_total'), 0);
    assert.ok(sampleOf(text, 'etherws_service_connections_total', { service: 'tunnels' }) >= 1);
    assert.equal(sampleOf(text, 'etherws_service_refusals_total', { service: 'control', reason: 'failedLogins' }), 0);
    assert.equal(sampleOf(text, 'etherws_service_connections_total', { service: 'metrics' }), 1);
    assert.ok(Math.abs(sampleOf(text, 'process_start_time_seconds') - Date.now() / 1000) < 600);
    assert.ok(sampleOf(text, 'process_resident_memory_bytes') > 10e6);
    assert.ok(sampleOf(text, 'process_cpu_seconds_total') > 0.01);
    assert.ok(sampleOf(text, 'process_max_fds') >= 1024);
    assert.equal(sampleOf(text, 'etherws_buffers_limit_bytes'), 256 * 2 ** 20);
    const [build] = samplesOf(text).filter(({ name }) => name === 'etherws_build_info');
    assert.deepEqual(build?.labels.node, process.versions.node);
    assert.match(build?.labels.version ?? '', /^\d+\.\d+\.\d+/);
    // Half a second behind the start.
    const later = await eventually(
      async () => (await read(open, '/metrics')).body,
      (body) => sampleOf(body, 'etherws_event_loop_delay_seconds_count') > 0,
    );
    const samples = sampleOf(later, 'etherws_event_loop_delay_seconds_count');
    assert.equal(sampleOf(later, 'etherws_event_loop_delay_seconds_bucket', { le: '+Inf' }), samples);
  });

  await t.test('OpenMetrics, gzip, HEAD', async () => {
    const openMetrics = await read(open, '/metrics', { Accept: 'application/openmetrics-text;version=1.0.0' });
    assert.equal(openMetrics.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8');
    assert.match(
      openMetrics.body,
      /^# TYPE etherws_port_receive_bytes counter\n# UNIT etherws_port_receive_bytes bytes\n/m,
    );
    assert.ok(openMetrics.body.endsWith('\n# EOF\n'));
    const names = (body: string): string[] => [...new Set(samplesOf(body).map(({ name }) => name))];
    assert.deepEqual(names(openMetrics.body), names(text));

    const request = get({
      port: open,
      host: '127.0.0.1',
      path: '/metrics',
      agent: false,
      headers: { 'Accept-Encoding': 'gzip' },
    });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece as Buffer);
    assert.equal(response.headers['content-encoding'], 'gzip');
    assert.deepEqual(names(gunzipSync(Buffer.concat(pieces)).toString()), names(text));
    const head = await read(open, '/metrics', {}, 'HEAD');
    assert.deepEqual([head.status, head.body], [200, '']);
  });

  await t.test('what is no question of a page', async () => {
    for (const path of ['/metrics', '/healthz', '/readyz']) {
      const refused = await read(open, path, {}, 'POST');
      assert.deepEqual([refused.status, refused.headers.allow], [405, 'GET, HEAD']);
    }
    assert.equal((await read(open, '/ctl')).status, 404);
    assert.equal((await read(open, '/metrics', { Host: 'page.example' })).status, 403);
    assert.equal((await read(open, '/metrics', { Host: `localhost:${open}` })).status, 200);
    for (const path of ['/healthz', '/readyz']) {
      const { status, body } = await read(open, path, { Host: 'page.example' });
      assert.deepEqual([status, body], [200, 'ok\n']);
    }
  });

  const said = [text, running.log].join('\n');
  for (const secret of SECRETS) assert.ok(!said.includes(secret), `${secret} was told`);
});

test('the control service asks for credentials and for the right to list ports', {
  skip: missingTools('htpasswd'),
}, async (t) => {
  const directory = temporary(t);
  const [users, policy, socketPath] = ['users', 'policy.yaml', 'ctl'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(users, (await htpasswdLine('-s', USER, PASSWORD)) + (await htpasswdLine('-s', 'mallory', PASSWORD)));
  writeFileSync(
    policy,
    `users:\n  ${USER}:\n    control:\n      methods: [listPort]\n  mallory:\n    control:\n      methods: [listFdb]\n`,
  );
  const running = await SwitchProcess.start(t, ['--ctlhtpasswd', users, '--policy', policy, '--ctlsocket', socketPath]);
  const port = running.controlPort;
  const as = (user: string, password = PASSWORD) => ({
    Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  });

  const anonymous = await read(port);
  assert.deepEqual([anonymous.status, anonymous.headers['www-authenticate'] !== undefined], [401, true]);
  assert.match(anonymous.body, /^AUTH_FAILED: /);
  assert.equal((await read(port, '/metrics', as(USER, 'wrong'))).status, 401);
  const forbidden = await read(port, '/metrics', as('mallory'));
  assert.deepEqual([forbidden.status, forbidden.body.slice(0, 17)], [403, 'METHOD_FORBIDDEN:']);
  assert.equal((await read(port, '/metrics', { ...as(USER), Host: 'page.example' })).status, 403);
  assert.equal((await read(port, '/metrics', { ...as(USER), Origin: 'http://page.example' })).status, 403);
  const allowed = await read(port, '/metrics', as(USER));
  assert.equal(allowed.status, 200);
  assert.equal(
    sampleOf(allowed.body, 'etherws_service_refusals_total', { service: 'control', reason: 'forbidden' }),
    1,
  );
  assert.equal(
    sampleOf(allowed.body, 'etherws_service_refusals_total', { service: 'control', reason: 'failedLogins' }),
    1,
  );
  for (const path of ['/healthz', '/readyz']) assert.equal((await read(port, path)).status, 200);
  // The service of tunnels does not have the page.
  assert.equal((await read(running.tunnelPort)).status, 404);

  const bySocket = await ask({ socketPath, path: '/metrics?x=1', method: 'GET' });
  assert.deepEqual([bySocket.status, sampleOf(bySocket.body, 'etherws_ports')], [200, 0]);
  assert.equal((await ask({ socketPath, path: '/healthz', method: 'GET' })).body, 'ok\n');
  assert.match(running.log, /"status":401,"reason":"AUTH_FAILED[^"]*","msg":"request for metrics refused"/);
  assert.ok(!running.log.includes(PASSWORD));
});

test('a listener beyond this host is warned of, and answers by any name', async (t) => {
  const running = await SwitchProcess.start(t, ['--metrics-listen', ':0']);
  const port = await metricsPortOf(running.process);
  assert.match(running.log, /"level":40[^\n]*every host that reaches it can read/);
  assert.equal((await read(port, '/metrics', { Host: 'switch.example:9464' })).status, 200);
});

test('a path that a service has is not that of a page', async (t) => {
  const running = await SwitchProcess.start(t, ['--ctlpath', '/metrics']);
  assert.equal((await read(running.controlPort)).status, 405);
  assert.match((await read(running.controlPort)).body, /takes only POST/);
  assert.equal((await read(running.controlPort, '/readyz')).status, 200);
});

test('a switch is ready from when its ports were opened until it stops', async (t) => {
  const held: Socket[] = [];
  const silent = createServer((socket) => void held.push(socket.on('error', () => undefined)));
  const silentPort = await listen(silent);
  t.after(() => stop(silent));
  const config = join(temporary(t), 'etherws.yaml');
  writeFileSync(
    config,
    `ports:\n  - {type: client, target: "ws://127.0.0.1:${silentPort}/", options: {wait: true}}\nmetrics: {listen: 0}\n`,
  );
  const options = ['--host', '127.0.0.1', '--port', '0', '--ctlport', '0', '--logformat', 'json'];
  const starting = new Process([...ETHERWS, 'sw', '--foreground', ...options, '--config', config], {
    timeoutMs: 120_000,
  });
  t.after(() => starting.end());
  const port = await metricsPortOf(starting);
  await eventually(
    async () => held.length,
    (count) => count === 1,
  );
  const during = await read(port, '/readyz');
  assert.deepEqual([during.status, during.body], [503, 'starting\n']);
  assert.equal((await read(port, '/healthz')).status, 200);
  for (const socket of held) socket.destroy();
  assert.equal((await within(starting.exited, 'end of the switch')).status, 1);

  const running = await SwitchProcess.start(t, ['--metrics-listen', '0']);
  const readyPort = await metricsPortOf(running.process);
  assert.equal((await read(readyPort, '/readyz')).body, 'ok\n');
  // The peer does not answer the Close message, so that the switch waits while it stops.
  const peer = await RawTunnel.open(t, running.tunnelPort);
  running.process.signal('SIGTERM');
  assert.equal(await peer.closeCode(), 1001);
  const after = await read(readyPort, '/readyz');
  assert.deepEqual([after.status, after.body], [503, 'stopping\n']);
  peer.socket.destroy();
  assert.equal((await within(running.process.exited, 'end of the switch')).status, 0);
});
