import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StationPeer } from './station-peer.ts';
import { StationPeers } from './station-peers.ts';

/** Peers, and one of them with which nothing is open any more. */
function peersWith(...nodes: readonly string[]): {
  readonly peers: StationPeers;
  readonly settle: (node: string) => void;
} {
  const peers = new StationPeers(() => undefined);
  for (const node of nodes) peers.add(node, 0);
  const settle = (node: string): void => {
    const peer = peers.get(node) as StationPeer;
    peer.agreed();
    peers.follow(peer);
  };
  return { peers, settle };
}

test('something is open while any node is to be asked or to be told', () => {
  const { peers, settle } = peersWith('b', 'c');
  assert.ok(peers.isAnyOpen);
  settle('b');
  assert.ok(peers.isAnyOpen);
  settle('c');
  assert.equal(peers.isAnyOpen, false);
  const peer = peers.get('b') as StationPeer;
  peers.lost(peer, 0);
  assert.ok(peers.isAnyOpen);
  peers.follow(peer);
  assert.ok(peers.isAnyOpen, 'it is to be told again');
});

test('with a node that is gone, or was reached anew, nothing of before is open', () => {
  const { peers, settle } = peersWith('b', 'c');
  const former = peers.get('b') as StationPeer;
  settle('c');
  peers.remove('b');
  assert.deepEqual([peers.isAnyOpen, peers.size, peers.get('b')], [false, 1, undefined]);
  peers.follow(former);
  assert.equal(peers.isAnyOpen, false, 'a message of before');
  peers.remove('b');
  peers.add('b', 0);
  peers.add('b', 0);
  settle('b');
  assert.equal(peers.isAnyOpen, false);
});
