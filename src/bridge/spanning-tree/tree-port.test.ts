import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MachineBench } from '../../../test/support/state-machine.ts';
import { DEFAULT_PORT_SETTINGS, type SpanningTreePortSettings } from './settings.ts';
import { TreePort } from './tree-port.ts';

function openPort(settings: Partial<SpanningTreePortSettings> = {}) {
  const port = new TreePort(new MachineBench().bridge, 1, 7);
  const configure = (change: Partial<SpanningTreePortSettings>) => port.configure({ ...port.settings, ...change });
  port.configure({ ...DEFAULT_PORT_SETTINGS, ...settings });
  port.reselect = false;
  return { port, configure };
}

test('a port is enabled while its link is up, and the BPDU guard has not disabled it', () => {
  const { port, configure } = openPort({ hasBpduGuard: true });
  assert.equal(port.portEnabled, false, 'before its link is up');
  port.setUp(true);
  assert.equal(port.portEnabled, true);
  port.tripGuard();
  assert.equal(port.portEnabled, false);
  port.setUp(true);
  configure({ pathCost: 5 });
  assert.equal(port.portEnabled, false, 'neither another report of the link nor another setting helps');
  port.setUp(false);
  port.setUp(true);
  assert.equal(port.portEnabled, true, 'the link was down');
  port.tripGuard();
  configure({ hasBpduGuard: false });
  assert.equal(port.portEnabled, true, 'the guard was taken away');
});

test('a port without a number is disabled, and takes part once it has one', () => {
  const { port } = openPort({ priority: 16 });
  port.renumber(undefined);
  port.setUp(true);
  assert.equal(port.portEnabled, false);
  port.renumber(9);
  assert.deepEqual([port.portEnabled, port.stpNumber, port.portId, port.reselect], [true, 9, 0x1009, true]);
});

test('roles are selected anew for settings that they depend on', () => {
  for (const [change, isAsked] of [
    [{ pathCost: 5 }, true],
    [{ priority: 16 }, true],
    [{ hasRootGuard: true }, true],
    [{ edge: 'on' }, false],
    [{ isPointToPoint: false }, false],
    [{ hasBpduGuard: true }, false],
  ] as const) {
    const { port, configure } = openPort();
    configure(change);
    assert.equal(port.reselect, isAsked, JSON.stringify(change));
  }
  const { port, configure } = openPort();
  configure({ priority: 240, pathCost: 5, hasRootGuard: true, isPointToPoint: false });
  assert.deepEqual(
    [port.portId, port.portPathCost, port.restrictedRole, port.operPointToPointMac],
    [0xf007, 5, true, false],
  );
});

test('another setting of edge works at once, and no other setting changes operEdge', () => {
  for (const [name, edge, given, change, expected] of [
    ['on', 'auto', {}, { edge: 'on' }, true],
    ['off', 'on', { operEdge: true }, { edge: 'off' }, false],
    ['from on to auto', 'on', {}, { edge: 'auto' }, false],
    ['an edge port that may be found again', 'on', { operEdge: true }, { edge: 'auto' }, true],
    ['on, and there is a bridge', 'auto', { infoIs: 'received' }, { edge: 'on' }, false],
    ['on before, and a BPDU has come', 'on', {}, { pathCost: 5 }, false],
    ['off, and the port is down', 'on', { operEdge: true, portEnabled: false }, { edge: 'off' }, true],
    ['on, and the port is down', 'auto', { portEnabled: false }, { edge: 'on' }, false],
  ] as const) {
    const { port, configure } = openPort({ edge });
    port.setUp(true);
    Object.assign(port, { infoIs: 'mine', ...given });
    configure(change);
    assert.equal(port.operEdge, expected, name);
    assert.deepEqual(
      [port.adminEdge, port.autoEdge],
      [port.settings.edge === 'on', port.settings.edge === 'auto'],
      name,
    );
  }
});
