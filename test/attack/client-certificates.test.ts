import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, type RequestOptions } from 'node:https';
import { after, before, describe, type TestContext, test } from 'node:test';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { TestDaemon } from '../support/daemon.ts';
import { beforeExpiry, behindExpiry } from '../support/expiry.ts';
import { call, knock } from '../support/http.ts';
import { type CertificateFiles, CertificateMaker } from '../support/openssl.ts';
import { missingTools } from '../support/tools.ts';
import { once } from '../support/waits.ts';

type Service = 'tunnels' | 'control';
const SERVICES: readonly Service[] = ['tunnels', 'control'];
const VERSIONS: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];
/** The status for an authorized client. */
const LET_IN: Readonly<Record<Service, number>> = { tunnels: 101, control: 200 };

describe('a client certificate is judged at every opening', { skip: missingTools('openssl') }, () => {
  let maker: CertificateMaker;
  let server: CertificateFiles;
  let clients: CertificateFiles;
  let others: CertificateFiles;
  let ca: Buffer;
  before(() => {
    maker = new CertificateMaker();
    server = maker.make({ name: 'server', subjectAltName: 'IP:127.0.0.1,DNS:localhost' });
    clients = maker.make({ name: 'clients', isAuthority: true });
    others = maker.make({ name: 'others', isAuthority: true });
    ca = readFileSync(server.certFile);
  });
  after(() => maker.remove());

  /** Starts both services, which accept certificates of one authority. */
  async function start(t: TestContext, clientCa: string): Promise<TestDaemon> {
    const [sslkey, sslcert] = [server.keyFile, server.certFile];
    const tls = { sslkey, sslcert, ctlsslkey: sslkey, ctlsslcert: sslcert };
    return TestDaemon.start(t, { ...tls, clientCa, ctlclientCa: clientCa, ctlhost: '127.0.0.1' });
  }

  function as(files: CertificateFiles, ...intermediates: readonly CertificateFiles[]): { key: Buffer; cert: Buffer } {
    const chain = [files, ...intermediates].map(({ certFile }) => readFileSync(certFile));
    return { key: readFileSync(files.keyFile), cert: Buffer.concat(chain) };
  }

  /** @returns the status of one request to a service, on a new connection or on that of the agent */
  async function ask(running: TestDaemon, service: Service, options: RequestOptions): Promise<number | undefined> {
    const to = { host: '127.0.0.1', ca, ...options };
    const { status } =
      service === 'tunnels'
        ? await knock({ ...to, port: running.tunnelPort })
        : await call({ ...to, port: running.controlPort });
    return status;
  }

  /** One request, with the TLS session of an earlier connection if the server resumes it. */
  async function openWith(
    running: TestDaemon,
    service: Service,
    own: { readonly key: Buffer; readonly cert: Buffer } | undefined,
    version: SecureVersion,
    session: Buffer | undefined,
  ): Promise<{ status: number | undefined; session: Buffer | undefined; isReused: boolean }> {
    const port = service === 'tunnels' ? running.tunnelPort : running.controlPort;
    const versions = { minVersion: version, maxVersion: version };
    const resumed = session === undefined ? {} : { session };
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca, ...versions, ...own, ...resumed });
    let last = session;
    socket.on('session', (ticket) => {
      last = ticket;
    });
    await once(socket, 'secureConnect');
    const isReused = socket.isSessionReused();
    const status = await ask(running, service, { createConnection: () => socket, agent: undefined });
    socket.destroy();
    return { status, session: last, isReused };
  }

  for (const service of SERVICES) {
    for (const version of VERSIONS) {
      test(`${service}, ${version}: a TLS ticket admits no client whose certificate has expired`, async (t) => {
        const running = await start(t, clients.certFile);
        const [{ ada, session }, expiryS] = await beforeExpiry(async (untilSeconds) => {
          const ada = as(maker.make({ name: 'ada', issuer: clients, untilSeconds }));
          let session: Buffer | undefined;
          for (let round = 0; round < 3; round++) {
            const opening = await openWith(running, service, ada, version, session);
            assert.equal(opening.status, LET_IN[service], `round ${round}`);
            session = opening.session;
          }
          return { ada, session };
        });
        await behindExpiry(expiryS);
        for (const own of [undefined, ada]) {
          const late = await openWith(running, service, own, version, session);
          assert.deepEqual([late.status, late.isReused], [403, false], own === undefined ? 'ticket alone' : 'with key');
        }
      });

      test(`${service}, ${version}: tickets lead nowhere behind a reload with other authorities`, async (t) => {
        const clientCa = maker.path(`${service}-${version}.pem`);
        copyFileSync(clients.certFile, clientCa);
        const running = await start(t, clientCa);
        const ada = as(maker.make({ name: 'ada', issuer: clients }));
        const eve = as(maker.make({ name: 'eve', issuer: others }));
        const first = await openWith(running, service, ada, version, undefined);
        assert.equal(first.status, LET_IN[service]);
        copyFileSync(others.certFile, clientCa);
        await running.daemon.reload();
        for (const own of [undefined, ada]) {
          assert.equal((await openWith(running, service, own, version, first.session)).status, 403);
        }
        assert.equal((await openWith(running, service, eve, version, undefined)).status, LET_IN[service]);
      });
    }

    test(`${service}: a connection that stands is not a certificate that is valid`, async (t) => {
      const clientCa = maker.path(`${service}-standing.pem`);
      copyFileSync(clients.certFile, clientCa);
      const running = await start(t, clientCa);
      const ada = as(maker.make({ name: 'ada', issuer: clients }));
      const intermediate = maker.make({ name: 'intermediate', isAuthority: true, issuer: clients });
      const eva = as(maker.make({ name: 'eva', issuer: intermediate }), intermediate);
      /** A connection that is kept alive after an accepted request: for the page at the path of tunnels, or a call. */
      const standing = async (own: { key: Buffer; cert: Buffer }): Promise<Agent> => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        t.after(() => agent.destroy());
        if (service === 'control') assert.equal(await ask(running, service, { agent, ...own }), 200);
        else assert.equal((await call({ ca, agent, ...own, path: '/', port: running.tunnelPort })).status, 405);
        return agent;
      };
      const keptFor = async (own: { key: Buffer; cert: Buffer }): Promise<() => Promise<number | undefined>> => {
        const agent = await standing(own);
        return () => ask(running, service, { agent, ...own });
      };
      const [asEve, expiryS] = await beforeExpiry((untilSeconds) =>
        keptFor(as(maker.make({ name: 'eve', issuer: clients, untilSeconds }))),
      );
      const [asAda, asAdaLater, asEva] = await Promise.all([ada, ada, eva].map(keptFor));
      assert.equal(await asAda?.(), LET_IN[service]);
      assert.equal(await asEva?.(), LET_IN[service], 'by way of an authority that it brought along');
      await behindExpiry(expiryS);
      assert.equal(await asEve(), 403);
      writeFileSync(clientCa, readFileSync(others.certFile));
      await running.daemon.reload();
      assert.equal(await asAdaLater?.(), 403);
    });
  }
});
