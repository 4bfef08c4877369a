import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dialTunnel } from '../../src/ports/tunnel/dial/dial-tunnel.ts';
import { TestDaemon } from '../support/daemon.ts';
import { eventually } from '../support/etherws.ts';
import { type CertificateFiles, CertificateMaker } from '../support/openssl.ts';
import { PortRecorder } from '../support/port-recorder.ts';
import { Process } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';

// A path in the sources, since the build copies no Python to `dist`.
const PEER = fileURLToPath(new URL('../../../test/support/peers/tls_closer.py', import.meta.url));

describe('a close_notify is answered by one', { skip: missingTools('openssl', 'python3') }, () => {
  let maker: CertificateMaker;
  let server: CertificateFiles;
  before(() => {
    maker = new CertificateMaker();
    server = maker.make({ name: 'server', subjectAltName: 'IP:127.0.0.1' });
  });
  after(() => maker.remove());

  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    test(`${version}: of a client of Python`, async (t) => {
      const running = await TestDaemon.start(t, { sslkey: server.keyFile, sslcert: server.certFile });
      const argv = ['client', version, server.certFile, String(running.tunnelPort)];
      const peer = new Process(['python3', PEER, ...argv], { isInteractive: true });
      t.after(() => peer.end());
      await peer.output(/open/);
      await eventually(
        () => Promise.resolve(running.log),
        (log) => log.some(({ message }) => message === 'port attached'),
      );
      peer.write('\n');
      const [said] = await peer.output(/.*answered.*/);
      assert.equal(said, 'answered');
      const lost = running.log.find(({ message }) => message === 'link changed');
      assert.match(JSON.stringify(lost), /closed by the peer without a close message/);
    });

    test(`${version}: of a server of Python`, async (t) => {
      const peer = new Process(['python3', PEER, 'server', version, server.certFile, server.keyFile], {
        isInteractive: true,
      });
      t.after(() => peer.end());
      const [, listenPort] = await peer.output(/port (\d+)/);
      const url = `wss://127.0.0.1:${listenPort}/`;
      const port = await dialTunnel({ url, cacerts: readFileSync(server.certFile) });
      const events = new PortRecorder();
      port.open(events);
      peer.write('\n');
      const [said] = await peer.output(/.*answered.*/);
      assert.equal(said, 'answered');
      assert.equal(events.linkChanges[0]?.reason, 'closed by the peer without a close message');
      await port.close('shutdown');
    });
  }
});
