import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { ConfigEntry, NetworkEntry, PlanEntry, StatusEntry } from '../../src/control/schema.ts';
import { ETHERWS } from '../support/etherws.ts';
import { commandsIn, fencedBlocks } from '../support/fenced-blocks.ts';
import { run } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once } from '../support/waits.ts';

/*
 * Networks in the configuration file, its reload and `ctl save`; in the state file; and in the page about them.
 */

const directory = mkdtempSync(join(tmpdir(), 'etherws-networks-'));
after(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

/** A client port, which dials in vain. */
const dialler = (name: string, network: string): string =>
  `  - {type: client, target: "ws://127.0.0.1:9/${name}", name: ${name}, network: ${network}}\n`;

/** The networks with their ports and the settings that are not the defaults. */
async function statesOf(lan: SwitchProcess): Promise<string[]> {
  const { entries } = await lan.call<{ entries: NetworkEntry[] }>('listNet');
  return entries.map(({ network, ports, config, settings: { ageout } }) => `${network} ${ports} ${config} ${ageout}`);
}

async function stepsOf(lan: SwitchProcess, method: 'planReload' | 'reload'): Promise<string[]> {
  const { entries } = await lan.call<{ entries: PlanEntry[] }>(method);
  return entries.map(({ action, what, change, error }) => `${action} ${what} ${change}${error ?? ''}`.trimEnd());
}

async function deviationsOf(lan: SwitchProcess): Promise<readonly string[]> {
  const { entries } = await lan.call<{ entries: StatusEntry[] }>('getStatus');
  return entries[0]?.configuration.deviations ?? [];
}

async function restarted(t: TestContext, lan: SwitchProcess, options: readonly string[]): Promise<SwitchProcess> {
  lan.process.signal('SIGKILL');
  await lan.process.exited;
  return SwitchProcess.start(t, options);
}

const FIRST = `networks:
  - {name: lab, ageout: 60}
  - {name: home}
ports:
${dialler('one', 'lab')}${dialler('two', 'home')}`;

test('networks of a file, changes by calls that outlive a kill, reload and save', async (t) => {
  const config = file('etherws.yaml', FIRST);
  const options = ['--config', config, '--state', join(directory, 'state')];
  let lan = await SwitchProcess.start(t, options);
  assert.deepEqual(await statesOf(lan), ['default 0 file 0', 'lab 1 file 60', 'home 1 file 0']);

  await lan.call('setNet', { network: 'lab', ageout: 70 });
  await lan.call('delNet', { network: 'home', force: true });
  await lan.call('addNet', { network: 'own', ageout: 5 });
  await lan.call('setNet', { network: 'default', ageout: 9 });
  const client = { type: 'client', target: 'ws://127.0.0.1:9/', name: 'three', network: 'own' };
  await lan.call('addPort', { ...client, options: { wait: false } });
  const changed = ['default 0 changed 9', 'lab 1 changed 70', 'own 1 added 5'];
  assert.deepEqual(await statesOf(lan), changed);
  const differences = [
    'change network default: ageout 0',
    'change network lab: ageout 60',
    'add network home',
    'add client ws://127.0.0.1:9/two (two)',
  ];
  assert.deepEqual(await deviationsOf(lan), differences);

  lan = await restarted(t, lan, options);
  assert.deepEqual(await statesOf(lan), changed);
  assert.deepEqual(await deviationsOf(lan), differences);
  assert.deepEqual(
    (await lan.ports()).map(({ name, network }) => `${name} ${network}`),
    ['one lab', 'three own'],
  );

  await t.test('save writes what runs, and check accepts it', async () => {
    const { entries } = await lan.call<{ entries: ConfigEntry[] }>('getConfig');
    const saved = file('saved.yaml', entries[0]?.text ?? '');
    const checked = await run([...ETHERWS, 'check', saved]);
    assert.deepEqual([checked.status, checked.stderr], [0, ''], checked.stdout);
    // The saved file names the state of the switch that still runs.
    const again = await SwitchProcess.start(t, ['--config', saved, '--state', join(directory, 'again')]);
    assert.deepEqual(await statesOf(again), ['default 0 file 9', 'lab 1 file 70', 'own 1 file 5']);
  });

  await t.test('a reload goes to what the file wants: ports change their networks, others are removed', async () => {
    file('etherws.yaml', `networks:\n  - {name: own}\n  - {name: new, ageout: 8}\nports:\n${dialler('one', 'new')}`);
    const wanted = [
      'change network default ageout 0',
      'change network own ageout 0',
      'add network new',
      'replace client ws://127.0.0.1:9/one (one)',
      'remove network lab',
    ];
    assert.deepEqual(await stepsOf(lan, 'planReload'), wanted);
    assert.deepEqual(await statesOf(lan), changed, 'a plan changes nothing');
    assert.deepEqual(await stepsOf(lan, 'reload'), wanted);
    assert.deepEqual(await statesOf(lan), ['default 0 file 0', 'own 1 file 0', 'new 1 file 8']);
    assert.deepEqual(await stepsOf(lan, 'reload'), []);
    assert.equal((await lan.ports()).find(({ name }) => name === 'one')?.port, 1, 'with its number');
  });

  await t.test('a network that a file does not have, or has twice, is told with its place', async () => {
    file('etherws.yaml', `networks:\n  - {name: lab}\n  - {name: lab}\nports:\n${dialler('one', 'lob')}`);
    await assert.rejects(lan.call('planReload'), ({ message }: Error) => {
      assert.match(message, /etherws\.yaml:3:\d+.*networks\[1\]\.name \\"lab\\" is that of the network at \S*:2:/);
      assert.match(message, /etherws\.yaml:5:\d+.*ports\[0\]\.network \\"lob\\" is no network of this file/);
      return true;
    });
  });
});

test('a tunnel that is resumed behind a restart is in its network again, also in an automatic one', async (t) => {
  const options = ['--auto-net', '--state', join(directory, 'tunnels')];
  let lan = await SwitchProcess.start(t, options);
  await lan.call('addNet', { network: 'lab' });
  const enter = async (path: string, token?: string): Promise<string> => {
    const resume = token === undefined ? '1' : `1 ${token}`;
    const headers = { 'Etherws-Wire': '1', 'Etherws-Resume': resume };
    const socket = new TunnelSocket(`ws://127.0.0.1:${lan.tunnelPort}${path}`, { headers, perMessageDeflate: false });
    t.after(() => socket.terminate());
    socket.on('error', () => undefined);
    const [{ headers: answer }] = (await once(socket, 'upgrade')) as [IncomingMessage];
    return String(answer['etherws-resume']).split(' ')[1] ?? '';
  };
  const places = async (): Promise<string[]> =>
    (await lan.ports()).map(({ port, network, state }) => `${port} ${network} ${state === 'away' ? state : 'here'}`);
  const tokens = [await enter('/'), await enter('/lab'), await enter('/room')];
  lan.process.signal('SIGTERM');
  await lan.process.exited;
  lan = await SwitchProcess.start(t, options);
  assert.deepEqual(await places(), ['1 default away', '2 lab away', '3 room away']);
  await enter('/room', tokens[2]);
  await enter('/lab', tokens[0]);
  assert.deepEqual(
    await places(),
    ['1 default away', '2 lab away', '3 room here', '4 lab here'],
    'a token of another network',
  );
  await enter('/lab', tokens[1]);
  assert.deepEqual(await places(), ['1 default away', '2 lab here', '3 room here', '4 lab here']);
});

test('the commands of the page about networks do what it says', async (t) => {
  const lan = await SwitchProcess.start(t);
  const [block] = fencedBlocks('docs/operate/networks.md').filter(({ language }) => language === 'sh');
  const commands = commandsIn(block?.text ?? '');
  assert.equal(commands.length, 7);
  for (const [, ctl = '', ...words] of commands) {
    if (words[0] === 'addport') continue;
    const url = `http://127.0.0.1:${lan.controlPort}/ctl`;
    const { status, stderr } = await run([...ETHERWS, ctl, '--ctlurl', url, ...words]);
    assert.deepEqual([status, stderr], [0, ''], words.join(' '));
  }
  const [yaml] = fencedBlocks('docs/operate/networks.md').filter(({ language }) => language === 'yaml');
  const checked = await run([...ETHERWS, 'check', file('page.yaml', yaml?.text ?? '')]);
  assert.deepEqual([checked.status, checked.stderr], [0, ''], checked.stdout);
});
