/*
 * A relay between two switches, which forwards their tunnel message by message. It
 * records the first messages of each direction as a capture: on the raw wire each
 * message is a frame.
 *
 *   recording-relay.js ADDRESS PORT URL FRAMES FILE   prints `listening`, then `recorded`
 */
import { writeFileSync } from 'node:fs';
import { WebSocket, WebSocketServer } from 'ws';
import { pcapOf } from './pcap.ts';
import { once } from './waits.ts';

const [address = '', port = '', url = '', frames = '', file = ''] = process.argv.slice(2);
const perMessageDeflate = false;
const server = new WebSocketServer({ host: address, port: Number(port), perMessageDeflate });
await once(server, 'listening');
process.stdout.write('listening\n');
const [near] = (await once(server, 'connection')) as [WebSocket];
near.pause();
const far = new WebSocket(url, { perMessageDeflate });
await once(far, 'open');

const recorded: Buffer[] = [];
function pass(from: WebSocket, to: WebSocket): void {
  let left = Number(frames);
  from.on('message', (message: Buffer, isBinary) => {
    // Back-pressure: a message that waits here must stop its sender, as with TCP.
    from.pause();
    to.send(message, { binary: isBinary }, () => from.resume());
    if (left === 0) return;
    left--;
    recorded.push(Buffer.from(message));
    if (recorded.length === 2 * Number(frames)) {
      writeFileSync(file, pcapOf(recorded));
      process.stdout.write('recorded\n');
    }
  });
  from.on('close', () => to.close());
}
pass(near, far);
pass(far, near);
near.resume();
