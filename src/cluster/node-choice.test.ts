import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, lighterNode, nodeInstead, nodesToTell, urlAt } from './node-choice.ts';

function node(name: string, tunnels: number, more: Partial<Candidate> = {}): Candidate {
  const load = { tunnels, mostTunnels: 100, loopDelayMs: 0 };
  return { node: name, url: `wss://${name}.example/`, load, isDraining: false, ...more };
}

test('a new client goes to a node whose load is well below, and only from one with some load', () => {
  assert.equal(lighterNode(16, [node('b', 0)]), undefined);
  assert.equal(lighterNode(17, [node('b', 0)])?.node, 'b');
  assert.equal(lighterNode(40, [node('b', 32)]), undefined);
  assert.equal(lighterNode(41, [node('b', 32)])?.node, 'b');
});

test('a node is chosen by chance, and rather one with a low load', () => {
  const nodes = [node('b', 10), node('c', 20)];
  const counts = { b: 0, c: 0 };
  for (let step = 0; step < 100; step++) {
    const found = lighterNode(40, nodes, () => step / 100)?.node as 'b' | 'c';
    counts[found]++;
  }
  assert.deepEqual(counts, { b: 60, c: 40 });
  assert.equal(nodeInstead(nodes, () => 0.999)?.node, 'c');
});

test('no client is sent to a node that is drained, is full, or has no URL for clients', () => {
  const none = [
    node('b', 0, { isDraining: true }),
    node('c', 100),
    node('d', 0, { url: null }),
    node('e', 0, { url: 'ws+unix:@e' }),
  ];
  assert.equal(lighterNode(1000, none), undefined);
  assert.equal(nodeInstead(none), undefined);
});

test('the URL leads to the same network, and has nothing else of the client', () => {
  assert.equal(urlAt(node('b', 0), undefined), 'wss://b.example/');
  assert.equal(urlAt(node('b', 0), 'lab'), 'wss://b.example/lab');
  assert.equal(urlAt({ ...node('b', 0), url: 'wss://b.example/x' }, 'lab'), 'wss://b.example/x/lab');
  for (const bad of ['..', '.', 'a\r\nb', 'a?b', 'a#b', '@evil', '']) assert.equal(urlAt(node('b', 0), bad), undefined);
});

test('clients are told of nodes that take them, and the former ones stay', () => {
  const names = (nodes: readonly Candidate[]): string => nodes.map((one) => one.node).join('');
  const all = [...'cadb'].map((name) => node(name, 1));
  assert.equal(names(nodesToTell(all, [], 8)), 'abcd');
  assert.equal(names(nodesToTell(all, [], 2, () => 0)), 'ac');
  assert.equal(names(nodesToTell(all, [], 2, () => 0.99)), 'bd');
  assert.equal(names(nodesToTell(all, [node('b', 1), node('gone', 1)], 2, () => 0)), 'bc');
  assert.equal(names(nodesToTell([node('a', 1, { isDraining: true }), node('b', 100)], all, 8)), '');
});
