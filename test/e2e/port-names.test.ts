import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/etherws.ts';
import { openTriangle, RIGHT_CLIENT, THIRD_CLIENT } from '../support/triangle.ts';

/** The second line of a failed command's errors. */
function detail(stderr: string): string {
  return stderr.split('\n')[1]?.trim() ?? '';
}

test('a port is found by its name in every command, and keeps it while its client is away', async (t) => {
  const triangle = await openTriangle(t);
  if (triangle === undefined) return;
  const { leftSwitch, relay } = triangle;

  await t.test('a port is named when it is added, and an accepted tunnel afterwards', async () => {
    const added = await leftSwitch.done('addport', 'tap', 'lab0', '--name', 'lab', '--description', 'bench in room 4');
    assert.match(added, /^ {2}Port {2}Type {2}State {2}RX {2}TX {2}Target\n +4 /, 'the columns of 1.x');
    await leftSwitch.done('setport', String(RIGHT_CLIENT), '--name', 'uplink');
    const long = await leftSwitch.done('listport', '--long');
    assert.match(long, /^ +4 {2}tap .* lab0 +lab .* bench in room 4 +-$/m);
    assert.match(long, /^ +2 {2}server .* uplink .* -$/m);
    const ports = (await leftSwitch.ports()).map(({ port, name, description }) => [port, name, description]);
    assert.deepEqual(ports.toSorted(), [
      [1, null, null],
      [2, 'uplink', null],
      [3, null, null],
      [4, 'lab', 'bench in room 4'],
    ]);
  });

  await t.test('every command takes the name', async () => {
    assert.match(await leftSwitch.done('setport', 'lab', '--shut', '1'), /^ +4 {2}tap +shut /m);
    await leftSwitch.done('setport', 'lab', '--shut', '0');
    assert.match(await leftSwitch.done('setif', 'lab', '--address', '192.0.2.99/24'), /lab0$/m);
    const devices = (await leftSwitch.interfaces()).map(({ port, portName }) => [port, portName]);
    assert.deepEqual(devices, [
      [1, null],
      [4, 'lab'],
    ]);
    assert.ok(
      (await leftSwitch.fdb()).every(({ port, portName }) => (port === RIGHT_CLIENT) === (portName === 'uplink')),
    );
  });

  await t.test('a name is unique, and one that is unknown is answered with the one that was meant', async () => {
    for (const [words, expected] of [
      [['setport', 'uplnk'], 'PORT_NOT_FOUND: There is no port named "uplnk". Did you mean uplink?'],
      [
        ['delport', 'printer'],
        'PORT_NOT_FOUND: There is no port named "printer". The switch has ports 1, 2 (uplink), 3, 4 (lab)',
      ],
      [
        ['setport', '3', '--name', 'lab'],
        `PORT_NAME_TAKEN: The name "lab" is that of port 4 (tap lab0). Choose another one, or take it away there with setport 4 --name ''`,
      ],
      [
        ['addport', 'tap', 'lab1', '--name', 'lab'],
        `PORT_NAME_TAKEN: The name "lab" is that of port 4 (tap lab0). Choose another one, or take it away there with setport 4 --name ''`,
      ],
    ] as const) {
      const { status, stdout, stderr } = await leftSwitch.ctl(words);
      assert.deepEqual([status, stdout, detail(stderr)], [1, '', expected]);
    }
    assert.equal((await leftSwitch.host.run(['ip', 'link', 'show', 'dev', 'lab1'])).status, 1, 'a device was left');
    await leftSwitch.done('setport', 'lab', '--name', 'lab', '--description', '');
    const { stderr } = await leftSwitch.ctl(['setport', '4', '--name', 'uplink', '--shut', '1']);
    assert.match(detail(stderr), /^PORT_NAME_TAKEN/);
    const { shut, name, description } = await leftSwitch.port(4);
    assert.deepEqual([shut, name, description], [false, 'lab', null], 'what was refused changed something');
  });

  await t.test('a tunnel that is lost and comes back has its name', async () => {
    await relay.kill();
    await eventually(
      () => leftSwitch.port(RIGHT_CLIENT),
      ({ state }) => state === 'away',
      60_000,
    );
    assert.equal((await leftSwitch.port(RIGHT_CLIENT)).name, 'uplink');
    await relay.start();
    await eventually(
      () => leftSwitch.port(RIGHT_CLIENT),
      ({ state }) => state === 'up',
      60_000,
    );
    assert.equal((await leftSwitch.port(RIGHT_CLIENT)).name, 'uplink');
  });

  await t.test('a name is free again when it is taken away, and when its port is removed', async () => {
    await leftSwitch.done('setport', 'uplink', '--name', '');
    await leftSwitch.done('setport', String(THIRD_CLIENT), '--name', 'uplink');
    await leftSwitch.done('delport', 'lab');
    await leftSwitch.done('setport', '1', '--name', 'lab');
    assert.equal((await leftSwitch.port(1)).name, 'lab');
    assert.equal((await leftSwitch.host.run(['ip', 'link', 'show', 'dev', 'lab0'])).status, 1);
  });
});
