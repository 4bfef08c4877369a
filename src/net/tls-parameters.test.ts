import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { type ConnectionOptions, connect, createServer } from 'node:tls';
import { anyIdentity } from '../../test/support/socket-pair.ts';
import { missingTools } from '../../test/support/tools.ts';
import { once } from '../../test/support/waits.ts';
import { TLS_PARAMETERS } from './tls-parameters.ts';

describe('suites of TLS', { skip: missingTools('openssl') }, () => {
  async function suiteBetween(server: object, client: ConnectionOptions): Promise<string> {
    const tls = createServer({ ...(await anyIdentity()), ...server });
    try {
      await once(tls.listen(0, '127.0.0.1'), 'listening');
      const { port } = tls.address() as AddressInfo;
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...client });
      await once(socket, 'secureConnect');
      const { name } = socket.getCipher();
      socket.destroy();
      return name;
    } finally {
      tls.close();
    }
  }

  test('a server takes AES-128-GCM though its client would rather have another', async () => {
    assert.equal(await suiteBetween(TLS_PARAMETERS, {}), 'TLS_AES_128_GCM_SHA256');
  });

  test('a client asks for AES-128-GCM first', async () => {
    assert.equal(await suiteBetween({ honorCipherOrder: false }, TLS_PARAMETERS), 'TLS_AES_128_GCM_SHA256');
  });

  for (const ciphers of ['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
    test(`a client that knows only ${ciphers} gets it`, async () => {
      assert.equal(await suiteBetween(TLS_PARAMETERS, { ciphers }), ciphers);
    });
  }

  test('a list that Node was given is taken as it stands', () => {
    const list = 'TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
    const module = JSON.stringify(new URL('./tls-parameters.js', import.meta.url));
    const program = `import(${module}).then(({ TLS_PARAMETERS }) => process.stdout.write(TLS_PARAMETERS.ciphers))`;
    const output = execFileSync(process.execPath, [`--tls-cipher-list=${list}`, '-e', program], { encoding: 'utf8' });
    assert.equal(output, list);
  });
});
