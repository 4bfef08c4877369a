/**
 * Measures how long one scrape of the metrics of 5000 ports blocks the event loop:
 *
 *   node dist/bench/programs/scrape.js [PORTS]
 *   npm install --no-save prom-client && node dist/bench/programs/scrape.js [PORTS] prom-client
 *
 * The second command makes the same families by prom-client. The HTTP client is a separate process. Prints the best and
 * the median of the scrapes: the longest turn of the loop, by the clock and by the processor time of all threads, and
 * the duration. Other load on the machine makes turns longer by the clock, less so by processor time.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { linesOf } from '../../src/metrics/exposition.ts';
import { MetricsServer } from '../../src/metrics/metrics-server.ts';
import { familiesOf } from '../../src/metrics/switch-families.ts';
import { Switch } from '../../src/networks/switch.ts';
import { SILENT } from '../../src/observability/logger.ts';
import { MemoryPort } from '../../src/ports/memory-port.ts';
import { LoopDelay } from '../../src/runtime/loop-delay.ts';
import { keepYoungGenerationSmall } from '../../src/runtime/young-generation.ts';

const SCRAPES = 21;
/** The longest scrape on a busy machine. */
const ANSWER_MS = 60_000;
const PAUSE_MS = 100;

/** The used part of prom-client, which is no dependency. */
interface PromClient {
  readonly Registry: new () => { metrics(): Promise<string> };
  readonly Gauge: new (options: object) => unknown;
}

interface Measured {
  readonly longestTurnMs: number;
  readonly longestTurnCpuMs: number;
  readonly durationMs: number;
}

function switchOf(ports: number): Switch {
  const etherSwitch = new Switch();
  for (let port = 1; port <= ports; port++) {
    etherSwitch.attach(new MemoryPort(), {
      name: `port-${port}`,
      user: `user-${port}`,
      description: 'a branch office',
    });
  }
  return etherSwitch;
}

/** The same families by prom-client: each scrape sets all values, since ports are added and removed. */
async function promClient(families: () => ReturnType<typeof familiesOf>): Promise<() => Promise<string>> {
  const name = 'prom-client';
  const { Registry, Gauge } = ((await import(name)) as { default: PromClient }).default;
  const registry = new Registry();
  for (const family of families()) {
    const samples = [...family.samples()].filter((sample) => sample !== undefined);
    const labelNames = [...(samples[0]?.labels ?? '').matchAll(/([a-z_]+)="/g)].map(([, label]) => label);
    const labelled = samples.map(({ labels, value }) => ({
      labels: Object.fromEntries([...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, label, text]) => [label, text])),
      value,
    }));
    const options = { name: family.name, help: family.help, labelNames, registers: [registry] };
    new Gauge({
      ...options,
      collect(this: { reset(): void; set(labels: object, value: number): void }) {
        this.reset();
        for (const { labels, value } of labelled) this.set(labels, value);
      },
    });
  }
  return () => registry.metrics();
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function measure(server: ReturnType<typeof createServer>, client: ChildProcess): Promise<Measured> {
  let longestTurnMs = 0;
  let longestTurnCpuMs = 0;
  let lastCpuMs = cpuMs();
  let isOver = false;
  let lastMs = performance.now();
  const turn = (): void => {
    const nowMs = performance.now();
    longestTurnMs = Math.max(longestTurnMs, nowMs - lastMs);
    lastMs = nowMs;
    const nowCpuMs = cpuMs();
    longestTurnCpuMs = Math.max(longestTurnCpuMs, nowCpuMs - lastCpuMs);
    lastCpuMs = nowCpuMs;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await delay(PAUSE_MS);
  longestTurnMs = 0;
  longestTurnCpuMs = 0;
  const startMs = performance.now();
  client.send((server.address() as { port: number }).port);
  await once(client, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
  const measured = { longestTurnMs, longestTurnCpuMs, durationMs: performance.now() - startMs };
  isOver = true;
  return measured;
}

async function main(ports: number, library: string | undefined): Promise<void> {
  // As `etherws sw` does.
  keepYoungGenerationSmall();
  const etherSwitch = switchOf(ports);
  const facts = { version: '0', loopDelay: new LoopDelay(), descriptorLimit: 1024 };
  const buffers = { heldBytes: 0, limitBytes: 1 };
  const families = (): ReturnType<typeof familiesOf> =>
    familiesOf({ etherSwitch, services: [], process: facts, buffers });
  const own = new MetricsServer({ families, refusalOf: async () => undefined, addressOf: () => '', logger: SILENT });
  const theirs = library === undefined ? undefined : await promClient(families);
  const server = createServer((request, response) => {
    if (theirs === undefined) own.handleRequest(request, response);
    else void theirs().then((text) => response.end(text));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = fork(fileURLToPath(import.meta.url), ['client']);
  const results: Measured[] = [];
  for (let scrape = 0; scrape < SCRAPES; scrape++) results.push(await measure(server, client));
  client.kill();
  server.close();
  const text = [...linesOf(families(), 'text')].join('');
  await etherSwitch.close();
  console.log(`${ports} ports, ${(text.length / 2 ** 20).toFixed(1)} MiB, ${library ?? 'own text in slices'}`);
  for (const key of ['longestTurnMs', 'longestTurnCpuMs', 'durationMs'] as const) {
    const sorted = results.map((result) => result[key]).sort((a, b) => a - b);
    const middle = sorted[Math.floor(SCRAPES / 2)] as number;
    console.log(`${key}: best ${(sorted[0] as number).toFixed(1)}, median ${middle.toFixed(1)}`);
  }
}

/** The child process: scrapes each URL that it gets, and reports when it has read the whole response. */
function serveAsClient(): void {
  process.on('message', (port: number) => {
    get({ host: '127.0.0.1', port, path: '/metrics', agent: false }, (response: IncomingMessage) => {
      response.resume().on('end', () => process.send?.('done'));
    });
  });
}

const [first = '5000', library] = process.argv.slice(2);
if (first === 'client') serveAsClient();
else await main(Number(first), library);
