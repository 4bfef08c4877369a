import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { EtherwsError } from '../errors.ts';
import { readConfig, type SwOptions } from './sw-config.ts';

const directory = mkdtempSync(join(tmpdir(), 'etherws-config-'));
after(() => rmSync(directory, { recursive: true }));
const file = (name: string): string => {
  writeFileSync(join(directory, name), name);
  return join(directory, name);
};
const key = file('key.pem');
const cert = file('cert.pem');
const other = file('other.pem');
symlinkSync(key, join(directory, 'link.pem'));

const DEFAULTS: SwOptions = {
  ageout: '300',
  fdbSize: '65536',
  path: '/',
  ctlpath: '/ctl',
  ctlhost: '127.0.0.1',
  ctlport: '7867',
  wire: 'auto',
  congestion: 'auto',
  aes: 'auto',
  logformat: 'text',
};

function refused(options: Partial<SwOptions>, code: string, ...words: string[]): void {
  assert.throws(
    () => readConfig({ ...DEFAULTS, ...options }),
    (error: unknown) => {
      assert.ok(error instanceof EtherwsError);
      assert.equal(error.code, code);
      for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" names ${word}`);
      return true;
    },
  );
}

test('the defaults are those of 1.x', () => {
  const config = readConfig(DEFAULTS);
  assert.equal(config.ageingTimeMs, 300_000);
  assert.deepEqual(config.tunnels, {
    path: '/',
    host: undefined,
    listenPort: 80,
    tls: undefined,
    login: { htpasswd: undefined, tokens: undefined, clientCaFile: undefined },
  });
  assert.equal(config.control.host, '127.0.0.1');
  assert.equal(config.control.listenPort, 7867);
  assert.equal(config.control.path, '/ctl');
  assert.equal(config.isShared, false);
  assert.equal(config.forwardReserved, 0);
});

test('reserved group addresses are named by their last digits', () => {
  assert.equal(readConfig({ ...DEFAULTS, forwardReserved: '0,E' }).forwardReserved, 0x4001);
  assert.equal(readConfig({ ...DEFAULTS, forwardReserved: 'all' }).forwardReserved, 0xffff);
});

test('with TLS tunnels are accepted on 443, the control API stays on 7867', () => {
  const config = readConfig({ ...DEFAULTS, sslkey: key, sslcert: cert, ctlsslkey: key, ctlsslcert: cert });
  assert.equal(config.tunnels.listenPort, 443);
  assert.equal(config.control.listenPort, 7867);
});

test('files are resolved to their real paths', () => {
  const config = readConfig({ ...DEFAULTS, sslkey: join(directory, 'link.pem'), sslcert: cert });
  assert.equal(config.tunnels.tls?.keyFile, key);
});

test('the ways into a service, and the pages that may use it', () => {
  const tls = { sslkey: key, sslcert: cert };
  const config = readConfig({ ...DEFAULTS, ...tls, clientCa: other, tokenkeys: key, tokenaudience: 'lan' });
  const tokens = { keyFile: key, audience: 'lan' };
  assert.deepEqual(config.tunnels.login, { htpasswd: undefined, tokens, clientCaFile: other });
  assert.deepEqual(config.control.login, { htpasswd: undefined, tokens: undefined, clientCaFile: undefined });
  assert.deepEqual(config.origins, []);
  const origin = ['https://Lab.Example', 'http://[::1]:8080/', 'https://a.example:443', '*', 'null'];
  const wanted = ['https://lab.example', 'http://[::1]:8080', 'https://a.example', '*', 'null'];
  assert.deepEqual(readConfig({ ...DEFAULTS, origin }).origins, wanted);
});

