import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { PortEntry } from '../../src/control/entries.ts';
import { createAuthority } from '../support/certificates.ts';
import { openConsole } from '../support/console-page.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { call } from '../support/http.ts';
import { enterOwnNamespace } from '../support/own-namespace.ts';
import { Process, run } from '../support/process.ts';
import { usersFile } from '../support/users-file.ts';

/** What the view "Add a tunnel" offers to paste is pasted, into another switch with its defaults. */

// The other switch has the usual ports 80 and 7867.
const skip = enterOwnNamespace('ip', 'bash', 'openssl', 'chromium');
const USER = 'ann';
const PASSWORD = 'correct horse';

function workDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'etherws-add-'));
  t.after(() => rmSync(directory, { recursive: true }));
  // The command that is pasted begins with `etherws`.
  writeFileSync(join(directory, 'etherws'), `#!/bin/sh\nexec ${ETHERWS.map((word) => `'${word}'`).join(' ')} "$@"\n`);
  chmodSync(join(directory, 'etherws'), 0o755);
  return directory;
}

async function text(page: Page, name: string): Promise<string> {
  return (await page.locator(`[data-copy="${name}"]`).textContent()) ?? '';
}

async function portsOf(controlPort: number): Promise<PortEntry[]> {
  const { body } = await call({ port: controlPort }, 'listPort', {});
  return (JSON.parse(body) as { result: { entries: PortEntry[] } }).result.entries;
}

const isUp = ({ state }: PortEntry): boolean => state === 'up';

test('a pasted command makes a tunnel, with TLS by a pin and a password', { skip }, async (t) => {
  await run(['ip', 'link', 'set', 'lo', 'up']);
  const directory = workDirectory(t);
  const authority = await createAuthority(directory);
  const { key, certificate } = await authority.issue('localhost', ['127.0.0.1']);
  const users = usersFile(t, { [USER]: PASSWORD });
  const options = ['--sslkey', key, '--sslcert', certificate, '--htpasswd', users];
  const opened = await openConsole(t, options, { hash: '#/add' });
  if (opened === undefined) return;
  const { sw, page, console } = opened;
  await sw.call('addNet', { network: 'lab' });
  await console.live();

  const { PATH = '' } = process.env;
  const env = { PATH: `${directory}:${PATH}`, ETHERWS_CLIENT_PASSWD: PASSWORD };
  const other = new Process(['bash', '-c', 'exec etherws sw --foreground --logformat json'], {
    env,
    timeoutMs: 300_000,
  });
  t.after(() => other.end());
  await other.output(/"msg":"ready"/);

  await t.test('without a user there is no command', async () => {
    await page.getByText('Give the user of the other side').waitFor();
    assert.equal(await page.locator('[data-copy="command"]').count(), 0);
  });

  await t.test('the command is pasted, and the tunnel comes up in its network', async () => {
    await page.getByLabel('User', { exact: true }).first().fill(USER);
    await page.getByLabel('Network here').selectOption('lab');
    await page.getByLabel('Name of the port there').fill('relay');
    const command = await text(page, 'command');
    assert.match(
      command,
      /^etherws ctl addport client wss:\/\/127\.0\.0\.1:\d+\/lab --user ann --pin sha256\/\/\S+ --name relay$/,
    );
    const { status, stdout, stderr } = await run(['bash', '-c', command], { env });
    assert.deepEqual([status, stderr], [0, ''], stdout);
    const [accepted] = await eventually(
      () => sw.ports(),
      (ports) => ports.some(isUp),
    );
    assert.equal(accepted?.network, 'lab');
    const [dialled] = await portsOf(7867);
    assert.deepEqual([dialled?.name, dialled?.state], ['relay', 'up']);
  });

  await t.test('the QR code is that of the URL, and a button copies the command', async () => {
    const url = await text(page, 'URL');
    await page.getByRole('img', { name: `QR code of ${url}` }).waitFor();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy the command', exact: true }).click();
    await page.getByText('Copied').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), await text(page, 'command'));
  });

  await t.test('this switch dials the other one', async () => {
    const dial = page.locator('.add-dial');
    await dial.getByLabel('URL of the other switch').fill('ws://127.0.0.1/');
    await dial.getByLabel('Name', { exact: true }).fill('back');
    await dial.getByRole('button', { name: 'Dial it' }).click();
    await dial.getByText(/Port \d+ was added/).waitFor();
    // A second tunnel between the same two switches is another network's, so it comes up.
    await eventually(
      () => sw.ports(),
      (ports) => ports.some((port) => port.name === 'back' && isUp(port)),
    );
  });

  await t.test('a refusal of the switch is said', async () => {
    const dial = page.locator('.add-dial');
    await dial.getByLabel('URL of the other switch').fill('http://127.0.0.1/');
    await dial.getByRole('button', { name: 'Dial it' }).click();
    assert.match((await dial.getByRole('alert').textContent()) ?? '', /ws:\/\/ or wss:\/\//);
  });
});
