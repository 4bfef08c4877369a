/*
 * A TCP relay that ends its connections on command.
 *
 *   relay.js PORT TO_HOST TO_PORT   listens on 127.0.0.1 and prints `listening`
 *
 * On standard input `reset` aborts every connection, `end` closes it in order.
 */
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const [listenPort, host, port] = process.argv.slice(2);
const sockets = new Set<Socket>();

function hold(socket: Socket): Socket {
  sockets.add(socket);
  return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
}

createServer((near) => {
  const far = hold(connect(Number(port), host));
  hold(near).pipe(far);
  far.pipe(near);
  near.on('close', () => far.destroy());
  far.on('close', () => near.destroy());
}).listen(Number(listenPort), '127.0.0.1', () => process.stdout.write('listening\n'));

createInterface({ input: process.stdin })
  .on('line', (how) => {
    for (const socket of sockets) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.end();
    }
  })
  .on('close', () => process.exit());
