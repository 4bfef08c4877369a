import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { parse } from 'yaml';
import { TYPED } from '../cli/sw-options.ts';
import { EtherwsError } from '../errors.ts';
import { SW_GROUPS } from '../schema/sw-options.ts';
import type { Row } from '../schema/table.ts';
import { ConfigFile } from './config-file.ts';
import { ConfigInvalid } from './config-invalid.ts';
import { fileJsonSchema } from './file-json-schema.ts';
import { fileKey, rowName } from './key-names.ts';
import { readConfig, type SwConfig } from './sw-config.ts';

const directory = mkdtempSync(join(tmpdir(), 'etherws-config-file-'));
after(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

function read(text: string, typed: Record<string, unknown> = {}): SwConfig {
  const file = new ConfigFile(write('etherws.yaml', text));
  return readConfig(file.documentWith(typed), file.writtenWith(typed, TYPED));
}

/** The errors of a file, without its directory. */
function errorsOf(text: string, typed: Record<string, unknown> = {}): readonly string[] {
  try {
    read(text, typed);
  } catch (error) {
    if (error instanceof ConfigInvalid) return error.lines.map((line) => line.replaceAll(`${directory}/`, ''));
    throw error;
  }
  assert.fail('the file is valid');
}

const EVERY_ERROR = `ageuot: 300
ageout: soon
fdbSize: 9
tunnels:
  port: 70000
  sslkey: none.pem
control: {ctl-anybody: true, path: ctl}
limits: 5
ports:
  - type: tap
    target: tap0
    name: a
    mtu: 12
  - type: tap
    target: tap0
    shutt: true
  - type: server
    target: x
  - type: client
    target: ws://a/
    name: a
    options: {passwd: secret-4711, reconnect-min: 99, reconnect-max: 2}
  - {type: client, target: "http://user:secret-4711@a/"}
`;

describe('a configuration file', () => {
  test('tells all of its errors at once, each with its place, what it is, what was expected, and what was got', () => {
    const lines = errorsOf(EVERY_ERROR);
    assert.deepEqual(
      lines.map((line) => line.slice(0, 110)),
      [
        'etherws.yaml:1:1: unknown key "ageuot": did you mean ageout?',
        'etherws.yaml:2:9: ageout must be a number of seconds above 0 and up to 1000000, got "soon"',
        'etherws.yaml:3:1: unknown key "fdbSize": did you mean fdb-size?',
        'etherws.yaml:5:9: tunnels.port must be a whole number from 0 to 65535, got 70000',
        'etherws.yaml:6:11: tunnels.sslkey needs tunnels.sslcert, too. TLS needs the private key and its certificate',
        'etherws.yaml:6:11: tunnels.sslkey: cannot read "none.pem": there is no such file. Check the path and its permi',
        'etherws.yaml:7:11: unknown key "ctl-anybody": there are path, host, port, htpasswd, tokenkeys, tokenaudience, ',
        'etherws.yaml:7:36: control.path must begin with "/", got "ctl"',
        'etherws.yaml:8:9: limits must be an object of named values, got 5',
        'etherws.yaml:13:10: ports[0].mtu 12 is outside 576..65535',
        'etherws.yaml:15:13: ports[1].target "tap0" is that of the port at etherws.yaml:11:13, too',
        'etherws.yaml:16:5: unknown key "shutt": did you mean shut?',
        'etherws.yaml:17:11: No port of type "server" can be added. A server port comes up when a tunnel is accepted',
        'etherws.yaml:21:11: ports[3].name "a" is that of the port at etherws.yaml:12:11, too',
        'etherws.yaml:22:14: A password was given without a user. Give the user, too',
        'etherws.yaml:22:51: ports[3].options.reconnect-min 99 is above ports[3].options.reconnect-max 2. Give both',
        'etherws.yaml:23:28: ports[4].target "http://(hidden)@a/" is not a ws:// or wss:// URL',
      ],
    );
    assert.doesNotMatch(lines.join(), /4711/);
  });

  test('with an option that has no value says so, since it would count as left out; a section may be empty', () => {
    assert.deepEqual(errorsOf('tunnels:\n  htpasswd:\npolicy: ~\nports:\n  - {type: tap, target: a, name: }\n'), [
      'etherws.yaml:2:3: tunnels.htpasswd has no value: give it one, or take the key out',
      'etherws.yaml:3:1: policy has no value: give it one, or take the key out',
      'etherws.yaml:5:28: ports[0].name has no value: give it one, or take the key out',
    ]);
    assert.match(
      errorsOf('tunnels: {htpasswd: *users}').join('\n'),
      /^etherws\.yaml:1:21: there is no anchor &users$/m,
    );
    assert.equal(read('tunnels:\nlimits:\nports:\n').ports.length, 0);
  });

  test('that is no YAML, or no mapping, says where', () => {
    assert.deepEqual(errorsOf('[1, 2]'), [
      'etherws.yaml:1:1: the file must be a mapping of sections and keys, got an array',
    ]);
    assert.match(errorsOf('ageout: [').join(), /^etherws\.yaml:1:\d+: Flow sequence/);
    assert.deepEqual(errorsOf('ageout: 1\nageout: 2'), ['etherws.yaml:2:1: Map keys must be unique']);
  });

  test('that is empty is a switch of defaults', () => {
    assert.equal(read('').ageingTimeMs, 300_000);
    assert.equal(read('# nothing\n').control.listenPort, 7867);
  });

  test('has a key for every option of the command line, and means the same by it', () => {
    for (const { section, table } of SW_GROUPS) {
      for (const [name, row] of Object.entries<Row>(table)) {
        const key = fileKey(name);
        assert.equal(rowName(key), name);
        // Invalid for any option; that this is the error shows that the key is known.
        const wrong = row.flag === '--tunnel-setting' ? '5' : '{a: 1}';
        const lines = errorsOf(section === undefined ? `${key}: ${wrong}` : `${section}: {${key}: ${wrong}}`);
        assert.doesNotMatch(lines.join(), /unknown key/, `${row.flag}`);
        assert.match(lines.join(), new RegExp(`${section === undefined ? '' : `${section}\\.`}${key} must be`));
      }
    }
  });

  test('counts behind what was typed, key by key, and errors name what was typed as such', () => {
    const text = 'tunnels: {port: 8000, path: /a}\nlimits: {trusted-proxies: ["10.0.0.0/8"]}';
    const { tunnels, trustedProxies } = read(text, { tunnels: { port: 9000 }, limits: { trustedProxies: ['::1'] } });
    assert.deepEqual([tunnels.listenPort, tunnels.path], [9000, '/a']);
    assert.deepEqual(trustedProxies, [{ address: '::1', prefixLength: 128 }]);
    assert.throws(() => read(text, { tunnels: { port: 70_000 } }), {
      code: 'ARGUMENT_INVALID',
      message: '--port must be a whole number from 0 to 65535, got "70000"',
    });
    assert.deepEqual(errorsOf('tunnels: {sslcert: etherws.yaml}'), [
      'etherws.yaml:1:20: tunnels.sslcert needs tunnels.sslkey, too. TLS needs the private key and its certificate',
    ]);
  });

  test('names files from where it stands, and secrets by files', () => {
    write('pw', 'secret');
    const { ports, logFile } = read(`
daemon: {logfile: log/x.log}
ports:
  - type: client
    target: ws://a/
    name: up
    options: {user: ann, passwd-file: pw, cacerts: pw}
`);
    assert.equal(logFile, join(directory, 'log/x.log'));
    assert.deepEqual(ports, [
      {
        id: 'name up',
        spec: {
          type: 'client',
          target: 'ws://a/',
          name: 'up',
          options: { wait: false, user: 'ann', cacerts: join(directory, 'pw') },
        },
        secretFiles: { passwd: join(directory, 'pw') },
        settings: {},
        place: `${join(directory, 'etherws.yaml')}:4:5`,
      },
    ]);
  });
});

describe('include', () => {
  mkdirSync(join(directory, 'ports.d'));

  test('appends the ports of the files in the order of their names, and keeps their places', () => {
    write('ports.d/b.yaml', 'ports: [{type: tap, target: b0}]');
    write('ports.d/a.yaml', 'limits: {max-tunnels: 7}\nports: [{type: tap, target: a0}]');
    write('ports.d/c.txt', 'nothing of ours');
    const { ports, limits } = read('include: ports.d\nports: [{type: netdev, target: eth0}]');
    assert.deepEqual(
      ports.map(({ spec, place }) => [spec.target, place.replace(`${directory}/`, '')]),
      [
        ['eth0', 'etherws.yaml:2:9'],
        ['a0', 'ports.d/a.yaml:2:9'],
        ['b0', 'ports.d/b.yaml:1:9'],
      ],
    );
    assert.equal(limits.maxTunnels, 7);
  });

  test('what stands twice is told with both places', () => {
    write('ports.d/a.yaml', 'ageout: 2\nports: [{type: tap, target: b0}]');
    assert.deepEqual(errorsOf('ageout: 1\ninclude: ports.d'), [
      'ports.d/a.yaml:1:1: ageout stands at etherws.yaml:1:1 already',
    ]);
    assert.deepEqual(errorsOf('include: ports.d'), [
      'ports.d/b.yaml:1:29: ports[1].target "b0" is that of the port at ports.d/a.yaml:2:29, too',
    ]);
    write('ports.d/a.yaml', 'include: .');
    assert.deepEqual(errorsOf('include: ports.d'), ['ports.d/a.yaml:1:1: include may stand in the first file only']);
    assert.match(
      errorsOf('include: none.d').join(),
      /^etherws\.yaml:1:10: include: cannot read the directory "none\.d"/,
    );
  });
});

test('JSON Schema takes what is valid, and refuses what it can say of what is not', () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(fileJsonSchema());
  for (const text of [
    'ageout: 300\ntunnels: {origins: ["*"], client-ca: x, sslkey: y, sslcert: z}\nlimits: {max-per-user: 3}',
    'ports: [{type: tap, target: tap0, mtu: 1400, addresses: [10.0.0.1/24], options: {netns: blue}}]',
    'ports: [{type: client, target: "ws://a/", shut: true, options: {reconnect-min: 2, user: a, passwd-file: x}}]',
  ]) {
    assert.ok(validate(parse(text)), `${text}: ${JSON.stringify(validate.errors)}`);
  }
  for (const text of [
    'ageuot: 300',
    'tunnels: {port: 70000}',
    'tunnels: {clientCa: x}',
    'tunnels: {sslkey: x}',
    'ports: [{type: tap}]',
    'ports: [{type: tap, target: a, options: {user: a}}]',
  ]) {
    assert.ok(!validate(parse(text)), text);
  }
});

test('whatever stands in a file, the answer is a configuration or an error with a place', () => {
  const piece = fc.constantFrom(
    ...['ageout', 'tunnels', 'ports', 'port', 'type: tap', 'target', 'options', 'include', ': ', '- ', '\n', '\n  '],
    ...['{', '}', '[', ']', ', ', '&a ', '*a', '"', '1', '300', 'null', '~', '# ', '!!set', '? ', '|', '__proto__'],
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 20 }), (pieces) => {
      try {
        assert.ok(read(pieces.join('')).ageingTimeMs > 0);
      } catch (error) {
        assert.ok(error instanceof EtherwsError, String(error));
        for (const line of error instanceof ConfigInvalid ? error.lines : []) assert.match(line, /^\S+:\d+:\d+: ./);
      }
    }),
    { numRuns: 1000 },
  );
});
