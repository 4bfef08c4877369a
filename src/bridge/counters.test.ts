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
