/*
 * flood-messages.js PORT SEED CASES: tunnels to the switch on this host that
 * carry hostile messages, tunnel after tunnel. Behind each burst stands a ping:
 * the switch has to answer it, or to close the tunnel. Prints how many tunnels
 * it took, and with which codes the switch closed them.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { clientMessage } from '../../support/peer-frames.ts';
import { Random } from '../../support/random.ts';

const BURST_MESSAGES = 100;
const PATIENCE_MS = 30_000;

const [port = 0, seed = 0, cases = 0] = process.argv.slice(2).map(Number);
const random = new Random(seed);
const closeCodes: Record<number, number> = {};
let tunnels = 0;
let sent = 0;

while (sent < cases) {
  const socket = connect({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  tunnels++;
  await useTunnel(socket);
  socket.destroy();
}
process.stdout.write(`${JSON.stringify({ sent, tunnels, closeCodes })}\n`);

async function useTunnel(socket: Socket): Promise<void> {
  let received = Buffer.alloc(0);
  let hasEnded = false;
  socket.on('error', () => undefined);
  socket.on('close', () => {
    hasEnded = true;
  });
  const key = random.bytes(16).toString('base64');
  socket.write(
    `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  socket.on('data', (data: Buffer) => {
    // What matters is at the end; other people's frames come in between.
    received = Buffer.concat([received, data]).subarray(-200_000);
  });
  for (let burst = 0; !hasEnded && sent < cases; burst++) {
    const ping = Buffer.from(`ping ${seed}.${tunnels}.${burst}`);
    const messages = Array.from({ length: random.between(1, BURST_MESSAGES) }, () => hostileMessage());
    sent += messages.length;
    socket.write(Buffer.concat([...messages, clientMessage(ping, { opcode: 9 })]));
    const pong = Buffer.concat([Buffer.from([0x8a, ping.length]), ping]);
    const deadlineMs = performance.now() + PATIENCE_MS;
    while (!hasEnded && !received.includes(pong)) {
      if (performance.now() > deadlineMs) throw new Error(`tunnel ${tunnels} of seed ${seed}: neither pong nor close`);
      // A timer of `AbortSignal.timeout` would not keep the process alive once the socket is closed.
      const wake = new AbortController();
      const timer = setTimeout(() => wake.abort(), 50);
      await once(socket, 'data', { signal: wake.signal }).catch(() => undefined);
      clearTimeout(timer);
    }
  }
  const close = received.lastIndexOf(0x88);
  if (hasEnded && close >= 0 && close + 4 <= received.length) {
    const code = received.readUInt16BE(close + 2);
    closeCodes[code] = (closeCodes[code] ?? 0) + 1;
  }
}

function hostileMessage(): Buffer {
  const payload = random.once(4) ? random.bytes(random.below(40)) : frame();
  switch (random.below(random.once(40) ? 12 : 5)) {
    case 0:
    case 1:
      return clientMessage(payload);
    case 2: {
      const cut = random.below(payload.length + 1);
      const first = clientMessage(payload.subarray(0, cut), { isFinal: false });
      return Buffer.concat([first, clientMessage(payload.subarray(cut), { opcode: 0 })]);
    }
    case 3:
      return clientMessage(Buffer.from(random.text(20)), { opcode: 1 });
    case 4:
      return clientMessage(payload.subarray(0, 125), { opcode: random.pick([9, 10]) });
    case 5:
      return clientMessage(payload, { isMasked: false });
    case 6:
      return clientMessage(payload, { reserved: random.between(1, 7) });
    case 7:
      return clientMessage(payload, { opcode: random.pick([0, 3, 7, 11, 15]) });
    case 8:
      return clientMessage(payload, { opcode: 9, isFinal: false });
    case 9:
      return Buffer.concat([Buffer.from([0x82, 0xff]), random.bytes(12)]);
    case 10:
      return clientMessage(random.bytes(random.below(4)), { opcode: 8 });
    default:
      return clientMessage(Buffer.alloc(random.between(65_000, 300_000)));
  }
}

/** Something that looks like an Ethernet frame, IP perhaps. */
function frame(): Buffer {
  const bytes = random.bytes(random.between(14, 1600));
  if (random.once(2)) bytes.fill(0xff, 0, 6);
  bytes.writeUInt16BE(random.pick([0x0800, 0x0806, 0x86dd, 0x8100, 0x88b5]), 12);
  return bytes;
}
