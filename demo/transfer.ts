/*
 * The programs that run on the demo's hosts without using etherws: an
 * ordinary TCP transfer, and a UDP echo for machines without ping.
 *
 *   transfer.js receive ADDRESS PORT        prints `listening`, then JSON lines {bytes, seconds}, then {sha256}
 *   transfer.js send ADDRESS PORT [BYTES]   sends BYTES (default BULK_BYTES), prints {sha256}
 *   transfer.js echo ADDRESS PORT           prints `listening`, answers datagrams
 *   transfer.js ping ADDRESS PORT           sends five datagrams, prints a line for each answer
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { BULK_BYTES, BulkSink, BulkSource } from './bulk.ts';

const REPORT_INTERVAL_MS = 100;
const PINGS = 5;

async function receive(host: string, port: number): Promise<void> {
  const server = createServer();
  server.listen({ host, port });
  await once(server, 'listening');
  process.stdout.write('listening\n');
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  const sink = new BulkSink();
  const startMs = performance.now();
  const report = (): void => print({ bytes: sink.bytes, seconds: (performance.now() - startMs) / 1000 });
  const timer = setInterval(report, REPORT_INTERVAL_MS);
  for await (const chunk of socket as AsyncIterable<Buffer>) sink.take(chunk);
  clearInterval(timer);
  report();
  print({ sha256: sink.sha256() });
}

async function send(host: string, port: number, bytes: number): Promise<void> {
  const socket = connect({ host, port });
  await once(socket, 'connect');
  const source = new BulkSource(bytes);
  while (!source.isExhausted) {
    if (!socket.write(source.next())) await once(socket, 'drain');
  }
  socket.end();
  await once(socket, 'close');
  print({ sha256: source.sha256() });
}

async function echo(address: string, port: number): Promise<void> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (message, from) => socket.send(message, from.port, from.address));
  socket.bind(port, address);
  await once(socket, 'listening');
  process.stdout.write('listening\n');
}

async function ping(address: string, port: number): Promise<void> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  for (let sequence = 1; sequence <= PINGS; sequence++) {
    const sentMs = performance.now();
    socket.send(String(sequence), port, address);
    await once(socket, 'message', { signal: AbortSignal.timeout(5000) });
    const tookMs = performance.now() - sentMs;
    process.stdout.write(`answer from ${address}: udp_seq=${sequence} time=${tookMs.toFixed(3)} ms\n`);
    await delay(200);
  }
  socket.close();
}

function print(fact: object): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
}

const programs: Readonly<Record<string, (address: string, port: number, bytes: number) => Promise<void>>> = {
  receive,
  send,
  echo,
  ping,
};
const [name = '', address = '', port = '', bytes = String(BULK_BYTES)] = process.argv.slice(2);
const program = programs[name];
if (program === undefined) throw new TypeError(`usage: transfer.js ${Object.keys(programs).join('|')} ADDRESS PORT`);
await program(address, Number(port), Number(bytes));
