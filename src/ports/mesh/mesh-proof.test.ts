import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { ReplayWindow } from '../../cluster/replay-window.ts';
import { MeshAuthenticator } from './mesh-authenticator.ts';
import { type MeshClaim, makeProof, readProof } from './mesh-proof.ts';

const KEY = randomBytes(32);
const CLAIM: MeshClaim = { from: 'r1', fromBoot: 'a', to: 'r2', toBoot: 'b', network: 'lab', number: 1 };

describe('the proof of a node', () => {
  test('says what was claimed, to a node with the same key only', () => {
    const { proof } = makeProof(CLAIM, KEY);
    assert.deepEqual(readProof(proof, [KEY])?.claim, CLAIM);
    assert.equal(readProof(proof, [randomBytes(32)]), undefined);
    assert.equal(readProof(proof, []), undefined);
  });

  test('is refused after any change', () => {
    const { proof } = makeProof(CLAIM, KEY);
    const [scheme, payload, mac] = proof.split('.');
    const other = Buffer.from(JSON.stringify(['r3', 'a', 'r2', 'b', 'lab', 1])).toString('base64url');
    const wrong = ['', '.', proof.slice(1), `${proof}.`, `${scheme}.${payload}`, `${scheme}.${other}.${mac}`];
    for (const text of [...wrong, `${scheme}.${payload}.`, `${proof}${'x'.repeat(4000)}`]) {
      assert.equal(readProof(text, [KEY]), undefined, text.slice(0, 60));
    }
    for (let at = 0; at < proof.length; at++) {
      // The last character of base64url has bits that are not used.
      const changed = `${proof.slice(0, at)}${proof[at] === 'A' ? 'B' : 'A'}${proof.slice(at + 1)}`;
      const read = readProof(changed, [KEY]);
      assert.ok(read === undefined || at === proof.length - 1, `character ${at}`);
    }
  });

  test('is answered by a node with the same key only, and each proof by another answer', () => {
    const [one, other] = [makeProof(CLAIM, KEY), makeProof(CLAIM, KEY)];
    assert.notEqual(one.proof, other.proof, 'the same claim twice');
    const answer = readProof(one.proof, [KEY])?.answer;
    assert.ok(one.isAnswer(answer));
    const [, payload, mac] = one.proof.split('.');
    for (const wrong of [undefined, '', one.proof, payload, mac, answer?.slice(1), `${answer}AAAA`]) {
      assert.equal(one.isAnswer(wrong), false, wrong);
    }
    assert.equal(other.isAnswer(answer), false, 'the answer to another proof');
    assert.equal(makeProof(CLAIM, randomBytes(32)).isAnswer(answer), false);
  });

  test('may be made with any key that is accepted, while the key is changed', () => {
    const former = randomBytes(32);
    for (const [makes, accepts] of [
      [former, [former, KEY]],
      [former, [KEY, former]],
      [KEY, [former, KEY]],
    ] as const) {
      const { proof, isAnswer } = makeProof(CLAIM, makes);
      assert.ok(isAnswer(readProof(proof, accepts)?.answer));
    }
  });
});

describe('the nodes that a node admits', () => {
  const admit = (claim: Partial<MeshClaim>, at = new MeshAuthenticator({ node: 'r2', boot: 'b', keys: () => [KEY] })) =>
    at.authenticate({
      authorization: `Bearer ${makeProof({ ...CLAIM, ...claim }, KEY).proof}`,
      remoteAddress: '192.0.2.1',
    });

  test('are those whose proof names it, its start, and the network', async () => {
    const { answer, ...verdict } = { answer: undefined, ...(await admit({})) };
    assert.deepEqual(verdict, { isAllowed: true, user: 'r1', networks: ['lab'] });
    assert.match(String(answer), /^[\w-]{43}$/);
    for (const claim of [{ to: 'r3' }, { toBoot: 'the start before' }, { from: 'r2' }]) {
      assert.deepEqual(await admit(claim), { isAllowed: false, reason: 'wrong' }, JSON.stringify(claim));
    }
  });

  test('show each proof once', async () => {
    const at = new MeshAuthenticator({ node: 'r2', boot: 'b', keys: () => [KEY] });
    assert.equal((await admit({ number: 5 }, at)).isAllowed, true);
    assert.equal((await admit({ number: 5 }, at)).isAllowed, false);
    assert.equal((await admit({ number: 4 }, at)).isAllowed, true, 'dials overtake each other');
    assert.equal((await admit({ number: 4 }, at)).isAllowed, false);
    assert.equal((await admit({ number: 5, fromBoot: 'another start' }, at)).isAllowed, true);
  });

  test('are admitted by a proof that thousands of others have overtaken', async () => {
    const at = new MeshAuthenticator({ node: 'r2', boot: 'b', keys: () => [KEY] });
    assert.equal((await admit({ number: 4096, network: 'stream for x' }, at)).isAllowed, true);
    assert.equal((await admit({ number: 1 }, at)).isAllowed, true);
    assert.equal((await admit({ number: 1 }, at)).isAllowed, false);
  });

  test('are none without credentials, with others, or while the key is not known', async () => {
    const at = new MeshAuthenticator({ node: 'r2', boot: 'b', keys: () => [] });
    assert.deepEqual(await admit({}, at), { isAllowed: false, reason: 'wrong' });
    const known = new MeshAuthenticator({ node: 'r2', boot: 'b', keys: () => [KEY] });
    for (const [authorization, reason] of [
      [undefined, 'missing'],
      ['Basic cjE6eA==', 'wrong'],
      ['Bearer x', 'wrong'],
    ] as const) {
      const verdict = await known.authenticate({ authorization, remoteAddress: '192.0.2.1' });
      assert.deepEqual(verdict, { isAllowed: false, reason });
    }
  });
});

test('a number that is far behind the highest one counts as used', () => {
  const window = new ReplayWindow();
  assert.ok(window.take('a', 1000));
  assert.ok(window.take('a', 937));
  assert.equal(window.take('a', 936), false);
  assert.equal(window.take('a', 937), false);
  assert.ok(window.take('b', 1));
});

test('numbers in any order are accepted once each, as far as the window reaches', () => {
  for (const size of [64, 4096]) {
    const window = new ReplayWindow(size);
    const taken = new Set<number>();
    let highest = 0;
    let seed = 1;
    for (let count = 0; count < 20_000; count++) {
      seed = (seed * 48_271) % 0x7fff_ffff;
      const leap = seed % 500 === 0 ? 2 ** 33 : 0;
      const number = Math.max(0, highest + leap + (seed % (2 * size + 300)) - 2 * size);
      const isFresh = number > highest - size && !taken.has(number);
      assert.equal(window.take('a', number), isFresh, `${number} after ${highest}`);
      if (isFresh) taken.add(number);
      if (isFresh) highest = Math.max(highest, number);
    }
  }
});