test('the bounds of the doors, and the proxies that are believed', () => {
  const config = readConfig(DEFAULTS);
  assert.deepEqual([config.limits, config.trustedProxies], [{}, []], 'defaults stand where they are applied');
  const { limits, trustedProxies } = readConfig({
    ...DEFAULTS,
    maxTunnels: '1000000',
    maxPerAddress: '2',
    maxPerUser: '3',
    maxUnproven: '4',
    handshakeTimeout: '1.5',
    loginFailures: '5',
    maxMessage: '67584',
    maxQueue: '268435456',
    maxBuffers: '64',
    trustedProxy: ['10.0.0.0/8', '::1'],
  });
  assert.deepEqual(limits, {
    maxTunnels: 1_000_000,
    maxPerAddress: 2,
    maxPerUser: 3,
    maxUnproven: 4,
    handshakeTimeoutMs: 1500,
    loginFailures: 5,
    maxMessageBytes: 67_584,
    queueBytes: 268_435_456,
    buffersBytes: 67_108_864,
  });
  assert.deepEqual(trustedProxies, [
    { address: '10.0.0.0', prefixLength: 8 },
    { address: '::1', prefixLength: 128 },
  ]);
});

test('a bound that would be none, or would admit no client, is refused', () => {
  for (const [name, option] of [
    ['maxTunnels', '--max-tunnels'],
    ['maxPerAddress', '--max-per-address'],
    ['maxPerUser', '--max-per-user'],
    ['maxUnproven', '--max-unproven'],
    ['loginFailures', '--login-failures'],
  ] as const) {
    for (const text of ['0', '-1', '1000001', '1e3', '', 'many']) {
      refused({ [name]: text }, 'ARGUMENT_INVALID', option, `"${text}"`);
    }
  }
  for (const text of ['0', '-1', '', 'soon', '1000001']) {
    refused({ handshakeTimeout: text }, 'ARGUMENT_INVALID', '--handshake-timeout', `"${text}"`);
  }
  // A super-frame has to pass, and no message may outgrow a slab.
  for (const text of ['67583', '1048577']) refused({ maxMessage: text }, 'ARGUMENT_INVALID', '--max-message', text);
  for (const text of ['15', '0.5', '1048577']) refused({ maxBuffers: text }, 'ARGUMENT_INVALID', '--max-buffers', text);
  for (const text of ['131071', '268435457']) refused({ maxQueue: text }, 'ARGUMENT_INVALID', '--max-queue', text);
  for (const text of ['', 'proxy.example', '10.0.0.0/33', '::/129', '10.0.0.0/8/8', '10.0.0.1:80']) {
    refused({ trustedProxy: ['127.0.0.1', text] }, 'ARGUMENT_INVALID', '--trusted-proxy', `"${text}"`);
  }
});

test('what does not fit is refused, naming the option and what was got', () => {
  refused({ ageout: '0' }, 'ARGUMENT_INVALID', '--ageout', '"0"');
  refused({ ageout: '-5' }, 'ARGUMENT_INVALID', '--ageout', '"-5"');
  refused({ ageout: 'soon' }, 'ARGUMENT_INVALID', '--ageout', '"soon"');
  refused({ path: 'tunnel' }, 'ARGUMENT_INVALID', '--path', '"tunnel"');
  refused({ ctlpath: 'ctl' }, 'ARGUMENT_INVALID', '--ctlpath', '"ctl"');
  refused({ port: '65536' }, 'ARGUMENT_INVALID', '--port', '65536');
  refused({ ctlport: 'http' }, 'ARGUMENT_INVALID', '--ctlport', 'http');
  refused({ fdbSize: '0' }, 'ARGUMENT_INVALID', '--fdb-size');
  for (const text of ['', 'x', '0-E', '0E'])
    refused({ forwardReserved: text }, 'ARGUMENT_INVALID', '--forward-reserved', `"${text}"`);
  refused({ wire: 'thin' }, 'ARGUMENT_INVALID', '--wire', 'thin');
  refused({ aes: 'fast' }, 'ARGUMENT_INVALID', '--aes', 'fast');
  refused({ logformat: 'xml' }, 'ARGUMENT_INVALID', '--logformat', 'xml');
  refused({ sslkey: key }, 'ARGUMENT_INVALID', '--sslkey', '--sslcert');
  refused({ ctlsslcert: cert }, 'ARGUMENT_INVALID', '--ctlsslcert', '--ctlsslkey');
  refused({ tokenkeys: key }, 'ARGUMENT_INVALID', '--tokenkeys', '--tokenaudience');
  refused({ ctltokenaudience: 'lan' }, 'ARGUMENT_INVALID', '--ctltokenaudience', '--ctltokenkeys');
  refused({ clientCa: cert }, 'ARGUMENT_INVALID', '--client-ca', '--sslkey');
  refused(
    { ctlclientCa: join(directory, 'none'), ctlsslkey: key, ctlsslcert: cert },
    'FILE_UNREADABLE',
    '--ctlclient-ca',
  );
  for (const origin of ['lab.example', 'https://lab.example/page', 'ftp://lab.example', 'https://a@lab.example', '']) {
    refused({ origin: [origin] }, 'ARGUMENT_INVALID', '--origin', `"${origin}"`);
  }
  refused({ htpasswd: join(directory, 'none') }, 'FILE_UNREADABLE', '--htpasswd', 'none', 'no such file');
});

