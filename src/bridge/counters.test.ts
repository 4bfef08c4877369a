import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counters } from './counters.ts';

/** Scripts read them from `listport` and from the control API: a name that was there once stays. */
const REASONS =
  'runt tooLong shut linkDown queueFull queueDelay deviceError badOffload filtered reserved badSource badVid vlanFiltered tagDenied tagMissing badMembership echoed standby discarding isolated splitHorizon mirrorOutput sourceDenied typeDenied serverDenied rateExceeded protected macLimit locked floodOff stormBroadcast stormMulticast stormUnicast ipSourceDenied arpDenied ndDenied'.split(
    ' ',
  );

test('the names of the discard reasons, which users see, and no other', () => {
  assert.deepEqual(Object.keys(new Counters().discards), REASONS);
});

test('discards are counted by reason, and told in the order of the names, whatever the order in which they occur', () => {
  const counters = new Counters();
  counters.discard('ndDenied', 2);
  counters.discard('runt');
  counters.discard('queueFull', 3);
  counters.discard('runt', 4);
  assert.deepEqual(
    [...counters.occurred()].map(({ reason, frames }) => [reason, frames]),
    [
      ['runt', 5],
      ['queueFull', 3],
      ['ndDenied', 2],
    ],
  );
  const { runt, tooLong, queueFull, ndDenied } = counters.discards;
  assert.deepEqual([runt, tooLong, queueFull, ndDenied, counters.discarded], [5, 0, 3, 2, 10]);
  assert.deepEqual([counters.discardsFor('runt'), counters.discardsFor('shut')], [5, 0]);
});
