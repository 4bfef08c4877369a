/*
 * A load generator: `flood-logins HOST PORT CONNECTIONS SOURCES USER...`.
 *
 * For each number that it reads, a line each, it makes opening handshakes with a
 * wrong password, CONNECTIONS at a time, until so many were answered, and says
 * in one line, as a JSON object, how often each status was the answer. It comes from
 * random addresses of SOURCES, a prefix such as `10.64.` of addresses that are
 * this host's, or from its own where that is `-`; the USERs take turns.
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [host = '', port = '', connections = '', sources = '-', ...users] = process.argv.slice(2);
const requests = users.map((user) => {
  const password = Buffer.from(`${user}:not the password`).toString('base64');
  const fields = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const head = ['GET / HTTP/1.1', `Host: ${host}`, ...fields, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  return `${[...head, `Authorization: Basic ${password}`].join('\r\n')}\r\n\r\n`;
});

function anyAddress(): string {
  const missing = 4 - sources.split('.').filter((part) => part !== '').length;
  return sources + Array.from({ length: missing }, () => 1 + Math.floor(Math.random() * 254)).join('.');
}

/** @returns the status of the answer; `cut` for none */
function attempt(request: string): Promise<string> {
  return new Promise((resolve) => {
    let status = 'cut';
    const localAddress = sources === '-' ? {} : { localAddress: anyAddress() };
    const socket = connect({ host, port: Number(port), ...localAddress });
    socket.on('connect', () => socket.write(request));
    socket.on('data', (bytes) => {
      status = bytes.toString('latin1', 9, 12);
      // Half a million of them in TIME_WAIT would end the attack before the switch does.
      socket.resetAndDestroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(status));
  });
}

async function flood(count: number): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  let left = count;
  const attacker = async (): Promise<void> => {
    while (left > 0) {
      const status = await attempt(requests[left-- % requests.length] ?? '');
      statuses[status] = (statuses[status] ?? 0) + 1;
      // Who got no answer has not failed yet.
      if (status === 'cut') left++;
    }
  };
  await Promise.all(Array.from({ length: Number(connections) }, attacker));
  return statuses;
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await flood(Number(line)))}\n`);
}
