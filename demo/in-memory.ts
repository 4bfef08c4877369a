import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { ALLOW_ALL, dialTunnel, Switch, TunnelServer } from '../src/index.ts';
import { BULK_BYTES, BulkSink, BulkSource } from './bulk.ts';
import { selfSigned } from './credentials.ts';
import { describeRate, type Narrator } from './narrator.ts';
import { DATA_BYTES, Station } from './station.ts';

const PINGS = 5;
/**
 * The most frames in flight: fewer than the buffers of a socket hold. What waits in the queue of a tunnel for longer than the
 * round trips of a network is dropped (CoDel), also when this process has no processor time.
 */
const WINDOW_FRAMES = 128;
const BURST_FRAMES = 64;
const REPORT_BYTES = 4 * 1024 * 1024;
const PATIENCE_MS = 20_000;

/** Two switches of the library with one station each, and a tunnel over a TCP socket between them. */
interface Network {
  readonly relay: { readonly ethernet: Switch; readonly station: Station };
  readonly laptop: { readonly ethernet: Switch; readonly station: Station };
  close(): Promise<void>;
}

/** The demo without devices. @throws Error if frames are lost or changed, or the transfer stalls */
export async function joinInMemory(narrator: Narrator): Promise<void> {
  narrator.step('Two switches with in-memory ports, and a tunnel between them (TLS, certificate verified)');
  const network = await joinSwitches(narrator);
  try {
    narrator.step('One Ethernet now: frames from the laptop to the relay and back');
    await ping(network, narrator);
    narrator.step('256 MiB in Ethernet frames through the tunnel');
    const seconds = await transfer(network, narrator);
    for (const [name, { ethernet }] of [
      ['relay', network.relay],
      ['laptop', network.laptop],
    ] as const) {
      narrator.step(`What the ${name} has seen`);
      narrator.output(describePorts(ethernet));
    }
    narrator.step('Done');
    narrator.verified(
      `256 MiB in ${seconds.toFixed(2)} s: ${describeRate(BULK_BYTES, seconds)}, every byte as it was sent`,
    );
  } finally {
    await network.close();
  }
}

async function joinSwitches(narrator: Narrator): Promise<Network> {
  const relay = { ethernet: new Switch(), station: new Station('relay', '020000000001') };
  const laptop = { ethernet: new Switch(), station: new Station('laptop', '020000000002') };
  const { key, certificate } = await selfSigned('localhost');
  const tunnels = new TunnelServer({
    path: '/',
    authenticator: ALLOW_ALL,
    onTunnel: (port) => relay.ethernet.attach(port),
  });
  const server = createServer({ key, cert: certificate }, (request, response) =>
    tunnels.handleRequest(request, response),
  );
  server.on('upgrade', (request, socket, head) => tunnels.handleUpgrade(request, socket, head));
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const url = `wss://localhost:${(server.address() as AddressInfo).port}/`;

  relay.ethernet.attach(relay.station.port);
  laptop.ethernet.attach(laptop.station.port);
  laptop.ethernet.attach(await dialTunnel({ url, cacerts: certificate }));
  narrator.note(`station ─ relay's switch ◄── ${url} ──► laptop's switch ─ station`);
  return {
    relay,
    laptop,
    close: async () => {
      await laptop.ethernet.close();
      await relay.ethernet.close();
      server.close();
    },
  };
}

async function ping({ relay, laptop }: Network, narrator: Narrator): Promise<void> {
  relay.station.onMessages((messages) => {
    for (const { kind, number } of messages) {
      if (kind === 'ping') relay.station.send(laptop.station, { kind: 'pong', number });
    }
  });
  for (let number = 1; number <= PINGS; number++) {
    const sentMs = performance.now();
    const answer = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer came back through the tunnel')), PATIENCE_MS);
      laptop.station.onMessages((messages) => {
        if (!messages.some((message) => message.kind === 'pong' && message.number === number)) return;
        clearTimeout(timer);
        resolve();
      });
    });
    laptop.station.send(relay.station, { kind: 'ping', number });
    await answer;
    narrator.note(`answer from the relay: frame=${number} time=${(performance.now() - sentMs).toFixed(3)} ms`);
  }
  narrator.verified('the relay answers through the tunnel');
}

/**
 * Sends with a sliding window: at most WINDOW_FRAMES are in flight, and the relay
 * acknowledges received frames. A gap in the numbers means a lost frame, which must not
 * happen with a window of this length.
 * @returns the duration in seconds
 */
async function transfer({ relay, laptop }: Network, narrator: Narrator): Promise<number> {
  const source = new BulkSource(BULK_BYTES);
  const sink = new BulkSink();
  const startMs = performance.now();
  const elapsed = (): number => (performance.now() - startMs) / 1000;

  await new Promise<void>((resolve, reject) => {
    let sent = 0;
    let taken = 0;
    let reported = 0;
    let timer = setTimeout(stalled, PATIENCE_MS);
    function stalled(): void {
      reject(new Error(`the transfer stalled after ${sink.bytes} bytes`));
    }
    function fill(): void {
      while (!source.isExhausted && sent - taken < WINDOW_FRAMES) {
        const burst = [];
        while (!source.isExhausted && burst.length < BURST_FRAMES) {
          burst.push({ kind: 'data' as const, number: sent++, payload: source.next(DATA_BYTES) });
        }
        laptop.station.send(relay.station, ...burst);
      }
    }
    let expected = 0;
    let confirmed = 0;
    relay.station.onMessages((messages) => {
      for (const { kind, number, payload } of messages) {
        if (kind !== 'data') continue;
        if (number !== expected) reject(new Error(`frame ${expected} was lost: frame ${number} came in its place`));
        expected++;
        // The last frame may have been padded on its way; its true length is the number of octets still missing.
        sink.take(payload.subarray(0, Math.min(payload.length, BULK_BYTES - sink.bytes)));
      }
      if (expected - confirmed < BURST_FRAMES && sink.bytes < BULK_BYTES) return;
      confirmed = expected;
      relay.station.send(laptop.station, { kind: 'taken', number: expected });
    });
    laptop.station.onMessages((messages) => {
      for (const { kind, number } of messages) if (kind === 'taken') taken = Math.max(taken, number);
      clearTimeout(timer);
      if (sink.bytes - reported >= REPORT_BYTES || sink.bytes === BULK_BYTES) {
        reported = sink.bytes;
        narrator.progress(sink.bytes, BULK_BYTES, elapsed());
      }
      if (sink.bytes === BULK_BYTES) {
        resolve();
        return;
      }
      timer = setTimeout(stalled, PATIENCE_MS);
      fill();
    });
    fill();
  });

  const seconds = elapsed();
  const [sent, received] = [source.sha256(), sink.sha256()];
  narrator.note(`sent      sha256 ${sent}`);
  narrator.note(`received  sha256 ${received}`);
  if (sent !== received) throw new Error('what arrived is not what was sent');
  narrator.verified('the checksums are equal');
  return seconds;
}

function describePorts(ethernet: Switch): string {
  const lines = [...ethernet.ports.values()].map(
    ({ number, port, rx, tx }) => `port ${number}  ${port.type}  rx ${rx.frames}  tx ${tx.frames}  ${port.target}`,
  );
  const learned = ethernet
    .fdb()
    .map(({ entry }) => `${entry.mac.toString(16).padStart(12, '0')} is behind port ${entry.port.number}`);
  return [...lines, ...learned].join('\n');
}
