import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { call, knock } from '../support/http.ts';
import { CertificateMaker } from '../support/openssl.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';
import { once, within } from '../support/waits.ts';

/** The number of attackers at the same time. */
const MANY = 20;
/** The beginning of a ClientHello of 512 octets, which is never completed. */
const HELLO_FRONT = Buffer.from('1603010200010001fc0303', 'hex');
const HEAD_FRONT = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: ';

/** Sends `front`, then single octets until the switch closes the connection. @returns the response */
async function dribble(t: TestContext, socket: Socket, front: string | Buffer): Promise<string> {
  t.after(() => socket.destroy());
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (bytes) => {
    answer += String(bytes);
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'encrypted' in socket ? 'secureConnect' : 'connect');
  socket.write(front);
  const timer = setInterval(() => socket.write('a'), 100);
  t.after(() => clearInterval(timer));
  await within(closed, `end by the server, which said ${answer}`);
  clearInterval(timer);
  return answer;
}

test('slowloris: TLS, heads and bodies that never end are cut, and others are served meanwhile', async (t) => {
  const missing = missingTools('openssl');
  if (missing !== false) return t.skip(missing);
  const maker = new CertificateMaker();
  t.after(() => maker.remove());
  const { keyFile, certFile } = maker.make({ name: 'lan', subjectAltName: 'IP:127.0.0.1', isAuthority: true });
  const services = ['--sslkey', keyFile, '--sslcert', certFile, '--ctlsslkey', keyFile, '--ctlsslcert', certFile];
  const ca = readFileSync(certFile);
  const lan = await SwitchProcess.start(t, [...services, '--handshake-timeout', '2'], {}, ca);

  const body =
    'POST /ctl HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{';
  const plain = (port: number): Socket => connect({ host: '127.0.0.1', port });
  const secure = (port: number): Socket => connectTls({ host: '127.0.0.1', port, ca });
  const cases: [string, (port: number) => Socket, string | Buffer, 'tunnels' | 'control', RegExp][] = [
    ['TLS that is never finished, tunnels', plain, HELLO_FRONT, 'tunnels', /^$/],
    ['TLS that is never finished, control', plain, HELLO_FRONT, 'control', /^$/],
    ['a head, tunnels', secure, HEAD_FRONT, 'tunnels', /^$/],
    ['a head, control', secure, HEAD_FRONT, 'control', /^$/],
    ['the body of a call', secure, body, 'control', /^HTTP\/1\.1 408 /],
  ];
  for (const [name, start, front, service, answer] of cases) {
    await t.test(name, async (t) => {
      const port = service === 'tunnels' ? lan.tunnelPort : lan.controlPort;
      const { handshakeTimeouts: before = 0 } = await lan.endpointCounters(service);
      const slow = Array.from({ length: MANY }, () => dribble(t, start(port), front));
      for (let honest = 0; honest < 5; honest++) {
        assert.equal((await call({ port: lan.controlPort, ca })).status, 200);
        assert.equal((await knock({ port: lan.tunnelPort, ca })).status, 101);
      }
      for (const text of await Promise.all(slow)) assert.match(text, answer);
      const { handshakeTimeouts, dawdled }: Record<string, number> = await lan.endpointCounters(service);
      assert.equal(handshakeTimeouts, before + MANY);
      assert.equal(dawdled, before + MANY, 'the former name of the counter');
    });
  }
});
