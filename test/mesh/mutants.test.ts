import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Mutant, mutated } from '../simulation/mutants.ts';

const EXCHANGE = 'bridge/mesh/station-exchange.js';
const TELLER = 'bridge/mesh/station-teller.js';

/** Mistakes that lives of random meshes must find. */
const MUTANTS: readonly Mutant[] = [
  {
    what: 'sends on to nodes what came from a node',
    file: 'bridge/stages/split-horizon.js',
    text: 'return ingress.meshNode !== undefined && egress.meshNode !== undefined;',
    mistake: 'return false;',
  },
  {
    what: 'takes a station over without a later sequence number',
    file: EXCHANGE,
    text: 'wasTold ? station.sequence + 1 : 0',
    mistake: 'wasTold ? station.sequence : 0',
  },
  {
    what: 'keeps its own station when another node has it by a later move',
    file: 'bridge/mesh/mesh-station.js',
    text: 'return one.sequence > other.sequence;',
    mistake: 'return one.sequence < other.sequence;',
  },
  {
    what: 'withdraws nothing',
    file: TELLER,
    text: 'this.#withdrawn.push({ vid: station.vid, mac: station.mac });',
    mistake: '',
  },
  {
    what: 'ignores what a digest shows',
    file: EXCHANGE,
    text: 'peer.differs(false, nowMs);',
    mistake: '',
  },
  {
    what: 'keeps what a whole set does not have',
    file: EXCHANGE,
    text: 'this.#forgetAll(stale, nowMs);',
    mistake: '',
  },
  {
    what: 'forgets nothing when a node is lost',
    file: EXCHANGE,
    text: 'this.#forgetting(() => this.#parts.store.forgetNode(node));',
    mistake: '',
  },
  {
    what: 'counts a station twice that is told again',
    file: EXCHANGE,
    text: 'this.#peers.get(known.port.meshNode)?.sums.remove(known);',
    mistake: '',
  },
  {
    what: 'leaves alone what differs while its table is full',
    file: EXCHANGE,
    text: 'nowMs - peer.wholeMs < DIGEST_EVERY_MS',
    mistake: 'true',
    seed: 275,
  },
];

/** Digests repair what a node does not withdraw, so one life of about 100 shows it. */
const MOST_RUNS = 1000;

mkdirSync('build', { recursive: true });
// Below the repository, where Node finds its packages.
const directory = mkdtempSync(join('build', 'mesh-mutants-'));
after(() => rmSync(directory, { recursive: true, force: true }));

for (const [index, mutant] of MUTANTS.entries()) {
  test(`random meshes find a node that ${mutant.what}`, async () => {
    const entry = mutated(mutant, join(directory, String(index)), 'support/random-mesh.js');
    const { liveInMesh } = (await import(entry)) as typeof import('../support/random-mesh.ts');
    const { seed: first = 1 } = mutant;
    assert.throws(() => {
      for (let seed = first; seed < first + MOST_RUNS; seed++) liveInMesh(seed);
    }, assert.AssertionError);
  });
}
