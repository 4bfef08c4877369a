import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { WebSocket } from 'ws';
import type { FdbEntry } from '../../src/control/schema.ts';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openTapLab } from '../support/lab-test.ts';
import { frameOf } from '../support/peer-frames.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

const A = '02:00:00:00:00:0a';

interface Warning {
  readonly level: number;
  readonly msg: string;
  readonly ports: readonly number[];
  readonly vid?: number;
  readonly mac?: string;
  readonly moves: number;
}

const WARN = 40;

function warnings(lan: SwitchProcess): Warning[] {
  const records = lan.log.split('\n').filter((line) => line.startsWith('{'));
  return records.map((line) => JSON.parse(line) as Warning).filter(({ level }) => level === WARN);
}

async function join(t: TestContext, lan: SwitchProcess): Promise<WebSocket> {
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${lan.tunnelPort}/`);
  t.after(() => tunnel.terminate());
  await once(tunnel, 'open');
  return tunnel;
}

test('a duplicate address is warned of once, with both ports and the count, and shown in listfdb', async (t) => {
  const lan = await SwitchProcess.start(t);
  const [one, two, listener] = [await join(t, lan), await join(t, lan), await join(t, lan)];
  const frame = frameOf({ from: A, vid: 7 });
  // The stations send in turn: each one after the frame of the other has arrived.
  const speak = async (times: number): Promise<void> => {
    for (let turn = 0; turn < times; turn++) {
      const heard = once(listener, 'message');
      (turn % 2 === 0 ? one : two).send(frame);
      await heard;
    }
  };
  await speak(11);
  const fdb = async (): Promise<FdbEntry[]> => (await lan.call<{ entries: FdbEntry[] }>('listFdb')).entries;
  const [calm] = await fdb();
  assert.deepEqual([calm?.moves, calm?.movedFrom, calm?.flapping], [10, 2, false]);
  assert.deepEqual(warnings(lan), []);

  await speak(40);
  await lan.process.output(/two stations have this address/);
  const [flapping] = await fdb();
  assert.equal(flapping?.flapping, true);
  assert.ok((flapping?.moves ?? 0) >= 49);
  await speak(40);
  await eventually(fdb, ([entry]) => (entry?.moves ?? 0) >= 89);
  const [warning, ...more] = warnings(lan);
  assert.deepEqual(more, []);
  const { ports, vid, mac, moves } = warning as Warning;
  assert.deepEqual({ ports, vid, mac }, { ports: [1, 2], vid: 7, mac: A });
  assert.ok(moves > 10, `${moves} moves`);
  assert.match(warning?.msg ?? '', /^02:00:00:00:00:0a in VLAN 7 moved \d+ times between ports 1 and 2 within \d+ s: /);
});

test('frames that go round a loop through a kernel bridge: "loop between ports 2 and 3"', async (t) => {
  const lab = await openTapLab(t, 'ip', 'ping');
  if (lab === undefined) return;
  const host = await lab.host('lan');
  for (const cable of ['a', 'b']) {
    await host.check(['ip', 'link', 'add', `${cable}0`, 'type', 'veth', 'peer', 'name', `${cable}1`]);
  }
  await host.check(['ip', 'link', 'add', 'br0', 'type', 'bridge', 'stp_state', '0', 'mcast_snooping', '0']);
  for (const end of ['a1', 'b1']) await host.check(['ip', 'link', 'set', end, 'master', 'br0', 'up']);
  for (const end of ['a0', 'b0', 'br0']) await host.check(['ip', 'link', 'set', end, 'up']);
  const lan = await EtherwsSwitch.start(host, ['--port', '8000']);
  // The frames of one station make the switch probe; the port would be shut before the frames of three are in the loop.
  await lan.done('setnet', 'default', '--loop-detection', 'off');
  await lan.done('addport', 'tap', 'ethws0');
  await lan.done('addport', 'netdev', 'a0');
  await lan.done('addport', 'netdev', 'b0');
  await lan.done('setif', '1', '--address', '192.0.2.1', '--netmask', '255.255.255.0');
  // Each station sends an ARP request, which circulates while the loop exists.
  for (const station of [1, 2, 3, 4, 5]) {
    await host.check(['ip', 'link', 'set', 'ethws0', 'address', `02:00:00:00:00:0${station}`]);
    await host.run(['ping', '-c', '1', '-W', '0.1', `192.0.2.10${station}`]);
  }
  await lan.process.output(/loop between ports 2 and 3/);
  await lan.done('setnet', 'default', '--loop-detection', 'auto');
  // A probe comes back within seconds, and the younger port is shut.
  await lan.process.output(/loop: port 3 is shut: a loop with port 2/);
  const states = (await lan.ports()).map(({ state, shut, reason }) => [state, shut, reason?.slice(0, 18) ?? null]);
  assert.deepEqual(states, [
    ['up', false, null],
    ['up', false, null],
    ['shut', false, 'a loop with port 2'],
  ]);
  // Without the other way the loop is gone, and no probe comes back any more.
  await host.check(['ip', 'link', 'set', 'a1', 'nomaster']);
  await lan.process.output(/the loop is gone: port opened/, 60_000);
  assert.equal((await lan.port(3)).state, 'up');
  assert.equal((await lan.stop()).status, 0);
});
