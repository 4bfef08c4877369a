import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { configOf, type SwOptions } from '../../test/support/sw-options.ts';
import { TYPED } from '../cli/sw-options.ts';
import { EtherwsError } from '../errors.ts';
import type { Problem } from '../schema/check.ts';
import { FILE_ROWS } from '../schema/sw-options.ts';
import { readConfig } from './sw-config.ts';

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

function refused(options: SwOptions, code: string, ...words: string[]): void {
  assert.throws(
    () => configOf(options),
    (error: unknown) => {
      assert.ok(error instanceof EtherwsError);
      assert.equal(error.code, code);
      for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" names ${word}`);
      return true;
    },
  );
}

test('the defaults are those of 1.x', () => {
  const config = configOf({});
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

test('options of a cluster without its servers say which option is missing, and what it takes', () => {
  for (const options of [{ clusterName: 'prod' }, { node: 'r1' }, { clusterRedirect: 'off' }]) {
    assert.throws(
      () => configOf(options),
      (error: unknown) => {
        assert.ok(error instanceof EtherwsError);
        assert.match(error.message, /^--cluster is missing: other options of a cluster are given/);
        assert.match(error.hint ?? '', /nats:\/\/a\.example.*embedded/);
        return true;
      },
    );
  }
});

test('reserved group addresses are named by their last digits', () => {
  assert.equal(configOf({ forwardReserved: '0,E' }).forwardReserved, 0x4001);
  assert.equal(configOf({ forwardReserved: 'all' }).forwardReserved, 0xffff);
});

test('with TLS tunnels are accepted on 443, the control API stays on 7867', () => {
  const config = configOf({ sslkey: key, sslcert: cert, ctlsslkey: key, ctlsslcert: cert });
  assert.equal(config.tunnels.listenPort, 443);
  assert.equal(config.control.listenPort, 7867);
});

test('files are resolved to their real paths', () => {
  const config = configOf({ sslkey: join(directory, 'link.pem'), sslcert: cert });
  assert.equal(config.tunnels.tls?.keyFile, key);
});

test('the ways into a service, and the pages that may use it', () => {
  const tls = { sslkey: key, sslcert: cert };
  const config = configOf({ ...tls, clientCa: other, tokenkeys: key, tokenaudience: 'lan' });
  const tokens = { keyFile: key, audience: 'lan' };
  assert.deepEqual(config.tunnels.login, { htpasswd: undefined, tokens, clientCaFile: other });
  assert.deepEqual(config.control.login, { htpasswd: undefined, tokens: undefined, clientCaFile: undefined });
  assert.deepEqual(config.origins, []);
  const origin = ['https://Lab.Example', 'http://[::1]:8080/', 'https://a.example:443', '*', 'null'];
  const wanted = ['https://lab.example', 'http://[::1]:8080', 'https://a.example', '*', 'null'];
  assert.deepEqual(configOf({ origin }).origins, wanted);
});

test('the bounds of the doors, and the proxies that are believed', () => {
  const config = configOf({});
  assert.deepEqual([config.limits, config.trustedProxies], [{}, []], 'defaults stand where they are applied');
  const { limits, trustedProxies } = configOf({
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
  // The least value is that of a super-frame, the greatest that of a slab.
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
  for (const origin of ['lab.example', 'https://lab.example/page', 'ftp://lab.example', '']) {
    refused({ origin: [origin] }, 'ARGUMENT_INVALID', '--origin', `"${origin}"`);
  }
  refused(
    { origin: ['https://a:secret@lab.example'] },
    'ARGUMENT_INVALID',
    '--origin',
    '"https://(hidden)@lab.example"',
  );
  refused({ htpasswd: join(directory, 'none') }, 'FILE_UNREADABLE', '--htpasswd', 'none', 'no such file');
});

test('metrics listen on a port of the loopback, or on an address', () => {
  assert.equal(configOf({}).metricsListen, undefined);
  for (const [text, host, listenPort] of [
    ['9464', '127.0.0.1', 9464],
    ['0', '127.0.0.1', 0],
    ['192.0.2.1:9464', '192.0.2.1', 9464],
    ['[2001:db8::1]:65535', '2001:db8::1', 65_535],
    ['switch.example:9464', 'switch.example', 9464],
    [':9464', undefined, 9464],
  ] as const) {
    assert.deepEqual(configOf({ metricsListen: text }).metricsListen, { host, listenPort }, text);
  }
  // YAML parses a port without a host as a number.
  assert.deepEqual(readConfig({ metrics: { listen: 9464 } }, TYPED).metricsListen?.listenPort, 9464);
  for (const text of ['', '65536', '-1', '192.0.2.1', '192.0.2.1:', '::1:9464', '[192.0.2.1]:9464', 'a b:1', '1.5']) {
    refused({ metricsListen: text }, 'ARGUMENT_INVALID', '--metrics-listen', `"${text}"`);
  }
});

test('every option is named as it was typed', () => {
  for (const { path, row } of FILE_ROWS) {
    if (row.file !== 'read') continue;
    const document = path.length === 1 ? { [path[0] ?? '']: 'none' } : { [path[0] ?? '']: { [path[1] ?? '']: 'none' } };
    assert.throws(
      () => readConfig(document, { ...TYPED, errorOf: (problems) => new Error(problems.map(message).join('\n')) }),
      (error: Error) => error.message.includes(`${row.flag}: cannot read "none"`),
    );
  }
});

function message(problem: Problem): string {
  return problem.toError(TYPED.names, TYPED.say).message;
}

test('services on one host and port share a listener, and then must agree', () => {
  const shared = { host: '127.0.0.1', port: '8000', ctlport: '8000' };
  assert.equal(configOf({ ...shared }).isShared, true);
  assert.equal(configOf({ ...shared, host: '::1' }).isShared, false);
  assert.equal(configOf({ ...shared, port: '0', ctlport: '0' }).isShared, false);
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
  assert.equal(configOf({ ...shared, ...tls, ctlclientCa: other }).isShared, true);
  const all = { ...shared, sslkey: key, sslcert: cert, ctlsslkey: join(directory, 'link.pem'), ctlsslcert: cert };
  assert.equal(configOf({ ...all }).isShared, true, 'the same key by another name');
});

test('whatever is typed, the answer is a configuration or an EtherwsError', () => {
  const word = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.constantFrom('/', '/a', '1', '443', '0', '1e9', key, cert),
    fc.constantFrom(0, 1, 443, 0.5, 1e9),
  );
  const words = fc.array(word, { maxLength: 3 });
  const some = { requiredKeys: [] };
  const service = { path: word, host: word, port: word, htpasswd: word, sslkey: word, sslcert: word };
  const documents = fc.record(
    {
      ageout: word,
      fdbSize: word,
      forwardReserved: word,
      tunnels: fc.record({ ...service, origins: words, wire: word }, some),
      control: fc.record({ ...service, names: words, anybody: fc.boolean(), tcp: fc.boolean() }, some),
      limits: fc.record({ trustedProxies: words, maxTunnels: word, handshakeTimeout: word, maxMessage: word }, some),
      daemon: fc.record({ logformat: word, user: word, group: word }, some),
    },
    some,
  );
  fc.assert(
    fc.property(documents, (document) => {
      try {
        const config = readConfig(document, TYPED);
        assert.ok(config.ageingTimeMs > 0 && config.tunnels.path.startsWith('/'));
      } catch (error) {
        assert.ok(error instanceof EtherwsError, String(error));
        assert.ok(error.message.length > 0);
        // A place of a template that was not filled, unless it was typed.
        const [place] = /\{(?:name|value|\.[a-zA-Z.]+)\}/.exec(error.message) ?? [];
        assert.ok(place === undefined || JSON.stringify(document).includes(place), error.message);
      }
    }),
    { numRuns: 20_000 },
  );
});

test('names of the control API are compared in their ASCII form and in lower case', () => {
  const { controlNames } = configOf({ ctlname: ['Müller.example', 'RELAY.example'] });
  assert.deepEqual(controlNames, ['xn--mller-kva.example', 'relay.example']);
});

test('a path of the console is not that of another service on its port, unless the console is off', () => {
  const shared = { host: '127.0.0.1', port: '8000', ctlport: '8000' };
  for (const path of ['/console', '/console/', '/console/live']) {
    refused({ ctlpath: path }, 'ARGUMENT_INVALID', '--ctlpath is', path, 'where the console is');
    refused({ ...shared, path }, 'ARGUMENT_INVALID', '--path is', path);
    assert.equal(configOf({ path }).tunnels.path, path, 'on another port');
    assert.equal(configOf({ ctlpath: path, console: false }).control.path, path);
  }
  assert.equal(configOf({ ...shared, ctlpath: '/consoles' }).control.path, '/consoles');
});
