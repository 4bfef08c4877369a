import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { ConsoleClient, cookieOf } from '../support/console-client.ts';
import { GOOD, lineOf, PASSWORD, temporaryDirectory, USER, usersFile } from '../support/console-users.ts';
import { TestDaemon } from '../support/daemon.ts';
import { eventually } from '../support/etherws.ts';
import { call } from '../support/http.ts';
import { once } from '../support/waits.ts';

const directory = temporaryDirectory();
const users = usersFile(directory, 'users');

function socketOf(live: WebSocket | number): WebSocket {
  assert.ok(live instanceof WebSocket, `the WebSocket was refused with ${live}`);
  return live;
}

describe('sessions of the console', () => {
  test('nothing is told without a login, and after it all that the user may', async (t) => {
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: users });
    const client = new ConsoleClient(controlPort);
    const before = await client.get('session');
    assert.equal(before.status, 401);
    assert.deepEqual(JSON.parse(before.body).wants, ['password']);
    assert.doesNotMatch(String(before.headers['www-authenticate']), /Basic/i, 'browsers would ask for a password');
    assert.equal(await client.live(), 401);
    // A password that the browser keeps for the host is no login here: any page could make the browser send it.
    const Authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
    assert.equal((await client.get('session', { Authorization })).status, 401);
    assert.equal((await client.get(`session?access_token=${encodeURIComponent(PASSWORD)}`)).status, 401);
    assert.equal((await client.login({ user: USER, password: 'wrong' })).status, 401);
    assert.equal((await client.login(GOOD)).status, 200);
    const session = JSON.parse((await client.get('session')).body);
    assert.equal(session.user, USER);
    assert.ok(session.methods.includes('delPort'));
    const live = socketOf(await client.live());
    live.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'etherws.control.listPort' }));
    const [answer] = await once(live, 'message');
    assert.deepEqual(JSON.parse(String(answer)).result, { entries: [] });
    live.terminate();
  });

  test('the cookie is for this console alone, and not for scripts', async (t) => {
    const { controlPort, log } = await TestDaemon.start(t, { ctlhtpasswd: users });
    const client = new ConsoleClient(controlPort);
    const cookie = cookieOf(await client.login(GOOD)) ?? '';
    assert.match(cookie, new RegExp(`^etherws-session-${controlPort}=[\\w-]{43}; HttpOnly; SameSite=Strict$`));
    // The control API itself takes no cookie.
    const headers = { Cookie: client.cookie ?? '' };
    assert.equal((await call({ host: 'localhost', port: controlPort, headers })).status, 401);
    assert.ok(!JSON.stringify(log).includes(cookie.split(/[=;]/)[1] ?? '?'), 'the id is in the log');
  });

  test('fixation: a login makes a new id, and ends the session that was there', async (t) => {
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: users });
    const victim = new ConsoleClient(controlPort, { cookie: `etherws-session-${controlPort}=${'A'.repeat(43)}` });
    const planted = victim.cookie;
    await victim.login(GOOD);
    assert.notEqual(victim.cookie, planted);
    assert.equal((await new ConsoleClient(controlPort, { cookie: planted }).get('session')).status, 401);
    const former = new ConsoleClient(controlPort, { cookie: victim.cookie });
    await victim.login(GOOD);
    assert.notEqual(victim.cookie, former.cookie);
    assert.equal((await former.get('session')).status, 401);
    assert.equal((await victim.get('session')).status, 200);
  });

  test('two session cookies are none: one of them may be planted by another site of the domain', async (t) => {
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: users });
    const client = new ConsoleClient(controlPort);
    await client.login(GOOD);
    const both = `${client.cookie}; etherws-session-${controlPort}=${'A'.repeat(43)}`;
    assert.equal((await client.get('session', { Cookie: both })).status, 401);
  });

  test('logging out ends the session and its WebSockets, and those of no other session', async (t) => {
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: users });
    const [client, other] = [new ConsoleClient(controlPort), new ConsoleClient(controlPort)];
    await client.login(GOOD);
    await other.login(GOOD);
    const [live, others] = [socketOf(await client.live()), socketOf(await other.live())];
    const closed = once(live, 'close');
    const answer = await client.post('logout', '');
    assert.equal(answer.status, 204);
    assert.match(cookieOf(answer) ?? '', /=; .*Max-Age=0/);
    // At once: the check of every 30 s has another reason.
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [1008, 'the session has ended']);
    assert.equal((await client.get('session')).status, 401);
    assert.equal(await client.live(), 401);
    assert.equal((await other.get('session')).status, 200);
    assert.equal(others.readyState, WebSocket.OPEN);
    others.terminate();
  });

  test('a user that is deleted, or has another password, has no session any more', async (t) => {
    const file = usersFile(directory, 'changing');
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: file });
    const client = new ConsoleClient(controlPort);
    await client.login(GOOD);
    writeFileSync(file, lineOf('other', 'something else'));
    await eventually(
      () => client.get('session'),
      ({ status }) => status === 401,
    );
    writeFileSync(file, lineOf(USER, PASSWORD));
    const again = new ConsoleClient(controlPort);
    await eventually(
      () => again.login(GOOD),
      ({ status }) => status === 200,
    );
    assert.equal((await client.get('session')).status, 401, 'an ended session stays ended');
  });

  test('failed logins from its address do not keep a session whose user was deleted', async (t) => {
    const file = usersFile(directory, 'throttled');
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: file, loginFailures: '2' });
    const [client, guesser] = [new ConsoleClient(controlPort), new ConsoleClient(controlPort)];
    await client.login(GOOD);
    const guess = () => guesser.login({ user: USER, password: 'x' }).then(({ status }) => status);
    await eventually(guess, (status) => status === 429);
    writeFileSync(file, lineOf('other', 'something else'));
    const found = await eventually(
      async () => [await guess(), (await client.get('session')).status],
      ([guessed, status]) => guessed === 429 && status === 401,
    );
    assert.deepEqual(found, [429, 401]);
  });

  test('many sessions of one user end the oldest of that user, and none of others', async (t) => {
    const file = usersFile(directory, 'two', lineOf(USER, PASSWORD) + lineOf('other', PASSWORD));
    const { controlPort } = await TestDaemon.start(t, { ctlhtpasswd: file });
    const other = new ConsoleClient(controlPort);
    await other.login({ user: 'other', password: PASSWORD });
    const clients = Array.from({ length: 40 }, () => new ConsoleClient(controlPort));
    for (const client of clients) assert.equal((await client.login(GOOD)).status, 200);
    const statuses = await Promise.all(clients.map(async (client) => (await client.get('session')).status));
    assert.equal(statuses.filter((status) => status === 200).length, 32);
    assert.ok(
      statuses.slice(8).every((status) => status === 200),
      'the newest are there',
    );
    assert.equal((await other.get('session')).status, 200);
  });
});
