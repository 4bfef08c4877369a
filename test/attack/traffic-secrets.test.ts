import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { missingAddon } from '../support/offload-addon.ts';
import { type CertificateFiles, CertificateMaker } from '../support/openssl.ts';
import { Process } from '../support/process.ts';
import { findInMemory } from '../support/process-memory.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';
import { PATIENCE_MS } from '../support/waits.ts';

const REQUEST = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

function expand(secret: Buffer, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.from([0, bytes, name.length, ...name, 0, 1]);
  return createHmac(secret.length === 48 ? 'sha384' : 'sha256', secret)
    .update(info)
    .digest()
    .subarray(0, bytes);
}

/** All secrets and keys of a connection, computed from its key log, by name. */
class Secrets {
  readonly #lines: (readonly [label: string, secret: Buffer])[];
  readonly #keyBytes: number;

  constructor(keyLog: string, keyBytes: number) {
    this.#keyBytes = keyBytes;
    this.#lines = keyLog
      .split('\n')
      .map((line) => /^([A-Z0-9_]+) [0-9a-f]+ ([0-9a-f]+)$/.exec(line))
      .flatMap((match) => (match === null ? [] : [[match[1] ?? '', Buffer.from(match[2] ?? '', 'hex')] as const]));
  }

  get labels(): string[] {
    return this.#lines.map(([label]) => label);
  }

  /** The secrets as hexadecimal text: in both cases, and in both widths of V8's strings. */
  texts(): Map<string, Buffer> {
    const texts = new Map<string, Buffer>();
    for (const [label, secret] of this.#lines) {
      for (const hex of [secret.toString('hex'), secret.toString('hex').toUpperCase()]) {
        texts.set(`${label} as text ${hex.slice(0, 2)}`, Buffer.from(hex, 'latin1'));
        texts.set(`${label} as wide text ${hex.slice(0, 2)}`, Buffer.from(hex, 'utf16le'));
      }
    }
    return texts;
  }

  octets(): Map<string, Buffer> {
    return new Map(this.#lines);
  }

  /** One generation of keys: its secret, or the key or IV of it. */
  generation(number: number, kind: 'secret' | 'key' | 'iv'): Map<string, Buffer> {
    const made = new Map<string, Buffer>();
    for (const [label, first] of this.#lines) {
      if (!label.endsWith('_TRAFFIC_SECRET_0')) continue;
      let secret = first;
      for (let update = 0; update < number; update++) secret = expand(secret, 'traffic upd', secret.length);
      made.set(
        `${kind} ${number} of ${label}`,
        kind === 'secret' ? secret : expand(secret, kind, kind === 'iv' ? 12 : this.#keyBytes),
      );
    }
    return made;
  }
}

function joined(...maps: readonly ReadonlyMap<string, Buffer>[]): Map<string, Buffer> {
  return new Map(maps.flatMap((map) => [...map]));
}

/** Waits until none of them is in the memory of the switch. A search takes long, so its beginning counts. */
async function expectGone(pid: number, when: string, needles: ReadonlyMap<string, Buffer>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const isLast = Date.now() > end;
    const found = findInMemory(pid, needles);
    if (found.size === 0) return;
    assert.ok(!isLast, `${when}: still in memory: ${[...found].join(', ')}`);
    await delay(100);
  }
}

/** Waits until all of them are in the memory of the switch. */
async function expectThere(pid: number, when: string, needles: ReadonlyMap<string, Buffer>): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = findInMemory(pid, needles);
    if (found.size === needles.size) return;
    assert.ok(Date.now() < end, `${when}: not in memory: ${[...needles.keys()].filter((name) => !found.has(name))}`);
    await delay(100);
  }
}

