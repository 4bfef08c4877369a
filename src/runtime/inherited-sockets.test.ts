import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT } from '../observability/logger.ts';
import { takeInheritedSockets } from './inherited-sockets.ts';
import { ServiceManager } from './service-manager.ts';

test('what a service manager says to this process is taken out of what its children get', () => {
  const environment = {
    NOTIFY_SOCKET: '/nowhere/notify',
    WATCHDOG_USEC: '1000000',
    WATCHDOG_PID: '1',
    LISTEN_PID: '1',
    LISTEN_FDS: '2',
    LISTEN_FDNAMES: 'tunnels:control',
    HOME: '/root',
  };
  assert.equal(takeInheritedSockets(environment).size, 0);
  assert.ok(ServiceManager.find(SILENT, environment) !== undefined);
  assert.deepEqual(environment, { HOME: '/root' });
});

test('no variables, no sockets and no service manager', () => {
  assert.equal(takeInheritedSockets({}).size, 0);
  assert.equal(ServiceManager.find(SILENT, {}), undefined);
});

test('a number of sockets that is none is an error in words', () => {
  for (const count of ['', '-1', 'two', '1e9'])
    assert.throws(
      () => takeInheritedSockets({ LISTEN_PID: String(process.pid), LISTEN_FDS: count, LISTEN_FDNAMES: 'tunnels' }),
      { code: 'LISTEN_FAILED', message: new RegExp(`must be a number of sockets, got "${count}"`) },
    );
});
