import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { asUser, NOBODY } from '../../test/support/local-caller.ts';
import { ADDON_HINT, builtEngine } from '../../test/support/offload-addon.ts';
import { Process } from '../../test/support/process.ts';
import { missingTools } from '../../test/support/tools.ts';
import { once } from '../../test/support/waits.ts';
import { peerUserOf } from './peer-user.ts';
import { findUserInTables } from './socket-tables.ts';

const missing = process.getuid?.() === 0 ? missingTools('setpriv', 'bash') : 'needs root, to be several users';
const options = { skip: missing || (builtEngine() === undefined ? ADDON_HINT : false) };

/** What connects, says one octet, and stays until its input ends. */
const CALLER = 'exec 3<>"/dev/tcp/$1/$2"; printf x >&3; read -r';

interface Call {
  readonly socket: Socket;
  readonly caller: Process;
}

/** A connection of a user to a listener of ours, seen from here. */
async function call(t: TestContext, uid: number, to: string, listen = '::'): Promise<Call> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, listen);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const command = [...asUser(uid), 'bash', '-c', CALLER, 'bash', to, String(port)];
  const caller = new Process(command, { cwd: '/', isInteractive: true });
  const [socket] = (await once(server, 'connection')) as [Socket];
  socket.on('error', () => undefined);
  t.after(async () => {
    socket.destroy();
    server.close();
    await caller.end();
  });
  return { socket, caller };
}

for (const [how, userOf] of [
  ['sock_diag', peerUserOf],
  ['/proc/net/tcp', (socket: Socket) => findUserInTables(socket)],
] as const) {
  for (const [to, listen] of [
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '::'],
    ['::ffff:127.0.0.1', '::'],
    ['::1', '::'],
  ] as const) {
    test(
      `${how}: the user at ${to} of a listener on ${listen}, and none once the connection is closed`,
      options,
      async (t) => {
        for (const uid of [0, NOBODY]) {
          const { socket, caller } = await call(t, uid, to, listen);
          assert.equal(userOf(socket), uid);
          // It ends in order: the kernel keeps its end, of no user any more, until ours ends, too.
          caller.write('\n');
          assert.equal((await caller.exited).status, 0);
          assert.equal(userOf(socket), undefined);
        }
      },
    );
  }
}

test('the user at the other end of a Unix socket, also when it has been closed', options, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-peer-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'socket');
  const server = createServer({ pauseOnConnect: true }).listen(path);
  t.after(() => server.close());
  await once(server, 'listening');
  const script = `process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY});
    require('node:net').connect(${JSON.stringify(path)}).end();`;
  chmodSync(directory, 0o755);
  chmodSync(path, 0o666);
  const caller = new Process([process.execPath, '--eval', script]);
  const [socket] = (await once(server, 'connection')) as [Socket];
  assert.equal(peerUserOf(socket), NOBODY);
  socket.destroy();
  await caller.exited;
});