describe('what a switch keeps of the secrets of TLS', { skip: missingAddon() || missingTools('openssl') }, () => {
  let maker: CertificateMaker;
  let server: CertificateFiles;
  before(() => {
    maker = new CertificateMaker();
    server = maker.make({ name: 'server', subjectAltName: 'IP:127.0.0.1' });
  });
  after(() => maker.remove());

  /** The far end of a tunnel of the switch: s_client or s_server, and the log of its keys. */
  interface Far {
    readonly program: Process;
    readonly keyLog: string;
  }

  async function dialledBy(t: TestContext, running: SwitchProcess, ...options: readonly string[]): Promise<Far> {
    const keyLog = maker.path(`client${options.join('')}.keys`);
    const to = ['-connect', `127.0.0.1:${running.tunnelPort}`, '-keylogfile', keyLog, ...options];
    const program = new Process(['openssl', 's_client', ...to], { isInteractive: true });
    t.after(() => program.end());
    await program.output(/Verify return code/);
    program.write(REQUEST);
    await program.output(/101 Switching/);
    return { program, keyLog };
  }

  async function dialledAt(t: TestContext, running: SwitchProcess, ...options: readonly string[]): Promise<Far> {
    const keyLog = maker.path(`server${options.join('')}.keys`);
    const files = ['-key', server.keyFile, '-cert', server.certFile, '-keylogfile', keyLog];
    const command = ['openssl', 's_server', '-accept', '127.0.0.1:0', ...files, ...options];
    const program = new Process(command, { isInteractive: true });
    t.after(() => program.end());
    const [, port] = await program.output(/ACCEPT 127\.0\.0\.1:(\d+)/);
    const added = running.call('addPort', {
      type: 'client',
      target: `wss://127.0.0.1:${port}/`,
      options: { cacerts: server.certFile, reconnect: false },
    });
    const [, key] = await program.output(/Sec-WebSocket-Key: (\S+)/);
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
    program.write([...head, `Sec-WebSocket-Accept: ${accept}`, '\r\n'].join('\r\n'));
    await added;
    return { program, keyLog };
  }

  for (const [role, connected] of [
    ['accepted', dialledBy],
    ['dialled', dialledAt],
  ] as const) {
    for (const [suite, keyBytes, aes] of [
      ['TLS_AES_128_GCM_SHA256', 16, 'auto'],
      ['TLS_AES_256_GCM_SHA384', 32, 'openssl'],
      ['TLS_CHACHA20_POLY1305_SHA256', 32, 'auto'],
    ] as const) {
      test(`a tunnel that was ${role}, ${suite}: the keys in use and the secrets of the next ones`, async (t) => {
        const tls = ['--sslkey', server.keyFile, '--sslcert', server.certFile];
        const running = await SwitchProcess.start(t, [...tls, '--aes', aes]);
        const pid = running.process.pid ?? 0;
        const { program, keyLog } = await connected(t, running, '-tls1_3', '-ciphersuites', suite);
        await running.process.output(/"transport":"native-tls"/);
        const secrets = new Secrets(readFileSync(keyLog, 'latin1'), keyBytes);
        assert.ok(secrets.labels.includes('CLIENT_HANDSHAKE_TRAFFIC_SECRET'), secrets.labels.join());
        await expectGone(pid, 'behind the handshake', joined(secrets.texts(), secrets.octets()));
        const inUse = findInMemory(pid, secrets.generation(0, 'key'));
        if (suite !== 'TLS_CHACHA20_POLY1305_SHA256') assert.equal(inUse.size, 2, 'the scan finds what is there');

        for (let update = 1; update <= 2; update++) {
          program.write('K\n');
          // The update is done in both directions when the secrets of the next keys are in memory.
          await expectThere(pid, `behind update ${update}`, secrets.generation(update + 1, 'secret'));
          const old = [
            secrets.generation(update - 1, 'key'),
            secrets.generation(update - 1, 'iv'),
            secrets.generation(update, 'secret'),
          ];
          await expectGone(pid, `behind update ${update}`, joined(...old, secrets.texts(), secrets.octets()));
        }

        program.write('Q\n');
        await running.process.output(/"link changed"/);
        const all = [0, 1, 2, 3].flatMap((number) => [
          secrets.generation(number, 'key'),
          secrets.generation(number, 'secret'),
          secrets.generation(number, 'iv'),
        ]);
        await expectGone(pid, 'behind the end', joined(...all, secrets.texts(), secrets.octets()));
      });
    }

    test(`a tunnel that was ${role}, TLS 1.2: no text, and nothing behind the end`, async (t) => {
      const running = await SwitchProcess.start(t, ['--sslkey', server.keyFile, '--sslcert', server.certFile]);
      const pid = running.process.pid ?? 0;
      const { program, keyLog } = await connected(t, running, '-tls1_2');
      await running.process.output(/"transport":"node"/);
      const secrets = new Secrets(readFileSync(keyLog, 'latin1'), 16);
      assert.deepEqual(secrets.labels, ['CLIENT_RANDOM']);
      await expectGone(pid, 'behind the handshake', secrets.texts());
      program.write('Q\n');
      await running.process.output(/"link changed"/);
      await expectGone(pid, 'behind the end', joined(secrets.texts(), secrets.octets()));
    });
  }
});
