import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Mutant, mutated } from '../mutants.ts';

const EXCHANGE = 'bridge/mesh/station-exchange.js';
const TELLER = 'bridge/mesh/station-teller.js';

/** Mistakes in the exchange of stations that the simulation must find. */
const MUTANTS: readonly Mutant[] = [
  {
    what: 'keeps the stations of a node whose tunnel is down',
    file: 'bridge/mesh/fdb-stations.js',
    text: 'this.#fdb.forgetPort(port)',
    mistake: 'undefined',
  },
  {
    what: 'does not raise the sequence number of a station that has moved',
    file: EXCHANGE,
    text: 'station.sequence + 1 : 0',
    mistake: 'station.sequence : 0',
  },
  {
    what: 'does not tell that a station is gone',
    file: TELLER,
    text: 'this.#withdrawn.push({ vid: station.vid, mac: station.mac });',
    mistake: '',
  },
  {
    what: 'takes each digest for its own',
    file: 'bridge/mesh/station-sums.js',
    text: 'return count === this.count && sums[0] === this.#one && sums[1] === this.#other;',
    mistake: 'return true;',
  },
  {
    what: 'keeps what a whole set has left out',
    file: EXCHANGE,
    text: 'peer.stale = new Set(this.#parts.store.toldBy(node));',
    mistake: 'peer.stale = new Set();',
  },
];
const MOST_RUNS = 5;

mkdirSync('build', { recursive: true });
// Below the repository, where Node finds its packages.
const directory = mkdtempSync(join('build', 'cluster-mutants-'));
after(() => rmSync(directory, { recursive: true, force: true }));

for (const [index, mutant] of MUTANTS.entries()) {
  test(`the simulation finds a node that ${mutant.what}`, async () => {
    const { randomRun } = (await import(
      mutated(mutant, join(directory, String(index)), 'simulation/cluster/random-run.js')
    )) as typeof import('./random-run.ts');
    for (let seed = 1; seed <= MOST_RUNS; seed++) {
      if (randomRun({ nodes: 6, stations: 200, seed }).faults.length > 0) return;
    }
    assert.fail(`${MOST_RUNS} runs found nothing`);
  });
}
