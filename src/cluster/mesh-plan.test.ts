import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OwnEnd, wantedLinks } from './mesh-plan.ts';

const end = (node: string, networks: string[], url: string | null = `ws://${node}/`): OwnEnd => ({
  node,
  url,
  networks,
});
const shown = (own: OwnEnd, ...others: OwnEnd[]) =>
  wantedLinks(own, others).map(({ node, network, isDialled }) => `${isDialled ? 'dial' : 'await'} ${node} ${network}`);

test('there is a tunnel for each network of which both have members, dialled by the lower name', () => {
  const [a, b, c] = [end('a', ['x', 'y']), end('b', ['y', 'z']), end('c', ['x', 'y'])];
  assert.deepEqual(shown(a, b, c), ['dial b y', 'dial c x', 'dial c y']);
  assert.deepEqual(shown(b, a, c), ['await a y', 'dial c y']);
  assert.deepEqual(shown(end('d', []), a, b, c), []);
});

test('a node without a URL is not dialled, but dials; two of them have no tunnel', () => {
  const [a, b, c] = [end('a', ['x']), end('b', ['x'], null), end('c', ['x'], null)];
  assert.deepEqual(shown(a, b), ['await b x']);
  assert.deepEqual(shown(b, a, c), ['dial a x']);
});
