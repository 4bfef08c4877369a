/*
 * A TCP relay between a client and a server, as a program that a test can kill.
 *
 *   tcp-relay.js ADDRESS PORT HOST PORT   prints `listening`
 */
import { connect, createServer } from 'node:net';

const [address = '', port = '', host = '', hostPort = ''] = process.argv.slice(2);
createServer((near) => {
  const far = connect(Number(hostPort), host);
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.on('error', () => to.destroy()).on('close', () => to.destroy());
    from.pipe(to);
  }
}).listen(Number(port), address, () => process.stdout.write('listening\n'));
