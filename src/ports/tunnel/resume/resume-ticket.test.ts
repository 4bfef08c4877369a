import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { ResumeTicket } from './resume-ticket.ts';

const TOKEN = 'Zm9yLXNvbWVib2R5LXdoby1jb21lcy1iYWNr';

test('a ticket asks for a token, presents the one it got last, and forgets one that was not renewed', () => {
  const ticket = new ResumeTicket();
  assert.equal(ticket.field, '1');
  ticket.renew(`1 ${TOKEN}`);
  assert.equal(ticket.field, `1 ${TOKEN}`);
  assert.equal(ticket.field, `1 ${TOKEN}`, 'a dialling that fails costs nothing');
  ticket.renew(undefined);
  assert.equal(ticket.field, '1');
  ticket.renew(`1 ${TOKEN}`);
  ticket.renew('2 something else');
  assert.equal(ticket.field, '1');
});

test('an object that holds a ticket does not show the token when it is logged', () => {
  const ticket = new ResumeTicket();
  ticket.renew(`1 ${TOKEN}`);
  assert.ok(!`${inspect({ ticket }, { depth: 9, showHidden: true })}${JSON.stringify({ ticket })}`.includes(TOKEN));
});
