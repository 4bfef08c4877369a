import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { ConsolePage } from '../support/console-page.ts';
import { GOOD, PASSWORD, temporaryDirectory, USER, usersFile } from '../support/console-users.ts';
import { ETHERWS, eventually } from '../support/etherws.ts';
import { run } from '../support/process.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { openBrowser, openSite, openTunnelIn, sendFromPage } from '../support/web-browser.ts';

const users = usersFile(temporaryDirectory(), 'users');

async function logIn(page: Page): Promise<void> {
  await page.locator('input[name="user"]').fill(USER);
  await page.locator('input[name="password"]').fill(PASSWORD);
  await page.locator('button[type="submit"]').click();
  await isLive(page);
}

async function isLive(page: Page): Promise<void> {
  await page.locator('.connection[data-state="open"]').waitFor();
}

/** The ways in which text that became markup or script would do harm. Each ends in what was prevented. */
const HARM = `(async () => {
  const violations = [];
  addEventListener('securitypolicyviolation', ({ effectiveDirective }) => violations.push(effectiveDirective));
  const done = {};
  const attempt = async (name, act) => {
    try {
      done[name] = await act();
    } catch (error) {
      done[name] = error.name;
    }
  };
  await attempt('markup of text', () => { document.body.innerHTML += '<img src=x onerror="globalThis.harmed = 1">'; return 'made'; });
  await attempt('an inline script', () => {
    const script = document.createElement('script');
    script.append('globalThis.harmed = 2');
    document.body.append(script);
    return globalThis.harmed === undefined ? 'not run' : 'run';
  });
  await attempt('a handler in an attribute', () => {
    const button = document.createElement('button');
    button.setAttribute('onclick', 'globalThis.harmed = 3');
    document.body.append(button);
    button.click();
    return globalThis.harmed === undefined ? 'not run' : 'run';
  });
  // In a turn of its own: the tool that runs this text may use eval in the first one.
  await attempt('eval', () => new Promise((resolve, reject) => setTimeout(() => {
    try {
      resolve((0, eval)('globalThis.harmed = 4'));
    } catch (error) {
      reject(error);
    }
  })));
  await attempt('a style attribute', () => {
    const box = document.createElement('p');
    box.setAttribute('style', 'position: fixed');
    document.body.append(box);
    return getComputedStyle(box).position;
  });
  await attempt('a request to another origin', () => fetch(FOREIGN, { mode: 'no-cors' }).then(() => 'sent'));
  await attempt('a WebSocket to another origin', () => new Promise((resolve) => {
    const socket = new WebSocket(FOREIGN.replace('http', 'ws'));
    socket.onopen = () => resolve('open');
    socket.onerror = () => resolve('refused');
  }));
  await attempt('an image of another origin', () => new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve('loaded');
    image.onerror = () => resolve('refused');
    image.src = FOREIGN;
  }));
  await attempt('a frame', () => new Promise((resolve) => {
    const frame = document.createElement('iframe');
    frame.onload = () => resolve('');
    frame.src = FOREIGN;
    document.body.append(frame);
  }));
  return { done, violations: [...new Set(violations)].sort(), harmed: globalThis.harmed ?? null };
})()`;

test('Chromium: the policy of the console stops what injected text would do', async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const site = await openSite(t);
  const { controlPort } = await SwitchProcess.start(t, ['--ctlhtpasswd', users]);
  const opened = await ConsolePage.inBrowser(browser, `http://127.0.0.1:${controlPort}/console/`);
  await logIn(opened.page);
  opened.assertClean();
  const harm = HARM.replaceAll('FOREIGN', JSON.stringify(`http://localhost:${site}/`));
  const result = await opened.page.evaluate<{ done: object; violations: string[]; harmed: unknown }>(harm);
  assert.deepEqual(result.done, {
    'markup of text': 'TypeError',
    'an inline script': 'not run',
    'a handler in an attribute': 'TypeError',
    eval: 'EvalError',
    'a style attribute': 'static',
    'a request to another origin': 'TypeError',
    'a WebSocket to another origin': 'refused',
    'an image of another origin': 'refused',
    'a frame': '',
  });
  assert.equal(result.harmed, null);
  for (const directive of ['connect-src', 'img-src', 'frame-src', 'style-src-attr', 'require-trusted-types-for']) {
    assert.ok(result.violations.includes(directive), `${directive} in ${result.violations}`);
  }
});

test('Chromium: another site cannot frame the console, nor use or end the session of the browser', async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const site = await openSite(t);
  const lan = await SwitchProcess.start(t, ['--ctlhtpasswd', users]);
  const url = `http://127.0.0.1:${lan.controlPort}/console/`;
  const context = await browser.newContext();
  const console = await context.newPage();
  await console.goto(url);
  await logIn(console);
  // Another port of the same host is the same site: there the browser sends the cookie.
  for (const host of ['localhost', '127.0.0.1']) {
    const page = await context.newPage();
    await page.goto(`http://${host}:${site}/`);
    assert.match(await framed(page, url), /frame-ancestors 'none'/, `a frame in a page of ${host}`);
    const socket = await openTunnelIn(page, `${url.replace('http', 'ws')}live`, new Uint8Array(1));
    assert.equal(socket.isOpen, false, `a WebSocket of a page of ${host}`);
    for (const path of ['login', 'logout', 'session']) {
      await page.goto(`http://${host}:${site}/`);
      const seen = await sendFromPage(page, url + path, JSON.stringify({ ...GOOD, x: '=' }));
      for (const [way, answer] of Object.entries(seen))
        assert.doesNotMatch(answer, /"user"|methods/, `${path}: ${way}`);
    }
    await page.close();
  }
  await console.reload();
  await isLive(console);
});

/** Has the page show `url` in a frame. @returns why the browser refuses that */
async function framed(page: Page, url: string): Promise<string> {
  const refused = page.waitForEvent('console', (message) => message.text().includes('frame'));
  await page.evaluate(`(() => {
    const frame = document.createElement('iframe');
    frame.src = ${JSON.stringify(url)};
    document.body.append(frame);
  })()`);
  return (await refused).text();
}

test('Chromium: a one-time login opens the console, and leaves no code in the address or its history', async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const lan = await SwitchProcess.start(t);
  const made = await run([
    ...ETHERWS,
    'ctl',
    '--ctlurl',
    `http://127.0.0.1:${lan.controlPort}/ctl`,
    'console',
    '--no-open',
  ]);
  const url = made.stdout.trim();
  assert.match(url, /#login=[\w-]{43}$/);
  const opened = await (await ConsolePage.inBrowser(browser, url)).live();
  assert.doesNotMatch(opened.page.url(), /login/);
  // Root of this host is admitted without a login, so the page is live before the code has opened its session.
  await eventually(
    () => opened.page.context().cookies(),
    (cookies) => cookies.length === 1,
  );
  await opened.page.goBack();
  assert.doesNotMatch(opened.page.url(), /login/);
  opened.assertClean();
});
