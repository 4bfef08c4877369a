import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { ConsolePage, openConsole } from '../support/console-page.ts';
import { TestDaemon } from '../support/daemon.ts';
import { textFile, usersFile } from '../support/users-file.ts';

const PASSWORDS = { ada: 'open sesame' };

function users(t: TestContext): readonly string[] {
  return ['--ctlhtpasswd', usersFile(t, PASSWORDS)];
}

async function logIn(page: Page, user: string, password: string): Promise<void> {
  await page.getByLabel('User').fill(user);
  await page.getByLabel('Password', { exact: true }).last().fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

describe('the login of the console', () => {
  test('a wrong password is refused with a reason, the right one shows the switch, and logging out ends that', async (t) => {
    const opened = await openConsole(t, [...users(t), '--ctlname', 'relay.example']);
    if (opened === undefined) return;
    const { page, console } = opened;
    await logIn(page, 'ada', 'wrong');
    await page
      .getByRole('alert')
      .getByText('The user, the password or the token is wrong. Check them, or log in by etherws ctl console')
      .waitFor();
    assert.equal(await page.getByRole('navigation').count(), 0, 'nothing of the switch is shown');

    await logIn(page, 'ada', PASSWORDS.ada);
    await console.live();
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
    await page.reload();
    await console.live();

    await page.getByRole('button', { name: 'Log ada out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
  });

  test('a user that may call nothing is told so, and no connection is tried', async (t) => {
    const policy = textFile(t, 'policy', 'default: {control: {methods: none}}\n');
    const opened = await openConsole(t, [...users(t), '--policy', policy]);
    if (opened === undefined) return;
    const { page } = opened;
    let sockets = 0;
    page.on('websocket', () => sockets++);
    await logIn(page, 'ada', PASSWORDS.ada);
    await page.getByText('lets the user ada see nothing').waitFor();
    assert.equal(await page.getByText(/Connecti/).count(), 0);
    assert.equal(sockets, 0);
  });

  test('a code in the address logs in once where no login is, and is not kept in the address', async (t) => {
    const opened = await openConsole(t, users(t));
    if (opened === undefined) return;
    const { page, sw, console } = opened;
    await logIn(page, 'ada', PASSWORDS.ada);
    await console.live();
    const code = await codeOf(page);
    const context = await page.context().browser()?.newContext();
    const other = (await context?.newPage()) as Page;
    await other.goto(`http://127.0.0.1:${sw.controlPort}/console/#login=${code}`);
    await other.locator('.connection[data-state="open"]').waitFor();
    assert.doesNotMatch(other.url(), new RegExp(code));

    const unused = await codeOf(page);
    await other.goto('about:blank');
    await other.goto(`http://127.0.0.1:${sw.controlPort}/console/#login=${unused}`);
    await other.locator('.connection[data-state="open"]').waitFor();
    const third = (await (await page.context().browser()?.newContext())?.newPage()) as Page;
    await third.goto(`http://127.0.0.1:${sw.controlPort}/console/#login=${unused}`);
    await third.locator('.connection[data-state="open"]').waitFor();
    await third.context().close();

    await context?.clearCookies();
    await other.goto('about:blank');
    await other.goto(`http://127.0.0.1:${sw.controlPort}/console/#login=${code}`);
    await other.getByRole('alert').getByText(/code/).waitFor();
    await other.getByRole('button', { name: 'Log in' }).waitFor();
  });

  test('when the switch stops, the page says when it tries again, and is live by itself when the switch is back', async (t) => {
    const first = await TestDaemon.start(t);
    const opened = await ConsolePage.open(t, first.controlPort);
    if (opened === undefined) return;
    await opened.live();
    await first.daemon.close();
    await opened.page.getByText(/^Connection lost, trying again in \d+ s$/).waitFor();
    await TestDaemon.start(t, { ctlport: String(first.controlPort) });
    await opened.live();
    await opened.page.getByText('Live', { exact: true }).waitFor();
  });
});

/** A login code, by the WebSocket of the page's session. */
function codeOf(page: Page): Promise<string> {
  return page.evaluate<string>(`new Promise((resolve, reject) => {
    const socket = new WebSocket(new URL('live', document.baseURI.replace(/^http/, 'ws')));
    socket.onerror = () => reject(new Error('no WebSocket'));
    socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'etherws.control.createLogin' }));
    socket.onmessage = ({ data }) => { socket.close(); resolve(JSON.parse(data).result.entries[0].code); };
  })`);
}
