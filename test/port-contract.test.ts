import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { TappedPort } from '../src/bridge/port-tap.ts';
import { MemoryPort } from '../src/ports/memory-port.ts';
import type { Wire } from '../src/ports/stream/packing.ts';
import { ClientPort } from '../src/ports/tunnel/dial/client-port.ts';
import { dialTunnel } from '../src/ports/tunnel/dial/dial-tunnel.ts';
import { ServerPort } from '../src/ports/tunnel/resume/server-port.ts';
import { TunnelPort } from '../src/ports/tunnel/tunnel-port.ts';
import { batchOf } from '../src/wire/ethernet/frame-batch.ts';
import { type PortFixture, portContract } from './port-contract.ts';
import { createAuthority } from './support/certificates.ts';
import { MemoryTransport } from './support/memory-transport.ts';
import { FarEnd, PortRecorder } from './support/port-recorder.ts';
import { missingTools } from './support/tools.ts';
import { once } from './support/waits.ts';
import { listen, type ServerIdentity, stop, TestTunnelServer, webServer } from './support/web-socket-peer.ts';

portContract('a memory port', () => Promise.resolve(inMemory()));

portContract('a port that is tapped', () => {
  const fixture = inMemory();
  const tap = { received: () => undefined, sent: () => undefined, discarded: () => undefined };
  return Promise.resolve({ ...fixture, port: new TappedPort(fixture.port, tap) });
});

function inMemory(): PortFixture {
  const farEnd = new FarEnd();
  const port = new MemoryPort({ onFrames: (frames) => farEnd.reached(...frames) });
  return {
    port,
    farEnd,
    inject: (frames: readonly Buffer[]) => port.deliver(...frames),
    stall: (isStalled: boolean) => port.stall(isStalled),
    breakLink: () => port.setLink('down', 'unplugged'),
    dispose: () => Promise.resolve(),
  };
}

for (const type of ['client', 'server'] as const) {
  for (const wire of ['raw', 'batched'] as const) {
    const name = `a ${type} tunnel over memory, its far end our own, ${wire} wire`;
    portContract(name, () => Promise.resolve(overMemory(type, wire)));
  }
}

portContract('a server tunnel that is waited for', () => {
  const fixture = overMemory('server', 'batched');
  return Promise.resolve({ ...fixture, port: new ServerPort({ tunnel: fixture.port, graceMs: 3_600_000 }) });
});

// The far end is ws, an independent implementation.
portContract('a client tunnel over TCP', () => clientTunnel());
portContract('a tunnel that is dialled again, over TCP', () => clientTunnel(undefined, true));
portContract('a server tunnel over TCP', () => serverTunnel());

const noCertificates = missingTools('openssl');
const directory = noCertificates === false ? mkdtempSync(join(tmpdir(), 'etherws-websocket-')) : undefined;
const tls = directory === undefined ? undefined : makeIdentity(directory);
after(() => {
  if (directory !== undefined) rmSync(directory, { recursive: true });
});
portContract('a client tunnel over TLS', async () => clientTunnel(await tls), { skip: noCertificates });
portContract('a server tunnel over TLS', async () => serverTunnel(await tls), { skip: noCertificates });

type Identity = ServerIdentity & { readonly ca: string };

async function makeIdentity(inDirectory: string): Promise<Identity> {
  const authority = await createAuthority(inDirectory);
  const { key, certificate } = await authority.issue('localhost', ['localhost', '127.0.0.1', '::1']);
  return {
    key: readFileSync(key, 'utf8'),
    cert: readFileSync(certificate, 'utf8'),
    ca: readFileSync(authority.certificate, 'utf8'),
  };
}

function overMemory(type: 'client' | 'server', wire: Wire): PortFixture & { readonly port: TunnelPort } {
  const farEnd = new FarEnd();
  const [transport, farTransport] = MemoryTransport.pair();
  farTransport.cut = (available) => Math.ceil(available / 3);
  const port = new TunnelPort({ type, target: 'memory', transport, wire });
  const far = new TunnelPort({
    type: type === 'client' ? 'server' : 'client',
    target: 'far',
    transport: farTransport,
    wire,
  });
  const recorder = new PortRecorder();
  recorder.onBatch = (batch) => {
    for (let index = 0; index < batch.count; index++) farEnd.reached(batch.frame(index));
  };
  far.open(recorder);
  return {
    port,
    farEnd,
    inject: (frames) => {
      const batch = batchOf(...frames);
      for (let index = 0; index < batch.count; index++) far.send(batch, index);
      far.flush(false);
    },
    stall: (isStalled) => farTransport.stall(isStalled),
    breakLink: () => void far.close('shutdown'),
    dispose: () => far.close(),
  };
}

async function clientTunnel(identity?: Identity, isRedialled = false): Promise<PortFixture> {
  const server = webServer(identity);
  const webSockets = new WebSocketServer({ server, perMessageDeflate: false });
  const listenPort = await listen(server);
  const connected = once(webSockets, 'connection') as Promise<[WebSocket]>;
  const url = `${identity === undefined ? 'ws' : 'wss'}://127.0.0.1:${listenPort}/`;
  const connect = (signal?: AbortSignal): Promise<TunnelPort> =>
    dialTunnel({
      url,
      ...(identity === undefined ? {} : { cacerts: identity.ca }),
      ...(signal === undefined ? {} : { signal }),
    });
  const reconnection = { minMs: 3_600_000, maxMs: 3_600_000, random: () => 1 };
  const port = await (isRedialled ? ClientPort.connected({ target: url, connect, reconnection }) : connect());
  const [peer] = await connected;
  return {
    port,
    ...farEndOf(peer),
    dispose: async () => {
      webSockets.close();
      await stop(server);
    },
  };
}

async function serverTunnel(identity?: Identity): Promise<PortFixture> {
  const server = new TestTunnelServer({}, identity);
  await server.start();
  const peer = new WebSocket(server.url, {
    perMessageDeflate: false,
    ...(identity === undefined ? {} : { ca: identity.ca }),
  });
  const fixture = farEndOf(peer);
  await once(peer, 'open');
  return { port: await server.nextPort(), ...fixture, dispose: () => server.stop() };
}

/** The far end's part of a fixture, by ws. */
function farEndOf(peer: WebSocket): Omit<PortFixture, 'port' | 'dispose'> {
  const farEnd = new FarEnd();
  peer.on('message', (data, isBinary) => {
    if (!isBinary) throw new Error('a tunnel sent a text');
    farEnd.reached(data as Buffer);
  });
  return {
    farEnd,
    hasRunts: true,
    inject: (frames) => {
      for (const frame of frames) peer.send(frame);
    },
    stall: (isStalled) => (isStalled ? peer.pause() : peer.resume()),
    breakLink: () => peer.close(1001, 'bye'),
  };
}
