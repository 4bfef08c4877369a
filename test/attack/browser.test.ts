import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestDaemon } from '../support/daemon.ts';
import { call, knock } from '../support/http.ts';

const BROWSER = { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' };

test('pages of other sites open no tunnel, unless --origin names them', async (t) => {
  const { tunnelPort: port, log } = await TestDaemon.start(t, { origin: ['https://Lab.example/'] });
  const own = `http://127.0.0.1:${port}`;
  const cases: [string, Record<string, string>, number][] = [
    ['a program', {}, 101],
    ['our client', { Origin: own }, 101],
    ['a page at our address', { Origin: own, ...BROWSER }, 101],
    ['the page that was named', { Origin: 'https://lab.example', ...BROWSER }, 101],
    ['a page of elsewhere', { Origin: 'https://evil.example', ...BROWSER }, 403],
    ['a page of elsewhere that calls itself a program', { Origin: 'https://evil.example' }, 403],
    ['a page of another port of ours', { Origin: `http://127.0.0.1:${port + 1}`, ...BROWSER }, 403],
    ['a page without origin', { Origin: 'null', ...BROWSER }, 403],
    [
      'a name that was pointed here',
      { Origin: `http://evil.example:${port}`, Host: `evil.example:${port}`, ...BROWSER },
      403,
    ],
  ];
  for (const [name, headers, status] of cases) {
    await t.test(`${name}: ${status}`, async () => {
      const answer = await knock({ port, headers });
      assert.equal(answer.status, status);
      if (status === 403) assert.match(answer.body, /--origin/);
    });
  }
  assert.ok(
    log.some(({ fields }) => fields.origin === 'https://evil.example'),
    'the refused client stands in the log',
  );
});

test('pages of other sites do not control the switch, whatever --origin allows', async (t) => {
  const { controlPort: port } = await TestDaemon.start(t, { origin: ['*'] });
  const host = 'localhost';
  assert.equal((await call({ host, port })).status, 200);
  assert.equal((await call({ host, port, headers: { Origin: 'https://evil.example' } })).status, 403);
  assert.equal((await call({ host, port, headers: { Host: `evil.example:${port}` } })).status, 403);
  assert.equal((await call({ host, port, headers: { 'Content-Type': 'text/plain' } })).status, 415);
});

test('permessage-deflate is not agreed on, whichever client offers it', async (t) => {
  const { tunnelPort: port } = await TestDaemon.start(t);
  const answer = await knock({ port, headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate' } });
  assert.equal(answer.status, 101);
  assert.equal(answer.headers['sec-websocket-extensions'], undefined);
});
