import assert from 'node:assert/strict';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseTunnelUrl } from '../dial/tunnel-url.ts';
import { OriginRule } from './origin.ts';

const CHROMIUM = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36';

function handshake(headers: IncomingHttpHeaders, isSecure = false): IncomingMessage {
  return { headers, socket: isSecure ? { encrypted: true } : {} } as unknown as IncomingMessage;
}

describe('which pages may open a tunnel', () => {
  const rule = new OriginRule({
    allowed: ['https://lab.example', 'http://lab.example:8080'],
    names: () => ['relay.example', '*.pool.example'],
  });
  const cases: [string, IncomingHttpHeaders, boolean, boolean][] = [
    ['a program that sends no Origin', { host: 'relay.example' }, false, true],
    ['a program that sends no Host either', {}, false, true],
    ['a page that was allowed', { host: 'relay.example', origin: 'https://lab.example' }, true, true],
    ['the same in other letters', { host: 'relay.example', origin: 'HTTPS://LAB.example' }, true, true],
    ['a page that was allowed, with its port', { host: 'a', origin: 'http://lab.example:8080' }, false, true],
    ['another port of that host', { host: 'a', origin: 'https://lab.example:8443' }, true, false],
    ['another scheme of that host', { host: 'a', origin: 'http://lab.example' }, true, false],
    ['a page of elsewhere', { host: 'relay.example', origin: 'https://evil.example' }, true, false],
    ['a name that begins alike', { host: 'relay.example', origin: 'https://relay.example.evil.example' }, true, false],
    ['a page without origin', { host: 'relay.example', origin: 'null' }, true, false],
    ['nothing that is an origin', { host: 'relay.example', origin: 'relay.example' }, true, false],
    ['an empty origin', { host: 'relay.example', origin: '' }, true, false],
    ['an extension of a browser', { host: 'relay.example', origin: 'chrome-extension://relay.example' }, true, false],
    ['our client', { host: 'anything.example:8000', origin: 'http://anything.example:8000' }, false, true],
    ['our client through a proxy that ends TLS', { host: 'any.example', origin: 'https://any.example' }, false, true],
    [
      'our client, the default port said in Host',
      { host: 'any.example:443', origin: 'https://any.example' },
      true,
      true,
    ],
    [
      'a page in the clear towards TLS',
      { host: 'localhost:443', origin: 'http://localhost:443', 'user-agent': CHROMIUM },
      true,
      false,
    ],
    [
      'the client of 1.x, which says http for wss',
      { host: '192.0.2.1:8443', origin: 'http://192.0.2.1:8443' },
      true,
      true,
    ],
    ['a page of ours', { host: 'relay.example', origin: 'https://relay.example', 'user-agent': CHROMIUM }, true, true],
    [
      'one of ours by a pattern',
      { host: 'a.pool.example', origin: 'https://a.pool.example', 'user-agent': CHROMIUM },
      true,
      true,
    ],
    ['a page at our address', { host: '[::1]:80', origin: 'http://[::1]', 'user-agent': CHROMIUM }, false, true],
    [
      'a page at localhost',
      { host: 'localhost:8000', origin: 'http://localhost:8000', 'user-agent': CHROMIUM },
      false,
      true,
    ],
    [
      'a name that was pointed here',
      { host: 'evil.example:8000', origin: 'http://evil.example:8000', 'user-agent': CHROMIUM },
      false,
      false,
    ],
    ['a host that is more than one', { host: 'a@b.example', origin: 'http://b.example' }, false, false],
  ];
  for (const [name, headers, isSecure, isAllowed] of cases) {
    test(`${name}: ${isAllowed ? 'yes' : 'no'}`, () => {
      assert.equal(rule.allows(handshake(headers, isSecure)), isAllowed);
    });
  }

  test('a star allows every page, null those without an origin', () => {
    assert.ok(new OriginRule({ allowed: ['*'] }).allows(handshake({ host: 'a', origin: 'https://evil.example' })));
    const files = new OriginRule({ allowed: ['null'] });
    assert.ok(files.allows(handshake({ host: 'a', origin: 'null' })));
    assert.ok(!files.allows(handshake({ host: 'a', origin: 'https://evil.example' })));
  });
});

test('whatever URL our client dials, its own Origin is let through', () => {
  fc.assert(
    fc.property(
      fc.webAuthority({ withPort: true, withIPv4: true, withIPv6: true }),
      fc.boolean(),
      (authority, isSecure) => {
        const text = `${isSecure ? 'wss' : 'ws'}://${authority}/`;
        fc.pre(URL.canParse(text));
        const { origin } = parseTunnelUrl(text);
        const host = new URL(text).host;
        assert.ok(new OriginRule().allows(handshake({ host, origin }, isSecure)));
      },
    ),
  );
});

test('no header makes it throw', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), fc.boolean(), (origin, host, agent, isSecure) => {
      new OriginRule({ allowed: ['https://a.example'] }).allows(
        handshake({ origin, host, 'user-agent': agent }, isSecure),
      );
    }),
  );
});