test('services on one host and port share a listener, and then must agree', () => {
  const shared = { host: '127.0.0.1', port: '8000', ctlport: '8000' };
  assert.equal(readConfig({ ...DEFAULTS, ...shared }).isShared, true);
  assert.equal(readConfig({ ...DEFAULTS, ...shared, host: '::1' }).isShared, false);
  assert.equal(readConfig({ ...DEFAULTS, ...shared, port: '0', ctlport: '0' }).isShared, false);
  refused({ ...shared, path: '/ctl' }, 'ARGUMENT_INVALID', '--path', '--ctlpath');
  refused({ ...shared, sslkey: key, sslcert: cert }, 'ARGUMENT_INVALID', 'key and certificate');
  refused(
    { ...shared, sslkey: key, sslcert: cert, ctlsslkey: key, ctlsslcert: other },
    'ARGUMENT_INVALID',
    'key and certificate',
  );
  const tls = { sslkey: key, sslcert: cert, ctlsslkey: key, ctlsslcert: cert };
  refused(
    { ...shared, ...tls, clientCa: cert, ctlclientCa: other },
    'ARGUMENT_INVALID',
    '--client-ca',
    '--ctlclient-ca',
  );
  assert.equal(readConfig({ ...DEFAULTS, ...shared, ...tls, ctlclientCa: other }).isShared, true);
  const all = { ...shared, sslkey: key, sslcert: cert, ctlsslkey: join(directory, 'link.pem'), ctlsslcert: cert };
  assert.equal(readConfig({ ...DEFAULTS, ...all }).isShared, true, 'the same key by another name');
});

test('whatever is typed, the answer is a configuration or an EtherwsError', () => {
  const word = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('/', '/a', '1', '443', '0', '1e9', key, cert));
  const options = fc.record(
    {
      ageout: word,
      fdbSize: word,
      forwardReserved: word,
      path: word,
      host: word,
      port: word,
      htpasswd: word,
      sslkey: word,
      sslcert: word,
      ctlpath: word,
      ctlhost: word,
      ctlport: word,
      logformat: word,
      ctlname: fc.array(word, { maxLength: 3 }),
      trustedProxy: fc.array(word, { maxLength: 3 }),
      maxTunnels: word,
      handshakeTimeout: word,
      maxMessage: word,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(options, (typed) => {
      try {
        const config = readConfig({ ...DEFAULTS, ...typed });
        assert.ok(config.ageingTimeMs > 0 && config.tunnels.path.startsWith('/'));
      } catch (error) {
        assert.ok(error instanceof EtherwsError, String(error));
        assert.ok(error.message.length > 0);
      }
    }),
    { numRuns: 20_000 },
  );
});
