import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { clientMessage, frameOf } from '../support/peer-frames.ts';
import { run } from '../support/process.ts';
import { RawTunnel } from '../support/raw-tunnel.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { until } from '../support/waits.ts';

interface Line {
  readonly level: number;
  readonly room?: string;
  readonly msg: string;
  readonly port?: number;
  readonly target?: string;
  readonly notLogged?: number;
}

function linesOf({ log }: SwitchProcess): Line[] {
  return log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

test('ctl loglevel lists the levels of the log and changes them while the switch runs', async (t) => {
  const running = await SwitchProcess.start(t);
  const url = `http://127.0.0.1:${running.controlPort}/ctl`;
  const ctl = (...args: readonly string[]) => run([...ETHERWS, 'ctl', '--ctlurl', url, 'loglevel', ...args]);
  const levels = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await ctl(...args);
    assert.deepEqual([status, stderr], [0, '']);
    const rows = stdout.trimEnd().split('\n').slice(1);
    return rows.map((row) => row.trim().split(/\s+/).join('=')).join(' ');
  };
  assert.equal(await levels(), 'daemon=debug services=debug tunnels=debug control=debug ports=debug switch=debug');
  assert.ok(linesOf(running).every(({ room }) => /^(daemon|services|tunnels|control|ports|switch)$/.test(room ?? '')));

  assert.match(await levels('warn'), /^daemon=warn (\w+=warn ?){5}$/);
  assert.match(await levels('switch=info'), /ports=warn switch=info$/);
  const before = linesOf(running).length;
  const peer = await RawTunnel.open(t, running.tunnelPort);
  await until(() => linesOf(running).length > before);
  const [attached] = linesOf(running).slice(before);
  assert.deepEqual([attached?.room, attached?.msg, attached?.port], ['switch', 'port attached', 1]);
  assert.match(attached?.target ?? '', /^127\.0\.0\.1:\d+$/);

  await levels('switch=error');
  const quiet = linesOf(running).length;
  peer.socket.destroy();
  const entries = async (): Promise<number> => (await running.ports()).length;
  for (let waitsLeft = 1000; (await entries()) > 0; waitsLeft--) assert.ok(waitsLeft > 0, 'the port stays');
  assert.deepEqual(linesOf(running).slice(quiet), []);

  const json = JSON.parse((await ctl('--json', 'debug')).stdout) as { entries: { room: string; level: string }[] };
  assert.deepEqual(json.entries[2], { room: 'tunnels', level: 'debug' });
  const unknown = await ctl('attic=debug');
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /room must be one of daemon, services, tunnels, control, ports, switch, got "attic"/);
  assert.equal((await ctl('loud')).status, 2);
});

test('each frame and each learned address is logged while the level of the switch is debug', async (t) => {
  const running = await SwitchProcess.start(t);
  const setLevel = (level: string): Promise<unknown> => running.call('setLogLevel', { room: 'switch', level });
  const [A, B, C] = ['02:00:00:00:00:0a', '02:00:00:00:00:0b', '02:00:00:00:00:0c'];
  const [a, b] = [await RawTunnel.open(t, running.tunnelPort), await RawTunnel.open(t, running.tunnelPort)];
  const count = (msg: string): number => linesOf(running).filter((line) => line.msg === msg).length;
  const received = async (): Promise<number> => (await running.ports()).find(({ port }) => port === 1)?.rx ?? 0;
  let sent = 0;
  /** Sends frames from A to B, each in a message and a segment of its own, until the switch has them all. */
  const send = async (frames: number): Promise<void> => {
    for (let index = 0; index < frames; index++) {
      await a.send(clientMessage(frameOf({ to: B, from: A })));
      sent++;
      await eventually(received, (rx) => rx === sent);
    }
  };
  await setLevel('info');
  await b.send(clientMessage(frameOf({ from: B })));
  await eventually(
    () => running.ports(),
    (ports) => ports.some(({ port, rx }) => port === 2 && rx === 1),
  );
  await send(3);
  assert.equal(count('forwarded'), 0);
  await setLevel('debug');
  await send(20);
  assert.equal(count('forwarded'), 20);
  await b.send(clientMessage(frameOf({ from: C })));
  await until(() => count('learned') === 1);
  await setLevel('info');
  await send(3);
  assert.equal(count('forwarded'), 21);
});

test('clients that connect again and again do not flood the log', async (t) => {
  const running = await SwitchProcess.start(t);
  const startMs = performance.now();
  for (let tunnels = 0; tunnels < 300; tunnels++) {
    const peer = await RawTunnel.open(t, running.tunnelPort);
    peer.socket.destroy();
  }
  const lines = linesOf(running).filter(({ level, room }) => level === 30 && room === 'switch');
  const seconds = (performance.now() - startMs) / 1000;
  assert.ok(lines.length >= 300, `${lines.length} lines`);
  assert.ok(lines.length <= 300 + 30 * (seconds + 1), `${lines.length} lines in ${seconds} s`);
  // The next line has the number of lines that were not logged.
  await until(() => linesOf(running).some(({ notLogged = 0 }) => notLogged > 0));
});
