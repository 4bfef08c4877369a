/*
 * Many client ports in one program, with reconnection.
 *
 *   crowd.js COUNT '{"url": …}' MIN_MS MAX_MS   the JSON is for dialTunnel
 *
 * Prints `up N` when the number of connected ports changes. For a line `tell` on
 * standard input it prints `dials JSON`: for each port the time from the loss of its
 * tunnel to the next attempt to dial, in milliseconds.
 */
import { createInterface } from 'node:readline';
import { ClientPort, type DialTunnelOptions, dialTunnel } from '../../../src/index.ts';

const [count, tunnel = '{}', minMs, maxMs] = process.argv.slice(2);
const options = JSON.parse(tunnel) as DialTunnelOptions;
const reconnection = { minMs: Number(minMs), maxMs: Number(maxMs) };
let up = 0;
let told = -1;
const waits: number[] = [];

function tell(): void {
  if (up === told) return;
  told = up;
  process.stdout.write(`up ${up}\n`);
}

for (let index = 0; index < Number(count); index++) {
  let isUp = false;
  let lostMs: number | undefined;
  const port = new ClientPort({
    target: options.url,
    connect: (signal) => dialTunnel({ ...options, signal }),
    reconnection,
  });
  port.open({
    receive: () => undefined,
    discarded: () => undefined,
    linkChanged: (state) => {
      if (isUp && state === 'backoff') lostMs = performance.now();
      if (state === 'connecting' && lostMs !== undefined) {
        waits.push(Math.round(performance.now() - lostMs));
        lostMs = undefined;
      }
      if (isUp !== (state === 'up')) up += state === 'up' ? 1 : -1;
      isUp = state === 'up';
      setImmediate(tell);
    },
  });
}

createInterface({ input: process.stdin }).on('line', () => process.stdout.write(`dials ${JSON.stringify(waits)}\n`));
