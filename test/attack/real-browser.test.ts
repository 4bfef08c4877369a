import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SignJWT } from 'jose';
import type { Browser, Page } from 'playwright-core';
import { eventually } from '../support/etherws.ts';
import { keyPairOf } from '../support/key-pair.ts';
import { frameOf } from '../support/peer-frames.ts';
import { SwitchProcess } from '../support/switch-process.ts';
import { TunnelSocket } from '../support/tunnel-socket.ts';
import { once, PATIENCE_MS } from '../support/waits.ts';
import { openBrowser, openSite, openTunnelIn, REBOUND, sendFromPage } from '../support/web-browser.ts';

const FRAME = frameOf({ from: '02:00:00:00:00:0e', payload: 'from a page' });

async function visit(t: TestContext, browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  t.after(() => page.close());
  await page.goto(url);
  return page;
}

/** A tunnel to which frames of the pages would be flooded. */
async function listener(t: TestContext, lan: SwitchProcess): Promise<Buffer[]> {
  const tunnel = new TunnelSocket(`ws://127.0.0.1:${lan.tunnelPort}/`);
  t.after(() => tunnel.terminate());
  await once(tunnel, 'open');
  const frames: Buffer[] = [];
  tunnel.on('message', (frame: Buffer) => frames.push(frame));
  return frames;
}

test('Chromium: whose pages open tunnels', async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const site = await openSite(t);
  const lan = await SwitchProcess.start(t);
  const named = await SwitchProcess.start(t, ['--origin', `http://localhost:${site}`]);
  const elsewhere = `http://localhost:${site}/`;
  const there = `http://127.0.0.1:${site}/`;

  const cases: [string, string, string, SwitchProcess, boolean][] = [
    ['a page of another site', elsewhere, '127.0.0.1', lan, false],
    ['a page of another port of ours', there, '127.0.0.1', lan, false],
    ['our own page', `http://127.0.0.1:${lan.tunnelPort}/`, '127.0.0.1', lan, true],
    ['a page that --origin names', elsewhere, '127.0.0.1', named, true],
    ['one beside it that --origin does not name', there, '127.0.0.1', named, false],
    ['our own page, under a name that was rebound to us', `http://${REBOUND}:${lan.tunnelPort}/`, REBOUND, lan, false],
    ['a page of another site that calls us by such a name', elsewhere, REBOUND, lan, false],
  ];
  for (const [name, page, host, target, mayJoin] of cases) {
    await t.test(`${name}: ${mayJoin ? 'joins' : '403'}`, async (t) => {
      const heard = await listener(t, target);
      const { foreignPages: before = 0 } = await target.endpointCounters('tunnels');
      const url = `ws://${host}:${target.tunnelPort}/`;
      const attempt = await openTunnelIn(await visit(t, browser, page), url, FRAME);
      assert.equal(attempt.isOpen, mayJoin);
      if (mayJoin) {
        // Chromium offers compression. It must not be accepted, since it permits decompression bombs.
        assert.equal(attempt.extensions, '');
        await eventually(
          async () => heard,
          (frames) => frames.some((frame) => frame.equals(FRAME)),
        );
      } else {
        assert.match(attempt.said, /Unexpected response code: 403/);
        assert.match(target.log, /may not join; its operator can allow them with --origin/);
      }
      const { foreignPages = 0 } = await target.endpointCounters('tunnels');
      assert.equal(foreignPages, before + (mayJoin ? 0 : 1));
      assert.equal((await target.ports()).length, mayJoin ? 2 : 1);
    });
    // Waits until the tunnels of this case are gone, since the next case counts ports.
    await eventually(
      () => target.ports(),
      (ports) => ports.length === 0,
    );
  }
});

