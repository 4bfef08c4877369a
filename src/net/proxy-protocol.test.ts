import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { isIP } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type BinaryHeader, binaryHeader, INET_BODY, inet6Body } from '../../test/support/proxy-headers.ts';
import { MAX_PROXY_HEADER_BYTES, type ProxiedSource, readProxyHeader } from './proxy-protocol.ts';

const FILLED = Buffer.alloc(64, 0xaa);

function present(bytes: Uint8Array, source: ProxiedSource | undefined, name?: string): void {
  const behind = Buffer.from('GET / HTTP/1.1\r\n');
  for (const given of [bytes, Buffer.concat([bytes, behind])]) {
    assert.deepEqual(readProxyHeader(given), { kind: 'present', length: bytes.length, source }, name);
  }
  // Octet by octet it is nothing but incomplete.
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(readProxyHeader(bytes.subarray(0, length)).kind, 'incomplete', `${name}: ${length} octets`);
  }
}

function malformed(bytes: Uint8Array, reason: RegExp, name?: string): void {
  const header = readProxyHeader(bytes);
  assert.equal(header.kind, 'malformed', name);
  if (header.kind === 'malformed') assert.match(header.reason, reason, name);
}

describe('version 1', () => {
  const longest = `PROXY UNKNOWN ${'f'.repeat(107 - 16)}\r\n`;

  for (const [line, address, tcpPort] of [
    ['PROXY TCP4 192.0.2.9 10.0.0.1 56324 443\r\n', '192.0.2.9', 56_324],
    ['PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n', '255.255.255.255', 65_535],
    ['PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n', '0.0.0.0', 0],
    ['PROXY TCP6 2001:DB8:0::9 ::1 56324 443\r\n', '2001:db8::9', 56_324],
    ['PROXY TCP6 ::ffff:192.0.2.9 ::ffff:c000:201 1 2\r\n', '192.0.2.9', 1],
    [
      `PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      65_535,
    ],
  ] as const) {
    test(line.trim(), () => present(Buffer.from(line), { address, tcpPort }));
  }

  test('of an unknown client', () => {
    for (const line of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN ffff::1 what ever\r\n', longest]) {
      present(Buffer.from(line), undefined, line);
    }
    assert.equal(longest.length, 107);
  });

  for (const [line, reason] of [
    ['PROXY \r\n', /family/],
    ['PROXY TCP5 192.0.2.9 10.0.0.1 1 2\r\n', /family/],
    ['PROXY tcp4 192.0.2.9 10.0.0.1 1 2\r\n', /family/],
    ['PROXY UNKNOWNS\r\n', /family/],
    ['PROXY  TCP4 192.0.2.9 10.0.0.1 1 2\r\n', /family/],
    ['PROXY / HTTP/1.1\r\n', /family/],
    ['PROXY TCP4 192.0.2.9  10.0.0.1 1 2\r\n', /address/],
    ['PROXY TCP4 192.0.2.09 10.0.0.1 1 2\r\n', /address/],
    ['PROXY TCP4 192.0.2.256 10.0.0.1 1 2\r\n', /address/],
    ['PROXY TCP4 ::1 ::1 1 2\r\n', /address/],
    ['PROXY TCP6 192.0.2.9 10.0.0.1 1 2\r\n', /address/],
    ['PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n', /address/],
    ['PROXY TCP4 192.0.2.9 10.0.0 1 2\r\n', /address/],
    ['PROXY TCP4\r\n', /address/],
    ['PROXY TCP4 192.0.2.9 10.0.0.1 65536 2\r\n', /ports/],
    ['PROXY TCP4 192.0.2.9 10.0.0.1 1 -2\r\n', /ports/],
    ['PROXY TCP4 192.0.2.9 10.0.0.1 01 2\r\n', /ports/],
    ['PROXY TCP4 192.0.2.9 10.0.0.1 1\r\n', /ports/],
    ['PROXY TCP4 192.0.2.9 10.0.0.1 1 2 3\r\n', /ports/],
    ['PROXY TCP4 192.0.2.9 10.0.0.1 1 2\n', /without CR/],
    [longest.replace('\r', 'f\r'), /longer than 107/],
    [`PROXY TCP4 ${'1'.repeat(200)}`, /longer than 107/],
  ] as const) {
    test(`not ${JSON.stringify(line.slice(0, 60))}`, () => malformed(Buffer.from(line), reason));
  }
});

describe('version 2', () => {
  const groups = [0x2001, 0xdb8, 0, 0, 0, 0, 0, 9];
  const cases: [string, BinaryHeader, ProxiedSource | undefined][] = [
    ['TCP over IPv4', {}, { address: '192.0.2.9', tcpPort: 56_324 }],
    [
      'TCP over IPv6',
      { family: 0x21, body: inet6Body(groups, groups, [1, 2]) },
      { address: '2001:db8::9', tcpPort: 1 },
    ],
    [
      'an IPv4 client of a dual-stack proxy',
      { family: 0x21, body: inet6Body([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0209], groups, [1, 2]) },
      { address: '192.0.2.9', tcpPort: 1 },
    ],
    [
      'with more behind the addresses',
      { body: Buffer.concat([INET_BODY, FILLED]) },
      { address: '192.0.2.9', tcpPort: 56_324 },
    ],
    ['LOCAL, empty', { command: 0x20, family: 0, body: Buffer.alloc(0) }, undefined],
    ['LOCAL, with whatever it says', { command: 0x20, family: 0xff, body: FILLED }, undefined],
    ['UNSPEC', { family: 0x00, body: Buffer.alloc(0) }, undefined],
    ['UNSPEC, with whatever follows', { family: 0x00, body: FILLED }, undefined],
    ['a Unix socket', { family: 0x31, body: Buffer.alloc(216) }, undefined],
    ['UDP over IPv4', { family: 0x12 }, undefined],
  ];
  for (const [name, header, source] of cases) test(name, () => present(binaryHeader(header), source, name));

  test('as long as it may be, and one octet more', () => {
    const body = Buffer.concat([INET_BODY, Buffer.alloc(MAX_PROXY_HEADER_BYTES - 16 - INET_BODY.length)]);
    present(binaryHeader({ body }), { address: '192.0.2.9', tcpPort: 56_324 });
    malformed(binaryHeader({ body: Buffer.alloc(0), length: MAX_PROXY_HEADER_BYTES - 15 }), /longer than 2048/);
    malformed(binaryHeader({ command: 0x20, body: Buffer.alloc(0), length: 0xffff }), /longer than 2048/);
  });

  const bad: [string, BinaryHeader, RegExp][] = [
    ['another version', { command: 0x11 }, /version 1/],
    ['another command', { command: 0x22 }, /command is 2/],
    ['another family', { family: 0x41 }, /family and protocol are 4 and 1/],
    ['another protocol', { family: 0x13 }, /family and protocol are 1 and 3/],
    ['too short for IPv4', { body: INET_BODY.subarray(1) }, /too short/],
    ['too short for IPv6', { family: 0x21, body: Buffer.alloc(35) }, /too short/],
  ];
  for (const [name, header, reason] of bad) test(`not ${name}`, () => malformed(binaryHeader(header), reason, name));
});

describe('what is no header', () => {
  test('no HTTP request passes for one, at no octet', () => {
    for (const method of METHODS) {
      const request = Buffer.from(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      for (let length = 1; length <= request.length; length++) {
        const { kind } = readProxyHeader(request.subarray(0, length));
        const isUndecided = 'PROXY '.startsWith(request.toString('latin1', 0, length));
        assert.equal(kind, isUndecided ? 'incomplete' : 'absent', `${method}, ${length} octets`);
      }
    }
  });

  test('a TLS handshake is known by its first octet, and an empty line in front of a request by its third', () => {
    assert.equal(readProxyHeader(Buffer.of(0x16)).kind, 'absent');
    assert.equal(readProxyHeader(Buffer.from('\r\nG')).kind, 'absent');
    assert.equal(readProxyHeader(Buffer.from('\r\n\r\nG')).kind, 'absent');
  });
});

test('any client that a proxy names is read as that client, in both versions', () => {
  const port = fc.nat({ max: 65_535 });
  fc.assert(
    fc.property(
      fc.oneof(fc.ipV4(), fc.ipV6()),
      fc.boolean(),
      port,
      fc.uint8Array({ maxLength: 40 }),
      (ip, isText, tcpPort, behind) => {
        const isIpv6 = isIP(ip) === 6;
        const url = isIpv6 ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip;
        const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/
          .exec(url)
          ?.slice(1)
          .map((group) => Number.parseInt(group, 16));
        const address = mapped === undefined ? url : mapped.flatMap((group) => [group >> 8, group & 0xff]).join('.');
        const header = isText
          ? Buffer.from(`PROXY TCP${isIpv6 ? 6 : 4} ${ip} ${ip} ${tcpPort} 1\r\n`)
          : binaryHeader(
              isIpv6
                ? { family: 0x21, body: inet6Body(groupsOf(url), groupsOf(url), [tcpPort, 1]) }
                : { body: inetBody(ip, tcpPort) },
            );
        const read = readProxyHeader(Buffer.concat([header, behind]));
        assert.deepEqual(read, { kind: 'present', length: header.length, source: { address, tcpPort } });
      },
    ),
  );
});

function groupsOf(canonical: string): number[] {
  const [head = '', tail] = canonical.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const all = [...head, ...Array<string>(8 - head.length - (tail?.length ?? 0)).fill('0'), ...(tail ?? [])];
  return all.map((group) => Number.parseInt(group, 16));
}

function inetBody(ip: string, tcpPort: number): Buffer {
  const octets = ip.split('.').map(Number);
  return Buffer.from([...octets, ...octets, tcpPort >> 8, tcpPort & 0xff, 0, 1]);
}
