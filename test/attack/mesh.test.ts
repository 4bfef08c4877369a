import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import { clusterKeyOf } from '../../src/cluster/cluster-key.ts';
import { NatsStore } from '../../src/cluster/nats/nats-store.ts';
import type { NodeAnnouncement } from '../../src/cluster/node-announcement.ts';
import { CALLER_FIELD, fieldOfCaller, streamClaim } from '../../src/control/nodes/node-stream.ts';
import type { StatusEntry } from '../../src/control/schema.ts';
import { type MeshClaim, makeProof, readProof } from '../../src/ports/mesh/mesh-proof.ts';
import { CARRY_USER, carriedClaim } from '../../src/ports/mesh/mesh-relay.ts';
import { eventually } from '../support/etherws.ts';
import { NatsServer } from '../support/nats-server.ts';
import { RawTunnel } from '../support/raw-tunnel.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { missingTools } from '../support/tools.ts';
import { once, onceAny, until } from '../support/waits.ts';

/** A node with a member in the network `default`, and what an attacker can know: all but the key, unless a test uses it. */
interface Target {
  readonly node: SwitchProcess;
  readonly boot: string;
  readonly key: Buffer;
}

const WEB_SOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455, 1.3

describe('the mesh of a node, towards callers that are no nodes', { skip: missingTools('nats-server') }, () => {
  let server: NatsServer;
  let clusters = 0;
  before(async () => {
    server = await NatsServer.start();
  });
  after(() => server.end());

  async function start(t: TestContext): Promise<Target> {
    const cluster = `attack${++clusters}`;
    const node = await SwitchProcess.start(t, ['--cluster', server.url, '--cluster-name', cluster, '--node', 'r1']);
    const store = new NatsStore({ cluster, shown: server.url, connection: { servers: server.url } });
    t.after(() => store.close());
    let announced: NodeAnnouncement | undefined;
    store.subscribe('node', (message) => {
      announced = message as NodeAnnouncement;
    });
    await RawTunnel.open(t, node.tunnelPort); // a local member
    await until(() => announced?.networks.includes('default') === true);
    await until(() => clusterKeyOf(store.table('config')) !== undefined);
    return { node, boot: announced?.boot ?? '', key: clusterKeyOf(store.table('config')) ?? Buffer.alloc(32) };
  }

  /** @returns the status of an opening handshake at this path, with this header */
  async function knock(
    t: TestContext,
    port: number,
    path: string,
    authorization?: string,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    const asking = request({
      ...{ host: '127.0.0.1', port, path },
      headers: {
        ...{ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Etherws-Wire': '1' },
        'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
        ...(authorization === undefined ? {} : { Authorization: authorization }),
        ...fields,
      },
    });
    t.after(() => asking.destroy());
    let status = 0;
    asking.on('upgrade', () => {
      status = 101;
    });
    asking.on('response', ({ statusCode }) => {
      status = statusCode ?? 0;
    });
    asking.end();
    await onceAny(asking, ['upgrade', 'response']);
    return status;
  }

  const claimOf = ({ boot }: Target, claim: Partial<MeshClaim> = {}): MeshClaim => ({
    ...{ from: 'r0', fromBoot: 'x', to: 'r1', toBoot: boot, network: 'default', number: 1 },
    ...claim,
  });

  test('a caller without the proof of a node is refused, whatever it claims', async (t) => {
    const target = await start(t);
    const { tunnelPort } = target.node;
    const wrongKey = makeProof(claimOf(target), randomBytes(32)).proof;
    for (const authorization of [undefined, 'Basic cjI6eA==', 'Bearer x', `Bearer ${wrongKey}`]) {
      assert.equal(await knock(t, tunnelPort, '/.mesh/default', authorization), 401, authorization);
    }
    await assert
      .rejects(
        RawTunnel.open(t, tunnelPort).then(() => knock(t, tunnelPort, '/.mesh/a/b')),
        /./,
      )
      .catch(() => 0);
    const ports = await target.node.ports();
    assert.equal(ports.filter(({ type }) => type === 'mesh').length, 0);
  });

  test('a proof is good for one node, one start, one network, and once', async (t) => {
    const target = await start(t);
    const { tunnelPort } = target.node;
    const bearer = (claim: Partial<MeshClaim>) => `Bearer ${makeProof(claimOf(target, claim), target.key).proof}`;
    assert.equal(await knock(t, tunnelPort, '/.mesh/default', bearer({ to: 'r2' })), 401, 'of another node');
    assert.equal(
      await knock(t, tunnelPort, '/.mesh/default', bearer({ toBoot: 'before' })),
      401,
      'of the start before',
    );
    assert.equal(await knock(t, tunnelPort, '/.mesh/default', bearer({ from: 'r1' })), 401, 'of itself');
    assert.equal(await knock(t, tunnelPort, '/.mesh/other', bearer({ number: 2 })), 403, 'of another network');
    const absent = bearer({ number: 3, network: 'absent' });
    assert.equal(await knock(t, tunnelPort, '/.mesh/absent', absent), 404, 'a network without members');
    const good = bearer({ number: 4 });
    assert.equal(await knock(t, tunnelPort, '/.mesh/default', good), 101);
    assert.equal(await knock(t, tunnelPort, '/.mesh/default', good), 401, 'replayed');
    assert.equal(
      await knock(t, tunnelPort, '/default', bearer({ number: 5 })),
      101,
      'the tunnels of clients are open here',
    );
    assert.doesNotMatch(target.node.log, new RegExp(target.key.toString('base64url')));
  });

  test('streams of the control API are for nodes only, each for one caller, and once', async (t) => {
    const target = await start(t);
    const { tunnelPort } = target.node;
    const caller = fieldOfCaller({ user: null, networks: ['default'] });
    const claim = (network: string, number: number, key = target.key): string =>
      `Bearer ${makeProof(claimOf(target, { network, number }), key).proof}`;
    const ask = (authorization: string | undefined, field: string | undefined): Promise<number> =>
      knock(t, tunnelPort, '/.nodes', authorization, field === undefined ? {} : { [CALLER_FIELD]: field });
    assert.equal(await ask(undefined, caller), 401);
    assert.equal(await ask('Basic cjI6eA==', caller), 401);
    assert.equal(await ask(claim(streamClaim(caller), 1, randomBytes(32)), caller), 401, 'a wrong key');
    assert.equal(await ask(claim('default', 2), caller), 401, 'a proof for a tunnel');
    const more = fieldOfCaller({ user: null, networks: null });
    assert.equal(await ask(claim(streamClaim(caller), 3), more), 401, 'a proof for another caller');
    assert.equal(await ask(claim(streamClaim('x'), 4), 'x'), 401, 'no caller');
    assert.equal(await ask(claim(streamClaim('undefined'), 5), undefined), 401, 'no field');
    const good = claim(streamClaim(caller), 6);
    assert.equal(await ask(good, caller), 101);
    assert.equal(await ask(good, caller), 401, 'replayed');
    assert.equal(await knock(t, tunnelPort, '/.mesh/default', claim(streamClaim(caller), 7)), 403, 'no tunnel by it');
  });

  test('octets are carried for nodes only, and to nodes only', async (t) => {
    const target = await start(t);
    const carry = async (path: string, proof: string | undefined): Promise<number> => {
      const encoded = Buffer.from(`${CARRY_USER}:${proof}`).toString('base64');
      const headers = proof === undefined ? {} : { 'Proxy-Authorization': `Basic ${encoded}` };
      const asking = request({ host: '127.0.0.1', port: target.node.tunnelPort, method: 'CONNECT', path, headers });
      t.after(() => asking.destroy());
      asking.end();
      const [{ statusCode }] = (await once(asking, 'connect')) as [{ statusCode: number }];
      return statusCode;
    };
    const authority = `127.0.0.1:${server.port}`;
    const proof = (claim: Partial<MeshClaim>, key = target.key) => makeProof(claimOf(target, claim), key).proof;
    assert.equal(await carry(authority, undefined), 407);
    assert.equal(await carry(authority, proof({ network: carriedClaim(authority) }, randomBytes(32))), 407);
    assert.equal(
      await carry(authority, proof({ network: carriedClaim('127.0.0.1:1') })),
      407,
      'a proof for another end',
    );
    assert.equal(await carry(authority, proof({ network: 'default', number: 2 })), 407, 'a proof for a tunnel');
    assert.equal(await carry(authority, proof({ network: carriedClaim(authority), number: 3 })), 403, 'to no node');
  });

  test('what answers at the URL of a node without its proof gets no tunnel and no frame', async (t) => {
    const target = await start(t);
    // A program that can say where a node is: by the store, by DNS or ARP.
    const store = new NatsStore({
      cluster: `attack${clusters}`,
      shown: server.url,
      connection: { servers: server.url },
    });
    t.after(() => store.close());
    await until(() => store.isConnected);
    let answerTo: (proof: string) => string | undefined = () => undefined;
    let octets = 0;
    const proofs: string[] = [];
    const impostor = createServer();
    impostor.on('upgrade', (asking: IncomingMessage, socket) => {
      const proof = asking.headers.authorization?.slice('Bearer '.length) ?? '';
      proofs.push(proof);
      const answer = answerTo(proof);
      const accept = createHash('sha1')
        .update(`${asking.headers['sec-websocket-key']}${WEB_SOCKET_GUID}`)
        .digest('base64');
      const fields = [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Etherws-Wire: 1',
      ];
      if (answer !== undefined) fields.push(`Etherws-Mesh-Answer: ${answer}`);
      socket.on('error', () => socket.destroy());
      socket.on('data', ({ length }: Buffer) => {
        octets += length;
      });
      socket.write(`${[...fields, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`);
    });
    impostor.listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    t.after(() => impostor.close());
    t.after(() => impostor.closeAllConnections());
    const url = `ws://127.0.0.1:${(impostor.address() as AddressInfo).port}/`;
    let sequence = 0;
    const announce = setInterval(() => {
      store.publish('node', {
        ...{ protocol: 2, node: 'r2', boot: 'b', sequence: ++sequence, url, version: '2', networks: ['default'] },
        ...{ load: { tunnels: 0, mostTunnels: 1, loopDelayMs: 0 }, isDraining: false, detours: {} },
      });
    }, 200);
    t.after(() => clearInterval(announce));

    const linkOf = async () => {
      const { entries } = await target.node.call<{ entries: StatusEntry[] }>('getStatus');
      return entries[0]?.cluster?.members.find(({ node }) => node === 'r2')?.mesh[0];
    };
    let former: string | undefined;
    const wrong: ((proof: string) => string | undefined)[] = [
      () => undefined,
      () => '',
      (proof) => proof,
      (proof) => proof.split('.')[2],
      () => former,
    ];
    for (const [index, attempt] of wrong.entries()) {
      answerTo = attempt;
      const before = proofs.length;
      former = readProof(proofs[0] ?? '', [target.key])?.answer;
      await until(() => proofs.length >= before + 2);
      const link = await linkOf();
      assert.equal(link?.isUp, false, `attempt ${index}`);
      assert.match(link?.reason ?? '', /proof that it is the node r2/, `attempt ${index}`);
    }
    // The dialler's proof, shown to the dialler itself.
    assert.equal(await knock(t, target.node.tunnelPort, '/.mesh/default', `Bearer ${proofs.at(-1)}`), 401);
    assert.equal(octets, 0, 'nothing was sent behind the opening handshake');
    answerTo = (proof) => readProof(proof, [target.key])?.answer;
    await eventually(linkOf, (link) => link?.isUp === true);
  });
});
