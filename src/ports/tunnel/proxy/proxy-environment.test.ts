import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { EtherwsError } from '../../../errors.ts';
import { isListed, proxyFromEnvironment } from './proxy-environment.ts';
import { parseProxyUrl } from './proxy-url.ts';

describe('the URL of a proxy', () => {
  for (const [text, kind, host, listenPort, shown] of [
    ['http://proxy.example:3128', 'http', 'proxy.example', 3128, 'http://proxy.example:3128'],
    ['http://proxy.example', 'http', 'proxy.example', 80, 'http://proxy.example:80'],
    ['proxy.example:3128', 'http', 'proxy.example', 3128, 'http://proxy.example:3128'],
    ['https://proxy.example/', 'https', 'proxy.example', 443, 'https://proxy.example:443'],
    ['socks5://[::1]', 'socks5', '::1', 1080, 'socks5://[::1]:1080'],
    ['SOCKS5H://a:9', 'socks5h', 'a', 9, 'socks5h://a:9'],
  ] as const) {
    test(text, () => {
      assert.deepEqual(parseProxyUrl(text, '--proxy'), { kind, host, listenPort, shown, credentials: undefined });
    });
  }

  test('has a user and a password, and shows neither', () => {
    const { credentials, shown } = parseProxyUrl('http://me:p%40ss:x@a:1', '--proxy');
    assert.deepEqual(credentials, { user: 'me', passwd: 'p@ss:x' });
    assert.equal(shown, 'http://a:1');
  });

  for (const text of [
    'ftp://a',
    'http://',
    'http://a/path',
    'socks4://a',
    'http://a:99999',
    'http://me:secret%zz@a',
    '',
  ]) {
    test(`"${text}" is none`, () => {
      assert.throws(
        () => parseProxyUrl(text, 'HTTPS_PROXY'),
        (error: EtherwsError) => {
          assert.equal(error.code, 'ARGUMENT_INVALID');
          assert.match(error.message, /^HTTPS_PROXY /);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
  }

  test('whatever the text, it is a proxy or ARGUMENT_INVALID', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webUrl()), (text) => {
        try {
          parseProxyUrl(text, '--proxy');
        } catch (error) {
          assert.ok(error instanceof EtherwsError);
        }
      }),
    );
  });
});

describe('what the environment says', () => {
  const wss = { isSecure: true, host: 'switch.example', listenPort: 443 };
  const ws = { ...wss, isSecure: false, listenPort: 80 };

  test('each scheme has its variable, ALL_PROXY is for the rest, lower case comes first', () => {
    const shown = (destination: typeof wss, environment: Record<string, string>): string | undefined =>
      proxyFromEnvironment(destination, environment)?.shown;
    assert.equal(shown(wss, {}), undefined);
    assert.equal(shown(wss, { HTTPS_PROXY: 'http://a:1', HTTP_PROXY: 'http://b:1' }), 'http://a:1');
    assert.equal(shown(ws, { HTTPS_PROXY: 'http://a:1', HTTP_PROXY: 'http://b:1' }), 'http://b:1');
    assert.equal(shown(ws, { HTTPS_PROXY: 'http://a:1', ALL_PROXY: 'socks5://c' }), 'socks5://c:1080');
    assert.equal(shown(wss, { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://d:1' }), 'http://d:1');
    assert.equal(shown(wss, { HTTPS_PROXY: 'http://a:1', https_proxy: '' }), 'http://a:1');
    assert.equal(shown(wss, { HTTPS_PROXY: 'http://a:1', NO_PROXY: '.example' }), undefined);
  });

  for (const [host, list, isIn] of [
    ['switch.example', '*', true],
    ['switch.example', '', false],
    ['switch.example', 'example', true],
    ['switch.example', '.example', true],
    ['switch.example', '*.example', true],
    ['switch.example', 'SWITCH.example.', true],
    ['switch.example', 'a, b switch.example', true],
    ['switch.example', 'itch.example', false],
    ['switch.example', 'switch.example:443', true],
    ['switch.example', 'switch.example:80', false],
    ['switch.example', '10.0.0.0/8', false],
    ['10.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.3:443', true],
    ['10.1.2.3', '10.1.2.3:80', false],
    ['10.1.2.3', '10.1.2.0/33', false],
    ['10.1.2.3', '10.1.2.0/x', false],
    ['10.1.2.3', '3', false],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['fd00::1', 'fd00::/8', true],
    ['fd00::1', 'fd00:0::1', true],
    ['fd00::1', '[fd00::1]:443', true],
    ['fd00::1', '[fd00::]/8', true],
    ['fd00::1', '[fd00::1]:80', false],
    ['fd00::1', '0.0.0.0/0', false],
  ] as const) {
    test(`NO_PROXY "${list}" ${isIn ? 'lists' : 'does not list'} ${host}`, () => {
      assert.equal(isListed({ host, listenPort: 443, isSecure: true }, list), isIn);
    });
  }

  test('no list throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('a.example', '10.0.0.1', '::1'), (list, host) => {
        assert.equal(typeof isListed({ host, listenPort: 1, isSecure: true }, list), 'boolean');
      }),
    );
  });
});
