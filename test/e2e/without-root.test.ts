import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../support/process.ts';
import { missingTools } from '../support/tools.ts';

const NOBODY = '65534';
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/*
 * Runs the end-to-end scenario, if the tests run as root, again as an unprivileged
 * user, in a mount namespace where /dev/net/tun has the mode that udev gives it, and
 * where the working copy is accessible whatever modes it and its parents have. For other
 * users the scenario itself is this test.
 */
test('two hosts share one Ethernet, set up by a user without privileges', async (t) => {
  if (process.getuid?.() !== 0) return;
  const missing = missingTools('unshare', 'setpriv', 'openssl', 'htpasswd', 'ping', 'ip');
  if (missing !== false) return t.skip(missing);
  const script = `
    set -e
    mount -t tmpfs tmpfs /mnt
    mkdir /mnt/etherws /mnt/tmp
    chmod 1777 /mnt/tmp
    mknod -m 0666 /mnt/tun c 10 200
    mount --bind /mnt/tun /dev/net/tun
    # Entry by entry, since only its owner may enter a clone that mktemp has made.
    for entry in "$1"/*; do
      place=/mnt/etherws/$(basename "$entry")
      if [ -d "$entry" ]; then mkdir "$place"; else touch "$place"; fi
      mount --bind "$entry" "$place"
    done
    cd /mnt/etherws
    unset NODE_TEST_CONTEXT
    export TMPDIR=/mnt/tmp HOME=/mnt/tmp
    exec setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \\
      "$2" --test --test-reporter tap dist/test/e2e/two-switches.test.js`;
  const { status, stdout, stderr } = await run([
    'unshare',
    '--mount',
    'bash',
    '-c',
    script,
    'bash',
    ROOT,
    process.execPath,
  ]);
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^# pass 4$/m);
  assert.match(stdout, /^# skipped 0$/m);
});