test('Chromium: a token in the URL opens a tunnel, and stands in no log', async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const directory = mkdtempSync(join(tmpdir(), 'etherws-browser-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const { publicKey, privateKey } = keyPairOf('ec', { namedCurve: 'P-256' });
  const keys = join(directory, 'keys.pem');
  writeFileSync(keys, publicKey.export({ type: 'spki', format: 'pem' }));
  const lan = await SwitchProcess.start(t, ['--tokenkeys', keys, '--tokenaudience', 'lan']);
  const page = `http://127.0.0.1:${lan.tunnelPort}/`;
  const token = (lifetime: string): Promise<string> =>
    new SignJWT({ aud: 'lan', sub: 'ada' })
      .setProtectedHeader({ alg: 'ES256' })
      .setExpirationTime(lifetime)
      .sign(privateKey);

  for (const [name, text, mayJoin] of [
    ['no token', '', false],
    ['one that expired', await token('-5 minutes'), false],
    ['a good one', await token('5 minutes'), true],
  ] as const) {
    await t.test(name, async (t) => {
      const url = `ws://127.0.0.1:${lan.tunnelPort}/${text === '' ? '' : `?access_token=${text}`}`;
      const attempt = await openTunnelIn(await visit(t, browser, page), url, FRAME);
      assert.equal(attempt.isOpen, mayJoin);
      const ports = await lan.ports();
      assert.equal(ports.length, mayJoin ? 1 : 0);
      if (text === '') return;
      // The signature alone must be absent, too, since it is the secret part.
      const signature = text.slice(text.lastIndexOf('.') + 1);
      for (const said of [lan.log, JSON.stringify(ports)]) assert.ok(!said.includes(signature));
    });
  }
  assert.match(lan.log, /"user":"ada"/);
});

test('Chromium: no page controls the switch, or learns anything of it', async (t) => {
  const browser = await openBrowser(t);
  if (browser === undefined) return;
  const site = await openSite(t);
  // Even if all pages may open tunnels, none may use the control API.
  const lan = await SwitchProcess.start(t, ['--origin', '*']);
  await listener(t, lan);
  const [standing] = await lan.ports();
  assert.ok(standing !== undefined);
  const { port } = standing;
  // A form sends NAME=VALUE, so a "=" in the text lets a form send it unchanged.
  const call = { jsonrpc: '2.0', id: 'a=b', method: 'etherws.control.delPort', params: { port } };

  const { controlPort } = lan;
  const pages: [string, string, string][] = [
    ['of another site', `http://localhost:${site}/`, `http://127.0.0.1:${controlPort}/ctl`],
    ['of another port of ours', `http://127.0.0.1:${site}/`, `http://127.0.0.1:${controlPort}/ctl`],
    ['of the tunnels’ listener', `http://127.0.0.1:${lan.tunnelPort}/`, `http://127.0.0.1:${controlPort}/ctl`],
    ['under a rebound name', `http://${REBOUND}:${controlPort}/ctl`, `http://${REBOUND}:${controlPort}/ctl`],
    ['that calls a rebound name', `http://localhost:${site}/`, `http://${REBOUND}:${controlPort}/ctl`],
  ];
  for (const [name, address, url] of pages) {
    await t.test(`a page ${name}`, async (t) => {
      const page = await visit(t, browser, address);
      const seen = await sendFromPage(page, url, JSON.stringify(call));
      const isSameOrigin = new URL(address).origin === new URL(url).origin;
      for (const [way, text] of Object.entries(seen)) {
        // For the browser a rebound page has the same origin, so it may read the response, which must be the refusal.
        if (isSameOrigin) assert.match(text, /The Host of the request is not a name of this switch/, way);
        else assert.equal(text, '', way);
      }
      assert.equal(Object.keys(seen).length, 7);
      assert.deepEqual(
        (await lan.ports()).map((entry) => entry.port),
        [port],
      );
    });
  }

  await t.test('a page of our own origin could: the call itself is right', async (t) => {
    const page = await visit(t, browser, `http://127.0.0.1:${controlPort}/ctl`);
    const seen = await sendFromPage(page, `http://127.0.0.1:${controlPort}/ctl`, JSON.stringify(call));
    assert.match(seen['a request with a preflight'] ?? '', /"result"/);
    assert.match(seen['a form'] ?? '', /must be application\/json/);
    assert.deepEqual(await lan.ports(), []);
  });
});
