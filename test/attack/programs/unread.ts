import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { clientMessage, frameOf } from '../../support/peer-frames.ts';

/*
 * unread PORT COUNT reads FRAMES OCTETS    COUNT tunnels that are never read, and one that sends so many frames of 1000 flows
 * unread PORT COUNT sends OCTETS           COUNT tunnels, each of which sends the beginning of a message and no more
 *
 * Prints `open`, waits for a line, sends, prints `done`, and waits for the end of its input.
 */

const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

const [port = '', count = '', mode = '', ...sizes] = process.argv.slice(2);
const [first = 0, second = 0] = sizes.map(Number);

async function open(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(port) });
  socket.on('error', () => undefined);
  socket.write(`${HANDSHAKE.join('\r\n')}\r\n\r\n`);
  await once(socket, 'data');
  socket.pause();
  return socket;
}

/** A broadcast frame of the station with this number. */
function frameFrom(number: number, octets: number): Buffer {
  const station = (number % 1000).toString(16).padStart(4, '0');
  return frameOf({
    from: `02:00:00:00:${station.slice(0, 2)}:${station.slice(2)}`,
    payload: 'x'.repeat(Math.max(0, octets - 14)),
  });
}

const tunnels: Socket[] = [];
for (let index = 0; index < Number(count); index++) tunnels.push(await open());
const sender = await open();
sender.resume();
process.stdout.write('open\n');
process.stdin.once('data', async () => {
  if (mode === 'reads') {
    for (let number = 0; number < first; number++) {
      if (!sender.write(clientMessage(frameFrom(number, second)))) await once(sender, 'drain');
    }
  } else {
    const beginning = clientMessage(Buffer.alloc(first)).subarray(0, first);
    for (const tunnel of tunnels) tunnel.resume().write(beginning);
  }
  process.stdout.write('done\n');
});
process.stdin.once('end', () => process.exit(0));
