import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostFacts, MOST_ADDRESSES } from './host-facts.ts';

const A = '\xc0\x00\x02\x01';
const B = '\xc0\x00\x02\x02';

test('the revision changes with the addresses, and not when one is only seen again', () => {
  const facts = new HostFacts();
  const empty = facts.revision(0);
  facts.note(A, false, 1000, MOST_ADDRESSES);
  const one = facts.revision(0);
  assert.notEqual(one, empty);
  facts.note(A, false, 2000, MOST_ADDRESSES);
  assert.equal(facts.revision(0), one);
  facts.note(B, false, 3000, MOST_ADDRESSES);
  const two = facts.revision(0);
  assert.notEqual(two, one);
  assert.equal(facts.revision(1999), two);
  assert.notEqual(facts.revision(2000), two, 'an address ends at its time');
  assert.notEqual(facts.revision(3000), facts.revision(2000));
});

test('an address ends at its time', () => {
  const facts = new HostFacts();
  facts.note(A, false, 1000, MOST_ADDRESSES);
  assert.deepEqual(facts.addresses(999), [{ address: A, isLease: false, untilMs: 1000 }]);
  assert.deepEqual(facts.addresses(1000), []);
});

test('the address that was seen last comes first, and one without room takes the place of the oldest', () => {
  const facts = new HostFacts();
  facts.note(A, false, 1000, 2);
  facts.note(B, false, 1000, 2);
  facts.note(A, false, 1000, 2);
  assert.deepEqual(
    facts.addresses(0).map(({ address }) => address),
    [A, B],
  );
  facts.note('C', true, 500, 2);
  assert.deepEqual(facts.addresses(0), [
    { address: 'C', isLease: true, untilMs: 500 },
    { address: A, isLease: false, untilMs: 1000 },
  ]);
  assert.equal(facts.size, 2);
});

test('ARP does not shorten a lease, and a lease that ends is forgotten without the other addresses', () => {
  const facts = new HostFacts();
  facts.note(A, true, 5000, MOST_ADDRESSES);
  facts.note(A, false, 1000, MOST_ADDRESSES);
  assert.deepEqual(facts.addresses(0), [{ address: A, isLease: true, untilMs: 5000 }]);
  facts.note(A, true, 2000, MOST_ADDRESSES);
  assert.deepEqual(facts.addresses(0), [{ address: A, isLease: true, untilMs: 2000 }], 'the server has the last word');
  facts.note(B, false, 5000, MOST_ADDRESSES);
  const before = facts.revision(0);
  facts.endLeases((address) => address === A || address === B);
  assert.deepEqual(
    facts.addresses(0).map(({ address }) => address),
    [B],
  );
  assert.notEqual(facts.revision(0), before);
});

test('an address that ends while another one becomes valid again is a change, and one that has ended before is none', () => {
  const facts = new HostFacts();
  facts.note(A, false, 1000, MOST_ADDRESSES);
  facts.note(B, true, 5000, MOST_ADDRESSES);
  const before = facts.revision(2000);
  facts.endLeases((address) => address === B);
  facts.note(A, true, 9000, MOST_ADDRESSES);
  const after = facts.revision(2000);
  assert.notEqual(after, before);
  facts.endLeases((address) => address === B);
  assert.equal(facts.revision(2000), after);
});

test('no two states of the addresses have the same revision, in whatever order they come and end', () => {
  const facts = new HostFacts();
  const revisions: number[] = [];
  for (let at = 0; at < 40; at++) {
    facts.note(String.fromCharCode(at, 0, 0, 1), at % 2 === 0, 1000 + at, 3);
    revisions.push(facts.revision(0), facts.revision(1000 + at));
  }
  facts.endLeases(() => true);
  revisions.push(facts.revision(0));
  facts.note(A, true, 1000, 3);
  revisions.push(facts.revision(0));
  facts.endLeases(() => true);
  facts.note(B, true, 1000, 3);
  revisions.push(facts.revision(0));
  assert.deepEqual([...new Set(revisions)], revisions);
  assert.ok(revisions.every((revision) => Number.isSafeInteger(revision)));
});

test('an address that ends and one that comes are not the former state', () => {
  const facts = new HostFacts();
  for (let at = 0; at < MOST_ADDRESSES; at++) facts.note(String.fromCharCode(at), false, 1000, MOST_ADDRESSES);
  const eight = facts.revision(0);
  assert.notEqual(facts.revision(1000), eight);
  facts.note('x', false, 2000, MOST_ADDRESSES);
  for (const nowMs of [0, 1000, 2000]) assert.notEqual(facts.revision(nowMs), eight);
});

test('an address by ARP that a server then assigns is a lease, and stays one', () => {
  const facts = new HostFacts();
  facts.note(A, false, 1000, MOST_ADDRESSES);
  facts.note(A, true, 500, MOST_ADDRESSES);
  assert.deepEqual(facts.addresses(0), [{ address: A, isLease: true, untilMs: 500 }]);
});
