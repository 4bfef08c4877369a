/**
 * Measures what `observe` costs a switch with many ports and stations:
 *
 *   node dist/bench/programs/observe.js [PORTS] [STATIONS]
 *
 * An observer of the tables `ports` and `stations`, which is another process, comes and goes. With it and without it
 * there are windows of 5 s in which batches of 32 frames are forwarded for 1 ms in each turn of the event loop, and others
 * without frames. Each second the counters of all ports change, and one of 16 stations is seen. Prints medians: frames a
 * second of processor time, the longest turn of the loop by the clock and by processor time, the processor time that an
 * interval costs, octets a second to the observer, and the octets of its first snapshot. Other load on the machine makes
 * turns longer by the clock.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { ALLOW_ALL } from '../../src/auth/authenticator.ts';
import { ControlServer } from '../../src/control/server.ts';
import { Switch } from '../../src/networks/switch.ts';
import { RunningSwitch } from '../../src/networks/switch-control.ts';
import { SILENT } from '../../src/observability/logger.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { keepYoungGenerationSmall } from '../../src/runtime/young-generation.ts';
import { batchOf } from '../../src/wire/ethernet/frame-batch.ts';

const PAIRS_OF_WINDOWS = 5;
const WINDOW_MS = 5000;
const FRAMES = 32;
const FORWARD_MS = 1;
/** The longest answer on a busy machine. */
const ANSWER_MS = 120_000;
const SEEN_SHARE = 16;

interface Window {
  readonly framesPerCpuSecond: number;
  readonly longestTurnMs: number;
  readonly longestTurnCpuMs: number;
}

/** What the observer has received since it was asked last. */
interface Received {
  readonly octets: number;
  readonly snapshotOctets: number;
}

function frame(destination: number, source: number): Buffer {
  const octets = Buffer.alloc(60);
  octets.writeUIntBE(0x020000000000 + destination, 0, 6);
  octets.writeUIntBE(0x020000000000 + source, 6, 6);
  octets.writeUInt16BE(0x0800, 12);
  return octets;
}

/** A switch with many ports, and stations behind them. @returns a port by which frames come, and what lets a second pass */
function crowd(etherSwitch: Switch, ports: number, stations: number) {
  const all = Array.from({ length: ports }, (_, index) => {
    const port = new MemoryPort();
    etherSwitch.attach(port, {
      name: `port-${index + 1}`,
      values: { storm: 'none' },
    });
    return port;
  });
  const portOf = (station: number): MemoryPort => all[station % ports] as MemoryPort;
  // To itself: a frame that teaches its source, and goes nowhere.
  const see = (station: number): void => portOf(station).deliver(frame(station, station));
  for (let station = 0; station < stations; station++) see(station);
  let turn = 0;
  const second = (): void => {
    for (let station = turn++ % SEEN_SHARE; station < stations; station += SEEN_SHARE) see(station);
    for (let port = 0; port < ports; port++) see(port);
  };
  return { ingress: portOf(0), second };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Forwards no frames for a while. @returns the processor time, in milliseconds a second */
async function rest(second: () => void): Promise<number> {
  const startCpuMs = cpuMs();
  for (let time = 0; time < WINDOW_MS; time += 1000) {
    second();
    await delay(1000);
  }
  return (cpuMs() - startCpuMs) / (WINDOW_MS / 1000);
}

/** Forwards frames for a while. */
async function forward(ingress: MemoryPort, second: () => void): Promise<Window> {
  const batch = batchOf(...Array.from({ length: FRAMES }, () => frame(1, 0)));
  const [startMs, startCpuMs] = [performance.now(), cpuMs()];
  let [frames, longestTurnMs, longestTurnCpuMs] = [0, 0, 0];
  let [lastMs, lastCpuMs, secondMs] = [startMs, startCpuMs, startMs];
  while (performance.now() - startMs < WINDOW_MS) {
    for (const untilMs = performance.now() + FORWARD_MS; performance.now() < untilMs; frames += FRAMES) {
      ingress.deliverBatch(batch);
    }
    if (performance.now() - secondMs >= 1000) {
      secondMs += 1000;
      second();
      [lastMs, lastCpuMs] = [performance.now(), cpuMs()];
    }
    await new Promise(setImmediate);
    const [nowMs, nowCpuMs] = [performance.now(), cpuMs()];
    longestTurnMs = Math.max(longestTurnMs, nowMs - lastMs);
    longestTurnCpuMs = Math.max(longestTurnCpuMs, nowCpuMs - lastCpuMs);
    [lastMs, lastCpuMs] = [nowMs, nowCpuMs];
  }
  return { framesPerCpuSecond: frames / ((cpuMs() - startCpuMs) / 1000), longestTurnMs, longestTurnCpuMs };
}

async function ask(child: ChildProcess, order: string | number): Promise<Received> {
  child.send(order);
  const [received] = (await once(child, 'message', { signal: AbortSignal.timeout(ANSWER_MS) })) as [Received];
  return received;
}

function medianOf(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] as number;
}

