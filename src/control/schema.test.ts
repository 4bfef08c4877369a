import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { EtherwsError } from '../errors.ts';
import { check, dottedNames } from '../schema/check.ts';
import { METHODS, type MethodName } from './schema.ts';

function read(method: MethodName, params: unknown): unknown {
  return check(METHODS[method].params, params);
}

function refuse(method: MethodName, params: unknown, message: RegExp, code = 'ARGUMENT_INVALID'): void {
  assert.throws(() => read(method, params), { name: 'EtherwsError', code, message }, JSON.stringify(params));
}

describe('parameters of addPort', () => {
  it('takes what a 1.x client sends, null for what was not given', () => {
    const nothing = { user: null, passwd: null, cacerts: null, insecure: null };
    assert.deepEqual(read('addPort', { type: 'tap', target: 'tap0', options: nothing }), {
      type: 'tap',
      target: 'tap0',
      options: {},
    });
    assert.deepEqual(read('addPort', { type: 'netdev', target: 'eth0', options: null }), {
      type: 'netdev',
      target: 'eth0',
    });
    const options = { user: 'ann', passwd: 'a:b', cacerts: null, insecure: false };
    assert.deepEqual(read('addPort', { type: 'client', target: 'wss://a.example/x?y', options }), {
      type: 'client',
      target: 'wss://a.example/x?y',
      options: { user: 'ann', passwd: 'a:b', insecure: false },
    });
  });

  it('takes an empty text for what was not given, and insecure: false for a device', () => {
    const empty = { user: '', passwd: '', cacerts: '', insecure: '' };
    for (const [type, target] of Object.entries({ client: 'ws://a/', tap: 'tap0', netdev: 'eth0' })) {
      assert.deepEqual(read('addPort', { type, target, options: empty }), { type, target, options: {} });
    }
    for (const type of ['tap', 'netdev']) {
      const options = { user: null, passwd: null, cacerts: null, insecure: false };
      assert.deepEqual(read('addPort', { type, target: 'eth0', options }), { type, target: 'eth0', options: {} });
      refuse('addPort', { type, target: 'eth0', options: { user: 'ann' } }, /options\.user/);
    }
    refuse('addPort', { type: 'client', target: 'ws://a/', options: { proxy: '' } }, /options\.proxy/);
  });

  it('refuses what cannot be a device', () => {
    const targets = ['.', '..', 'a/b', 'a b', 'a:0', 'a\0', 'abcdefghijklmnop', 'äöüäöüäö'];
    for (const target of [...targets, 'tap%s', '%d%d', '100%', 'abcdefghijklmn%d']) {
      refuse('addPort', { type: 'tap', target }, /^target "/);
    }
    for (const target of [...targets, '', 'eth%d']) refuse('addPort', { type: 'netdev', target }, /^target "/);
    for (const target of ['', '%d', 'tap%d', 'abcdefghijklm%d']) read('addPort', { type: 'tap', target });
    refuse('addPort', { type: 'tap' }, /^target must be a text, got nothing/);
    refuse('addPort', { type: 'tap', target: 7 }, /got 7/);
    assert.deepEqual(read('addPort', { type: 'tap', target: 'abcdefghijklmno' }), {
      type: 'tap',
      target: 'abcdefghijklmno',
    });
  });

  it('takes a network namespace and a MAC address for a tap, and for nothing else', () => {
    const tap = { type: 'tap', target: 'tap0' };
    assert.deepEqual(read('addPort', { ...tap, options: { netns: 'blue', mac: '02:AB:00:00:00:01', user: null } }), {
      ...tap,
      options: { netns: 'blue', mac: '02:ab:00:00:00:01' },
    });
    read('addPort', { ...tap, options: { netns: '/proc/1/ns/net', insecure: false } });
    for (const netns of ['', '.', '..', 'a/b', 'a\0', 7]) {
      refuse('addPort', { ...tap, options: { netns } }, /^options\.netns /);
    }
    for (const mac of ['', '02:00:00:00:00', '02-00-00-00-00-01', '01:00:00:00:00:01', '00:00:00:00:00:00', 2]) {
      refuse('addPort', { ...tap, options: { mac } }, /^options\.mac /);
    }
    refuse('addPort', { ...tap, options: { user: 'me' } }, /^Only a client port takes options\.user/);
    refuse('addPort', { ...tap, options: { color: 'red' } }, /"options\.color"/);
    refuse('addPort', { ...tap, options: [] }, /options/);
    refuse('addPort', { type: 'netdev', target: 'eth1', options: { netns: 'blue' } }, /"options\.netns"/);
  });

  it('refuses what cannot be dialled', () => {
    const urls = [
      'http://a/',
      'ws:/a',
      'ws://',
      'a.example',
      'ws://a b/',
      'ws://a/\n',
      'ws://user@a/',
      'ws://:secret@a/',
      'ws://a/#x',
      'ws://a/#',
      `ws://a/${'x'.repeat(2048)}`,
    ];
    for (const target of urls) refuse('addPort', { type: 'client', target }, /^target "/);
    for (const target of ['ws://a', 'WSS://[2001:db8::1]:444/x', 'ws://127.0.0.1:80/?token=1']) {
      assert.deepEqual(read('addPort', { type: 'client', target }), { type: 'client', target });
    }
  });

  it('repeats no password of a URL', () => {
    for (const target of ['ws://ann:hunter2@a/', 'http://ann:hunter2@a/', 'ws://hunter2@a/ b']) {
      assert.throws(() => read('addPort', { type: 'client', target }), /^EtherwsError: target "\w+:\/\/\(hidden\)@a/);
    }
  });

  it('refuses a password without a user, and never repeats a password', () => {
    refuse('addPort', { type: 'client', target: 'ws://a/', options: { passwd: 'hunter2' } }, /without a user/);
    for (const passwd of ['hunter2\n', ['hunter2'], { hunter2: 1 }, `hunter2${'x'.repeat(2000)}`]) {
      assert.throws(
        () => read('addPort', { type: 'client', target: 'ws://a/', options: { user: 'ann', passwd } }),
        (error: EtherwsError) =>
          error.code === 'ARGUMENT_INVALID' && !`${error.message}${error.hint}`.includes('hunter2'),
      );
    }
    refuse('addPort', { type: 'client', target: 'ws://a/', options: { user: 'a:b', passwd: 'x' } }, /colon/);
  });

  it('refuses options for a device, and names what it does not know', () => {
    refuse('addPort', { type: 'tap', target: 'a', options: { insecure: true } }, /options\.insecure/);
    refuse('addPort', { type: 'client', target: 'ws://a/', options: { usr: 'x' } }, /"options\.usr"/);
    refuse('addPort', { type: 'tap', target: 'a', label: 'b' }, /Unknown parameter "label"/);
  });

  it('names the types that there are', () => {
    for (const type of ['server', 'memory', 'toString', '__proto__', undefined, 3, null]) {
      refuse('addPort', { type, target: 'a' }, /^No port of type/, 'PORT_TYPE_UNSUPPORTED');
    }
  });
});

describe('parameters of setInterface', () => {
  it('takes the fields of 1.x, and addresses in canonical text', () => {
    const params = { port: 1, address: '10.0.0.1', netmask: '255.255.255.0', mtu: 576, addresses: null };
    assert.deepEqual(read('setInterface', params), {
      port: 1,
      address: '10.0.0.1',
      netmask: '255.255.255.0',
      mtu: 576,
    });
    assert.deepEqual(read('setInterface', { port: 1, addresses: ['10.0.0.1/8', '2001:DB8:0::1/64'] }), {
      port: 1,
      addresses: ['10.0.0.1/8', '2001:db8::1/64'],
    });
  });

  it('refuses what no interface can have', () => {
    const bad = (change: object, message: RegExp): void =>
      refuse('setInterface', { port: 1, ...change }, message, 'ADDRESS_INVALID');
    bad({ address: '10.0.0' }, /10\.0\.0/);
    bad({ address: '10.0.0.1/24' }, /no IPv4 address/);
    bad({ address: '::1' }, /no IPv4 address/);
    bad({ netmask: '255.0.255.0' }, /contiguous/);
    bad({ addresses: ['10.0.0.1'] }, /no prefix length/);
    bad({ addresses: ['10.0.0.1/33'] }, /outside 1\.\.32/);
    for (const mtu of [575, 65_536, -1, 1500.5, '1500', Number.NaN, 1e300]) {
      refuse('setInterface', { port: 1, mtu }, /^mtu /);
    }
    refuse('setInterface', { port: 1, address: 'x'.repeat(1000) }, /longer than 64/);
    refuse('setInterface', { port: 1, addresses: new Array(65).fill('10.0.0.1/24') }, /65 items/);
    refuse('setInterface', { port: 1, addresses: '10.0.0.1/24' }, /must be a list/);
  });
});

describe('parameters of the other methods', () => {
  it('takes port numbers from 1 upward', () => {
    assert.deepEqual(read('delPort', { port: 1 }), { port: 1 });
    for (const method of ['setPort', 'delPort', 'setInterface'] as const) {
      assert.deepEqual(read(method, { port: '3' }), { port: 3 }, '1.x took decimal text');
    }
    for (const port of [
      0,
      -1,
      1.5,
      '',
      '0',
      '1.5',
      '0x1',
      ' 1',
      true,
      null,
      undefined,
      2 ** 53,
      Number.POSITIVE_INFINITY,
    ]) {
      refuse('delPort', { port }, /^port /);
    }
  });

  it('takes true, false, 1 and 0 for shut, and leaves the port as it is without', () => {
    assert.deepEqual(read('setPort', { port: 1, shut: 1 }), { port: 1, shut: true });
    assert.deepEqual(read('setPort', { port: 1, shut: false }), { port: 1, shut: false });
    assert.deepEqual(read('setPort', { port: 1, shut: null }), { port: 1 });
    for (const shut of ['0', 2, [], {}]) refuse('setPort', { port: 1, shut }, /^shut must be true or false/);
  });

  it('takes nothing, null, {} and [] where there are no parameters', () => {
    for (const method of ['listPort', 'listInterface', 'listFdb'] as const) {
      for (const params of [undefined, null, {}, []]) assert.deepEqual(read(method, params), {});
      refuse(method, { port: 1 }, /Unknown parameter "port"/);
      refuse(method, [1], /object of named values/);
    }
  });

  it('refuses parameters by position', () => {
    for (const method of ['addPort', 'setPort', 'delPort', 'setInterface'] as const) {
      refuse(method, [1], /^params must be an object of named values, got an array/);
      refuse(method, 'port=1', /^params must be an object of named values/);
    }
  });
});

describe('parameters of any method', () => {
  it('are read or refused by name, whatever comes, and come out as they went in', () => {
    const names = Object.keys(METHODS) as MethodName[];
    const key = fc.constantFrom(
      'port',
      'shut',
      'type',
      'target',
      'options',
      'mtu',
      'address',
      'addresses',
      '__proto__',
    );
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('tap', 'client', 'ws://a/', 1, '10.0.0.1', ['fd00::1/64']));
    const params = fc.oneof(fc.dictionary(key, value), fc.jsonValue());
    fc.assert(
      fc.property(fc.constantFrom(...names), params, (method, given) => {
        let result: unknown;
        try {
          result = read(method, given);
        } catch (error) {
          assert.equal((error as Error).name, 'EtherwsError');
          assert.notEqual((error as Error).message, '');
          return;
        }
        assert.deepEqual(read(method, result), result);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});

describe('how a client dials', () => {
  const dial = (options: object): unknown => {
    const spec = check(METHODS.addPort.params, { type: 'client', target: 'wss://a/', options });
    return (spec as { options?: unknown }).options;
  };
  const pin = `sha256//${Buffer.alloc(32).toString('base64')}`;

  for (const options of [
    { alternatives: ['wss://b/', 'ws://c/'], wait: false, reconnect: false },
    { reconnectMin: 0.5, reconnectMax: 3600 },
    { proxy: 'direct' },
    { proxy: 'http://me:x@proxy.example:3128' },
    { proxy: 'socks5h://127.0.0.1' },
    { token: 'abc.def-ghi_jkl~mno+pqr/stu==' },
    { headers: ['X-Site: a', 'X-Empty:'], servername: 'b.example', bindAddress: '192.0.2.1' },
    { bindAddress: 'fe80::1%eth0', bindDevice: 'eth1', fwmark: 0xffff_ffff },
    { alternatives: ['wss://[fe80::1%25eth0]/', 'wss://müller.example/'], preferFirst: 30 },
    { pin: `${pin};${pin}`, cert: '/a.crt', key: '/a.key', bindAddress: 'fd00::1' },
  ]) {
    it(`takes ${JSON.stringify(options)}`, () => assert.deepEqual(dial(options), options));
  }

  for (const [options, message] of [
    [{ alternatives: ['http://b/'] }, /alternatives\[0\]/],
    [{ alternatives: Array.from({ length: 17 }, () => 'ws://b/') }, /more than 16/],
    [{ reconnectMin: 0 }, /above 0/],
    [{ reconnectMin: '1' }, /number of seconds/],
    [{ reconnectMin: 61 }, /^options\.reconnectMin 61 is above options\.reconnectMax 60$/],
    [{ reconnectMax: 1e9 }, /86400/],
    [{ proxy: 'ftp://secret@a' }, /options\.proxy is neither/],
    [{ token: 'sec ret' }, /options\.token has a character/],
    [{ token: 'x', user: 'me' }, /exclude each other/],
    [{ headers: ['secret'] }, /NAME:VALUE/],
    [{ headers: ['Host: secret'] }, /belongs to the handshake/],
    [{ headers: ['sec-websocket-key: secret'] }, /belongs to the handshake/],
    [{ headers: ['Etherws-Switch: secret'] }, /belongs to the handshake/],
    [{ headers: ['X: secret\r\nY: z'] }, /no header field may have/],
    [{ headers: ['X Y: secret'] }, /no header field can have/],
    [{ servername: '192.0.2.1' }, /not the name of a host/],
    [{ bindAddress: 'eth0' }, /bindAddress "eth0" cannot be/],
    [{ bindAddress: '192.0.2.1%eth0' }, /only a link-local address has a zone/],
    [{ bindAddress: 'fe80::1%eth0%1' }, /only a link-local address has a zone/],
    [{ bindDevice: 'a/b' }, /bindDevice "a\/b"/],
    [{ fwmark: 0 }, /fwmark 0 is outside/],
    [{ fwmark: 2 ** 32 }, /fwmark 4294967296 is outside/],
    [{ alternatives: ['ws://a\u200b/'] }, /alternatives\[0\]/],
    [{ preferFirst: 30 }, /^options\.preferFirst was given with one URL only$/],
    [{ pin: 'sha256//AAAA' }, /pin "sha256/],
    [{ cert: '/a.crt' }, /needs its key/],
  ] as const) {
    it(`refuses ${JSON.stringify(options).slice(0, 60)}`, () => {
      assert.throws(
        () => dial(options),
        (error: Error) => {
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
  }
});

describe('results', () => {
  const port = { port: 1, type: 'tap', target: 'tap0', tx: 0, rx: 0, shut: false };

  it('of a 1.x switch are completed', () => {
    const [entry] = check(METHODS.listPort.result, { entries: [port] }, dottedNames('result')).entries;
    assert.deepEqual(entry, {
      ...port,
      state: 'up',
      reason: null,
      txOctets: 0,
      rxOctets: 0,
      txDiscards: {},
      rxDiscards: {},
      wire: null,
      roundTripMs: null,
      url: null,
      netns: null,
      name: null,
      description: null,
      rxFrameRate: 0,
      txFrameRate: 0,
      rxBitRate: 0,
      txBitRate: 0,
      queuedOctets: 0,
      queuedMs: 0,
      stations: 0,
      settings: {},
      config: null,
      network: 'default',
    });
  });

  it('of a newer switch keep what is not known here', () => {
    const result = check(
      METHODS.listPort.result,
      { entries: [{ ...port, colour: 'red' }], more: 1 },
      dottedNames('result'),
    );
    assert.equal((result.entries[0] as unknown as { colour: string }).colour, 'red');
    assert.equal((result as unknown as { more: number }).more, 1);
  });

  it('that make no sense are named by place', () => {
    assert.throws(
      () => check(METHODS.listPort.result, { entries: [port, { ...port, tx: -1 }] }, dottedNames('result')),
      {
        message: 'result.entries[1].tx -1 is below 0',
      },
    );
    assert.throws(
      () => check(METHODS.listFdb.result, {}, dottedNames('result')),
      /result\.entries must be a list, got nothing/,
    );
    assert.throws(() => check(METHODS.listFdb.result, null, dottedNames('result')), /result must be an object/);
  });
});
