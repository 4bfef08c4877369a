import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Process } from './process.ts';
import { pathOf } from './tools.ts';
import { once } from './waits.ts';
import { listen } from './web-socket-peer.ts';

/** A free port of the loopback. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  const closed = once(server, 'close');
  server.close();
  await closed;
  return port;
}

/** Runs nginx with a block for its `http` section until the end of the test. Resolves when it listens. */
export async function startNginx(t: TestContext, directory: string, block: string): Promise<Process> {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${directory}/${name};`,
  );
  const file = join(directory, 'nginx.conf');
  writeFileSync(
    file,
    [
      `daemon off; pid ${directory}/nginx.pid; error_log stderr notice;`,
      'events {}',
      `http { access_log off; ${paths.join(' ')}\n${block}}`,
    ].join('\n'),
  );
  const nginx = new Process([pathOf('nginx') ?? 'nginx', '-e', 'stderr', '-c', file], { timeoutMs: 600_000 });
  t.after(async () => {
    // Its workers end with it, which they would not by SIGKILL.
    nginx.signal('SIGTERM');
    await nginx.exited;
  });
  await nginx.output(/start worker process \d+/);
  return nginx;
}
