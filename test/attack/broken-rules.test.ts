import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { type BrokenRule, brokenRules, brokenStream } from '../support/broken-rules.ts';
import { rawFrame } from '../support/message-stream.ts';
import { CertificateMaker } from '../support/openssl.ts';
import { frameOf } from '../support/peer-frames.ts';
import { RawTunnel } from '../support/raw-tunnel.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';
import { once } from '../support/waits.ts';
import { listen } from '../support/web-socket-peer.ts';

const MAX_MESSAGE_BYTES = 70_000;
/** The limit of a message for a client port; `--max-message` is only for accepted tunnels. */
const DEFAULT_MAX_MESSAGE_BYTES = 256 * 1024;
const KEY = Buffer.from('37fa213d', 'hex');
const FRAME = frameOf({ from: '02:00:00:00:00:0a', payload: 'a good frame in front' });

/** Breaks each rule on a new tunnel, after a valid message. */
async function breakAll(
  t: TestContext,
  isFromClient: boolean,
  maxMessageBytes: number,
  open: (t: TestContext) => Promise<RawTunnel>,
): Promise<void> {
  const good = rawFrame({ opcode: 2, payload: FRAME, ...(isFromClient ? { key: KEY } : {}) });
  for (const rule of brokenRules(maxMessageBytes)) {
    const stream = Buffer.concat([good, brokenStream(rule, isFromClient)]);
    for (const [how, cutAt] of [
      ['in one piece', stream.length],
      ['cut behind its first octet', good.length + 1],
    ] as const) {
      await t.test(`${rule.code} for ${rule.name}, ${how}`, async (t) => {
        assert.equal(await codeFor(await open(t), rule, stream, cutAt), rule.code);
      });
    }
  }
}

async function codeFor(
  tunnel: RawTunnel,
  rule: BrokenRule,
  stream: Buffer,
  cutAt: number,
): Promise<number | undefined> {
  tunnel.socket.setNoDelay();
  await tunnel.send(stream.subarray(0, cutAt));
  await tunnel.send(stream.subarray(cutAt));
  const code = await tunnel.closeCode();
  assert.notEqual(code, undefined, `${rule.name}: the tunnel ended without a close message`);
  return code;
}

/** Has the switch dial a server that accepts one opening handshake. @returns the server's end of the tunnel */
async function dialled(t: TestContext, lan: SwitchProcess): Promise<RawTunnel> {
  const server = createServer();
  t.after(() => server.close());
  const port = await listen(server);
  const target = `ws://127.0.0.1:${port}/`;
  const [[socket]] = (await Promise.all([
    once(server, 'connection'),
    lan.call('addPort', { type: 'client', target, options: { wait: false, reconnect: false } }),
  ])) as [[Socket], unknown];
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  let head = '';
  while (!head.includes('\r\n\r\n')) head += String(((await once(socket, 'data')) as [Buffer])[0]);
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? '';
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const answer = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
  socket.write(`${[...answer, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`);
  return RawTunnel.upgraded(socket);
}

describe('every broken rule ends its tunnel with its close code, on the path that tunnels take', () => {
  test('from a client over ws', async (t) => {
    const lan = await SwitchProcess.start(t, ['--max-message', String(MAX_MESSAGE_BYTES)]);
    await breakAll(t, true, MAX_MESSAGE_BYTES, (t) => RawTunnel.open(t, lan.tunnelPort));
  });

  test('from a client over wss', { skip: missingTools('openssl') }, async (t) => {
    const certificates = new CertificateMaker();
    t.after(() => certificates.remove());
    const { keyFile, certFile } = certificates.make({ name: 'lan', subjectAltName: 'IP:127.0.0.1' });
    const tls = ['--sslkey', keyFile, '--sslcert', certFile];
    const lan = await SwitchProcess.start(t, ['--max-message', String(MAX_MESSAGE_BYTES), ...tls]);
    const ca = readFileSync(certFile);
    await breakAll(t, true, MAX_MESSAGE_BYTES, (t) =>
      RawTunnel.over(t, connect({ host: '127.0.0.1', port: lan.tunnelPort, ca })),
    );
  });

  test('from a server over ws', async (t) => {
    const lan = await SwitchProcess.start(t);
    await breakAll(t, false, DEFAULT_MAX_MESSAGE_BYTES, (t) => dialled(t, lan));
  });
});