async function main(ports: number, stations: number): Promise<void> {
  // As `etherws sw` does.
  keepYoungGenerationSmall();
  const etherSwitch = new Switch({ fdbCapacity: stations });
  const service = new RunningSwitch(etherSwitch, () => Promise.reject(new Error('none')));
  const control = new ControlServer({
    path: '/',
    authenticator: ALLOW_ALL,
    allowedHosts: () => [],
    service,
    logger: SILENT,
  });
  const server = createServer().on('upgrade', control.handleUpgrade.bind(control));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { ingress, second } = crowd(etherSwitch, ports, stations);
  const client = fork(fileURLToPath(import.meta.url), ['client']);
  const [without, observed]: [Window[], Window[]] = [[], []];
  const [octets, snapshots, costs]: [number[], number[], number[]] = [[], [], []];
  await forward(ingress, second);
  for (let pair = 0; pair < PAIRS_OF_WINDOWS; pair++) {
    without.push(await forward(ingress, second));
    const idleMs = await rest(second);
    snapshots.push((await ask(client, (server.address() as { port: number }).port)).snapshotOctets);
    observed.push(await forward(ingress, second));
    costs.push((await rest(second)) - idleMs);
    octets.push((await ask(client, 'end')).octets / (2 * (WINDOW_MS / 1000)));
  }
  client.disconnect();
  control.close();
  server.close();
  await etherSwitch.close();
  console.log(`${ports} ports, ${stations} stations; without an observer, and with one`);
  for (const key of ['framesPerCpuSecond', 'longestTurnMs', 'longestTurnCpuMs'] as const) {
    const [before, after] = [without, observed].map((windows) => medianOf(windows.map((window) => window[key])));
    const ratios = observed.map((window, pair) => window[key] / (without[pair] as Window)[key]);
    console.log(`${key}: ${before?.toFixed(1)}, ${after?.toFixed(1)}, ratio ${medianOf(ratios).toFixed(2)}`);
  }
  console.log(`processor time of an interval: ${medianOf(costs).toFixed(1)} ms`);
  console.log(`octets a second: ${Math.round(medianOf(octets))}`);
  console.log(`octets of the first snapshot: ${Math.round(medianOf(snapshots))}`);
}

/** The child process: observes the switch at each port that it gets, until `end`. */
function serveAsClient(): void {
  let webSocket: WebSocket | undefined;
  let octets = 0;
  process.on('message', (order: number | 'end') => {
    if (order === 'end') {
      process.send?.({ octets, snapshotOctets: 0 });
      webSocket?.terminate();
      return;
    }
    octets = 0;
    let done = 0;
    webSocket = new WebSocket(`ws://127.0.0.1:${order}/`);
    webSocket.on('open', () => webSocket?.send(CALL));
    webSocket.on('message', (data: Buffer) => {
      octets += data.length;
      if (done < 2 && data.subarray(-14).includes('"done":true')) {
        if (++done < 2) return;
        process.send?.({ octets: 0, snapshotOctets: octets });
        octets = 0;
      }
    });
  });
}

const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'etherws.control.observe',
  params: { tables: ['ports', 'stations'] },
});

const [first = '5000', second = '65536'] = process.argv.slice(2);
if (first === 'client') serveAsClient();
else await main(Number(first), Number(second));
