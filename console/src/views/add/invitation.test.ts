import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ETHERWS } from '../../../../test/support/etherws.ts';
import { run } from '../../../../test/support/process.ts';
import {
  addressOf,
  addressProblem,
  commandOf,
  FILES,
  fileLinesOf,
  type Invitation,
  isLoopback,
  quoted,
  type Service,
  urlOf,
  wordsOf,
} from './invitation.ts';

const service = (url: string): Service => ({ service: 'tunnels', url, credentials: [], pin: null });

const INVITATION: Invitation = {
  address: 'wss://relay.example/',
  network: 'default',
  name: '',
  credential: 'none',
  user: '',
  trust: 'authority',
  pin: 'sha256//AAAA=',
  wire: 'auto',
  reconnect: true,
  networkThere: 'default',
};

test('the address is that of the service; the host of the page where it listens on all addresses', () => {
  for (const [url, expected] of [
    ['ws://0.0.0.0:80/', 'ws://relay.example/'],
    ['wss://[::]:443/x', 'wss://relay.example/x'],
    ['wss://[::]:8443/', 'wss://relay.example:8443/'],
    ['ws://192.0.2.1:443/', 'ws://192.0.2.1:443/'],
    ['ws://[2001:db8::1]:80/', 'ws://[2001:db8::1]/'],
  ] as const) {
    assert.equal(addressOf(service(url), 'relay.example'), expected);
  }
  assert.deepEqual(['ws://127.0.0.1:80/', 'wss://[::1]/', 'ws://localhost/', 'ws://relay.example/'].map(isLoopback), [
    true,
    true,
    true,
    false,
  ]);
});

test('a network is the last segment of the URL', () => {
  const url = (address: string, network: string): string => urlOf({ address, network });
  assert.equal(url('wss://relay.example/', 'default'), 'wss://relay.example/');
  assert.equal(url('wss://relay.example', 'default'), 'wss://relay.example/');
  assert.equal(url('wss://relay.example/', 'lab'), 'wss://relay.example/lab');
  assert.equal(url('wss://relay.example/x', 'lab'), 'wss://relay.example/x/lab');
});

test('an address that cannot be dialled is said to be so', () => {
  for (const address of ['wss://relay.example/', 'ws://192.0.2.1:8000', 'wss://[2001:db8::1]:443/x']) {
    assert.equal(addressProblem(address), undefined, address);
  }
  for (const address of [
    '',
    'https://relay.example/',
    'wss://',
    'wss://a b/',
    'wss://u@relay.example/',
    'wss://relay.example/?x',
  ]) {
    assert.notEqual(addressProblem(address), undefined, address);
  }
});

test('a shell reads the words of the command as they are', () => {
  const words = wordsOf({ ...INVITATION, name: `it's $HOME`, credential: 'password', user: 'a b"`' });
  const text = execFileSync('sh', ['-c', `printf '%s\\n' ${words.map(quoted).join(' ')}`], { encoding: 'utf8' });
  assert.deepEqual(text.trimEnd().split('\n'), words);
});

test('the command has what was chosen, and nothing that is the default', () => {
  assert.equal(commandOf(INVITATION), 'etherws ctl addport client wss://relay.example/');
  assert.equal(
    commandOf({
      ...INVITATION,
      network: 'lab',
      name: 'relay',
      credential: 'token',
      trust: 'pin',
      wire: 'raw',
      reconnect: false,
      networkThere: 'home',
    }),
    'etherws ctl addport client wss://relay.example/lab --token-file etherws.token --pin sha256//AAAA= --wire raw --no-reconnect --name relay --net home',
  );
});

test('etherws check takes the lines of the file', async (t) => {
  const all: Invitation = {
    ...INVITATION,
    network: 'lab',
    name: 'relay',
    credential: 'password',
    user: 'ann "x"',
    trust: 'pin',
    pin: `sha256//${Buffer.alloc(32, 7).toString('base64')}`,
    wire: 'raw',
    reconnect: false,
  };
  const directory = mkdtempSync(join(tmpdir(), 'etherws-invitation-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const secret of [FILES.password, FILES.token])
    writeFileSync(join(directory, secret), 'secret\n', { mode: 0o600 });
  const file = join(directory, 'etherws.yaml');
  for (const invitation of [INVITATION, all, { ...all, credential: 'token', trust: 'authority' }] as const) {
    writeFileSync(file, `${fileLinesOf(invitation)}\n`);
    const { status, stdout, stderr } = await run([...ETHERWS, 'check', file]);
    assert.deepEqual([status, stderr], [0, ''], fileLinesOf(invitation));
    assert.match(stdout, /it has 1 port/);
  }
});
