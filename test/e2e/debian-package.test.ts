import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/etherws.ts';
import { run } from '../support/process.ts';
import { missingSystemd, SystemdLab } from '../support/systemd.ts';
import { missingTools } from '../support/tools.ts';

test('a Debian package is installed, started as a unit, upgraded, removed and purged', {
  skip: missingSystemd() || missingTools('dpkg-deb'),
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-deb-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const built = await run([process.execPath, 'scripts/build-deb.mjs', directory]);
  assert.equal(built.status, 0, built.stderr);
  const file = built.stdout.trim();
  const contents = (await run(['dpkg-deb', '--contents', file])).stdout;
  assert.doesNotMatch(contents, /dist\/src\/.*\.test\.js|node_modules\/(typescript|@biomejs|playwright)/);
  assert.match(contents, /dist\/console\/index\.html\n/);
  assert.match(contents, /dist\/console\/assets\/index-\S+\.js\n/);
  assert.doesNotMatch(contents, /dist\/console\/src\//);
  assert.match(contents, /lrwxrwxrwx root\/root .* \.\/usr\/bin\/etherws ->/);

  const lab = await SystemdLab.start(t);
  // An overlay over the system of this host, to which nothing is written.
  await lab.type(`
    mkdir -p /run/deb/usr /run/deb/usr-work /run/deb/lib
    mount -t overlay -o lowerdir=/usr,upperdir=/run/deb/usr,workdir=/run/deb/usr-work overlay /usr
    mkdir -p /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/dpkg/triggers && touch /var/lib/dpkg/status`);
  await lab.write(`/srv/${basename(file)}.b64`, readFileSync(file).toString('base64'));
  await lab.type(`base64 -d /srv/${basename(file)}.b64 > /srv/etherws.deb`);
  // The Node of the tests is not a package of Debian.
  const install = 'dpkg --force-depends --install /srv/etherws.deb 2>&1';
  await lab.type(install);
  assert.deepEqual(await lab.show('etherws', 'ActiveState', 'UnitFileState'), {
    ActiveState: 'inactive',
    UnitFileState: 'disabled',
  });
  await lab.done('systemctl', 'enable', '--now', 'etherws');
  await lab.done('/usr/bin/etherws', 'ctl', 'addport', 'tap', 'deb0');
  const { MainPID: before } = await lab.show('etherws', 'MainPID');
  await lab.type(install);
  await eventually(
    () => lab.show('etherws', 'MainPID', 'ActiveState'),
    ({ MainPID, ActiveState }) => MainPID !== before && ActiveState === 'active',
  );
  await lab.type('dpkg --remove etherws 2>&1; test -e /etc/etherws/etherws.yaml; test -e /var/lib/private/etherws');
  assert.deepEqual(await lab.show('etherws', 'ActiveState', 'LoadState'), {
    ActiveState: 'inactive',
    LoadState: 'not-found',
  });
  await lab.type('dpkg --purge etherws 2>&1');
  const left = await lab.done(
    'sh',
    '-c',
    'find /etc/etherws /var/lib/private/etherws /usr/lib/etherws /usr/bin/etherws -type f 2>/dev/null; true',
  );
  assert.equal(left, '');
});
