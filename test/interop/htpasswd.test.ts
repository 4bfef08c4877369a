import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EtherwsSwitch, eventually } from '../support/etherws.ts';
import { openLab } from '../support/lab-test.ts';
import { htpasswdLine, PASSWORD } from '../support/lan.ts';
import { missingModules, Peer } from '../support/peer.ts';

const FORMATS = { bcrypt: '-B', sha512: '-5', sha256: '-2', apr1: '-m', sha1: '-s' } as const;

test("every format of Apache's htpasswd admits its user and no other", async (t) => {
  const missing = missingModules('websocket');
  if (missing !== false) return t.skip(missing);
  const lab = await openLab(t, 'htpasswd');
  const host = await lab?.host('lan');
  if (lab === undefined || host === undefined) return;
  const users = join(lab.directory, 'users');
  const lines = await Promise.all(Object.entries(FORMATS).map(([user, flag]) => htpasswdLine(flag, user, PASSWORD)));
  writeFileSync(users, lines.join(''));
  const lan = await EtherwsSwitch.start(host, ['--port', '8000', '--htpasswd', users]);
  const joins = (user: string, password: string): Promise<Peer> =>
    Peer.start(
      host,
      'websocket_client_peer.py',
      ['ws://127.0.0.1:8000/', '--user', `${user}:${password}`],
      /^(open$|failed .*)/m,
    );
  const isLetIn = async (user: string, password: string): Promise<boolean> => {
    const peer = await joins(user, password);
    const answer = peer.process.stdout;
    await peer.kill();
    if (!/^open$/m.test(answer)) assert.match(answer, /401/);
    return /^open$/m.test(answer);
  };

  for (const user of Object.keys(FORMATS)) {
    await t.test(user, async () => {
      assert.equal(await isLetIn(user, PASSWORD), true);
      assert.equal(await isLetIn(user, `${PASSWORD}!`), false);
    });
  }
  await t.test('no user without a line', async () => {
    assert.equal(await isLetIn('eve', PASSWORD), false);
  });
  await t.test('the file is read again when it changes', async () => {
    writeFileSync(users, await htpasswdLine('-B', 'bob', PASSWORD));
    await eventually(
      () => isLetIn('bob', PASSWORD),
      (isIn) => isIn,
    );
    assert.equal(await isLetIn('bcrypt', PASSWORD), false);
  });
  await eventually(
    () => lan.ports(),
    (ports) => ports.length === 0,
  );
});
