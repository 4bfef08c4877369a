import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority } from '../support/certificates.ts';
import { EtherwsSwitch } from '../support/etherws.ts';
import { openLab } from '../support/lab-test.ts';

test('both services speak TLS 1.2 and 1.3, and nothing older', async (t) => {
  const lab = await openLab(t, 'openssl');
  const host = await lab?.host('lan');
  if (lab === undefined || host === undefined) return;
  const authority = await createAuthority(lab.directory);
  const { key, certificate } = await authority.issue('lan', ['127.0.0.1']);
  await EtherwsSwitch.start(
    host,
    ['--sslkey', key, '--sslcert', certificate, '--ctlsslkey', key, '--ctlsslcert', certificate],
    ['--ctlurl', 'https://127.0.0.1:7867/ctl', '--ctlsslcert', authority.certificate],
  );
  for (const port of ['443', '7867']) {
    for (const [version, isSpoken] of [
      ['-tls1', false],
      ['-tls1_1', false],
      ['-tls1_2', true],
      ['-tls1_3', true],
    ] as const) {
      await t.test(`port ${port}: s_client ${version} ${isSpoken ? 'connects' : 'is refused'}`, async () => {
        // SECLEVEL=0, since otherwise the tool itself refuses the old versions.
        const cipher = version === '-tls1_3' ? [] : ['-cipher', 'ALL:@SECLEVEL=0'];
        const { status, stdout, stderr } = await host.run(
          [
            'openssl',
            's_client',
            '-connect',
            `127.0.0.1:${port}`,
            version,
            ...cipher,
            '-CAfile',
            authority.certificate,
          ],
          { input: '' },
        );
        assert.equal(status === 0, isSpoken, stdout + stderr);
        if (isSpoken) assert.match(stdout, /Verify return code: 0 \(ok\)/);
        else assert.match(stderr, /alert|unsupported protocol/);
      });
    }
  }
});
