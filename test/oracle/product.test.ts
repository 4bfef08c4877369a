import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { enterOwnNamespace } from '../support/own-namespace.ts';
import { CoreWorld } from './core-world.ts';
import { SHUT } from './generate.ts';
import { ProductWorld } from './product-world.ts';
import { findDifference } from './runs.ts';

const skip = enterOwnNamespace('python3', 'ip');
const product = skip === false ? await ProductWorld.open() : undefined;
after(() => product?.close());

test('the switch with netdev ports and its data path in C forwards as the bridge that others have judged', {
  skip,
}, async () => {
  assert.ok(product !== undefined);
  const difference = await findDifference(product, new CoreWorld(), SHUT, { runs: 20, seed: 1 });
  assert.ok(difference === undefined, difference);
});
