import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSecret } from '../../src/cluster/secret/cluster-secret.ts';
import { seal, unseal } from '../../src/cluster/secret/seal.ts';
import { EtherwsError } from '../../src/errors.ts';
import { makeProof, readProof } from '../../src/ports/mesh/mesh-proof.ts';
import { fuzzCases, fuzzSeed, Random } from '../support/random.ts';

const CASES = fuzzCases(20_000);
const CLAIM = { from: 'r1', fromBoot: 'a', to: 'r2', toBoot: 'b', network: 'lab', number: 1 };

/** The text with some characters changed, cut off or repeated. */
function spoiled(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const kind = random.below(3);
  if (kind === 0) return text.slice(0, at);
  if (kind === 1) return text.slice(0, at) + text.slice(random.below(text.length + 1));
  return `${text.slice(0, at)}${String.fromCharCode(random.below(0x300))}${text.slice(at + 1)}`;
}

test(`${CASES} sealed messages, proofs and answers with changed characters are refused, and none throws`, () => {
  const random = new Random(fuzzSeed());
  const key = random.bytes(32);
  for (let number = 0; number < CASES; number++) {
    const sealed = seal('message', 'node', { from: 'r1', start: 's', number }, { text: 'é\n"' }, key);
    const text = JSON.stringify(sealed);
    const changed = spoiled(random, text);
    let value: unknown = changed;
    try {
      value = JSON.parse(changed);
    } catch {
      // What is no JSON does not come this far.
    }
    const opened = unseal('message', 'node', value, [key]);
    // Other characters for the same octets, and members that no code covers, change nothing.
    if (opened !== undefined) assert.deepEqual([opened.number, opened.message], [number, { text: 'é\n"' }], changed);
    assert.equal(unseal('request', 'node', sealed, [key]), undefined);
    assert.equal(unseal('message', 'other', sealed, [key]), undefined);

    const { proof, isAnswer } = makeProof(CLAIM, key);
    const read = readProof(spoiled(random, proof), [key]);
    if (read !== undefined) assert.deepEqual(read.claim, CLAIM);
    const answer = readProof(proof, [key])?.answer ?? '';
    const other = spoiled(random, answer);
    if (isAnswer(other)) assert.deepEqual(Buffer.from(other, 'base64url'), Buffer.from(answer, 'base64url'));
  }
});

test(`${CASES} files with a secret, of which some are none, give keys or an error without the key`, () => {
  const random = new Random(fuzzSeed());
  for (let number = 0; number < CASES; number++) {
    const key = random.bytes(32).toString('base64');
    const text = spoiled(random, `# comment\n${key}\n`);
    try {
      const keys = parseSecret('file', text);
      assert.ok(keys.every(({ length }) => length === 32));
    } catch (error) {
      assert.ok(error instanceof EtherwsError && error.code === 'CLUSTER_SECRET_INVALID', String(error));
      assert.ok(!error.message.includes(key.slice(4, 20)));
    }
  }
});
