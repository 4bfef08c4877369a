import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { joinPair, LEFT_TAP, openPair } from '../support/lan.ts';
import { run } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { Tmux } from '../support/tmux.ts';
import { missingTools } from '../support/tools.ts';

/** `ctl top` on a real terminal, and the rates of a real switch. */

const PORTS = 30;

/** A switch with ports that cannot connect, and a shell on a terminal. */
async function openShell(t: TestContext): Promise<{ shell: Tmux; top: string; lan: SwitchProcess }> {
  const lan = await SwitchProcess.start(t);
  for (let port = 1; port <= PORTS; port++) {
    await lan.call('addPort', { type: 'client', target: `ws://127.0.0.1:1/${port}`, options: { wait: false } });
  }
  const shell = await Tmux.open(t, ['bash', '--norc'], { env: { PS1: 'ready> ' } });
  await shell.shows(/^ready>/m);
  return { shell, lan, top: `${ETHERWS.join(' ')} ctl --ctlurl http://127.0.0.1:${lan.controlPort}/ctl top` };
}

const numbers = (screen: string): number[] => [...screen.matchAll(/^ *(\d+) -/gm)].map(([, number]) => Number(number));

test('ctl top fits its terminal, follows keys and sizes, and leaves the terminal as it was', {
  skip: missingTools('tmux', 'bash'),
}, async (t) => {
  const { shell, top, lan } = await openShell(t);
  await shell.type(`echo before; ${top} --sort port --interval 60; echo status $?`);
  await shell.keys('Enter');
  let screen = await shell.shows(/q quit/);
  assert.equal(await shell.fact('#{alternate_on} #{cursor_flag}'), '1 0');
  assert.match(screen, /^etherws http:\/\/127\.0\.0\.1:\d+\/ctl$/m);
  assert.match(screen, /^30 ports, 0 up; received 0bit\/s/m);
  assert.deepEqual(numbers(screen), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);

  await shell.keys('Down', 'Down');
  await shell.shows((shown) => numbers(shown)[0] === 3);
  await shell.keys('PageDown', 'PageDown');
  screen = await shell.shows((shown) => numbers(shown).at(-1) === PORTS);
  assert.deepEqual(numbers(screen)[0], 15, 'no further than the last port');
  await shell.keys('r');
  await shell.shows((shown) => /Port-/.test(shown) && numbers(shown).at(-1) === 1);
  await shell.keys('s');
  await shell.shows(/Name-/);

  await shell.resize(60, 10);
  screen = await shell.shows((shown) => numbers(shown).length === 6 && /q quit/.test(shown));
  assert.ok(screen.split('\n').every((line) => line.length <= 60));
  await shell.resize(130, 40);
  screen = await shell.shows((shown) => numbers(shown).length === PORTS && /▁/.test(shown));
  assert.match(screen, /Past/);

  lan.process.signal('SIGSTOP');
  await shell.keys('q');
  screen = await shell.shows(/^status 0$/m);
  lan.process.signal('SIGCONT');
  assert.match(screen, /^before$/m);
  assert.doesNotMatch(screen, /q quit/, 'the screen of before is back');
  assert.equal(await shell.fact('#{alternate_on} #{cursor_flag}'), '0 1');
});

test('ctl top restores the terminal after Ctrl-C, after a signal, and when the switch is gone', {
  skip: missingTools('tmux', 'bash', 'stty', 'pkill'),
}, async (t) => {
  const { shell, top, lan } = await openShell(t);
  const start = async (): Promise<void> => {
    await shell.type(`clear; ${top}; echo status=$?`);
    await shell.keys('Enter');
    await shell.shows(/q quit/);
  };
  const restored = async (status: number): Promise<void> => {
    await shell.shows(new RegExp(`^status=${status}$`, 'm'));
    assert.equal(await shell.fact('#{alternate_on} #{cursor_flag}'), '0 1');
    await shell.type('clear; stty -a | grep -oE -- "(-?icanon|-?echo) "');
    await shell.keys('Enter');
    await shell.shows(/^icanon\s+echo\s+ready>/m);
  };
  await start();
  await shell.keys('C-c');
  await restored(0);
  for (const [signal, status] of [
    ['INT', 130],
    ['TERM', 143],
    ['HUP', 129],
  ] as const) {
    await start();
    const pid = await shell.fact('#{pane_pid}');
    const { status: sent } = await run(['pkill', `-${signal}`, '-P', pid, 'node']);
    assert.equal(sent, 0);
    await restored(status);
  }
  await start();
  await lan.process.end();
  await shell.shows(/ctl: Nothing listens at /);
  await shell.keys('q');
  await restored(0);
});

test('the rates of ports are in top --once, in listport --long and in its JSON', async (t) => {
  const pair = await openPair(t, 'ping');
  if (pair === undefined) return;
  const { right, rightSwitch } = await joinPair(pair, undefined, { addport: ['--name', 'uplink'] });
  const traffic = right.spawn(['ping', '-i', '0.01', '-s', '1000', LEFT_TAP.v4]);
  t.after(() => traffic.end());
  const uplink = await eventually(
    () => rightSwitch.port(2),
    ({ rxBitRate }) => rxBitRate > 100_000,
  );
  assert.ok(uplink.txBitRate > 100_000 && uplink.rxFrameRate > 10 && uplink.rxFrameRate < 1000);
  const [, rate] = /uplink .*?([\d.]+k) +[\d.]+k /.exec(await rightSwitch.done('listport', '--long')) ?? [];
  assert.ok(Number.parseFloat(rate ?? '') > 100, rate);
  const once = await rightSwitch.done('top', '--once', '--interval', '1', '--sort', '-port');
  const lines = once.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^ {2}Port {2}Name +State +RX-bit\/s/);
  assert.match(lines[1] ?? '', / 2 {2}uplink +up +\d+(\.\d+)?k +\d+(\.\d+)?k +\d+ /);
  const refused = await rightSwitch.ctl(['top', '--sort', 'prot']);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /there is no column 'prot'\nDid you mean port\?/);
});
