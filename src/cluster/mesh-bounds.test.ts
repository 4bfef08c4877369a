import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundedLinks } from './mesh-bounds.ts';
import type { WantedLink } from './mesh-plan.ts';

const link = (node: string, network: string, isDialled = true): WantedLink => ({ node, network, isDialled });
const shown = (links: readonly WantedLink[]): string =>
  links.map(({ node, network }) => `${node}/${network}`).join(' ');
const isAutomatic = (network: string): boolean => network.startsWith('room');

test('of automatic networks as many are dialled as there may be, of others all', () => {
  const wanted = ['room1', 'a', 'room2', 'room3', 'b'].map((network) => link('r2', network));
  const { links, left } = boundedLinks(wanted, { most: 2, others: 1 }, isAutomatic, () => false);
  assert.equal(shown(links), 'r2/room1 r2/a r2/room2 r2/b');
  assert.equal(shown(left), 'r2/room3');
});

test('tunnels to one of several nodes are half of all at most, so that one node does not take the room of the others', () => {
  const wanted = ['r2', 'r3'].flatMap((node) => ['room1', 'room2', 'room3'].map((network) => link(node, network)));
  const { links, left } = boundedLinks(wanted, { most: 4, others: 2 }, isAutomatic, () => false);
  assert.equal(shown(links), 'r2/room1 r2/room2 r3/room1 r3/room2');
  assert.equal(shown(left), 'r2/room3 r3/room3');
});

test('a tunnel that is there stays, also an accepted one, and counts', () => {
  const held = new Set(['r2/room3', 'r2/room9']);
  const wanted = [link('r2', 'room1'), link('r2', 'room2', false), link('r2', 'room3'), link('r2', 'room9', false)];
  const isHeld = ({ node, network }: WantedLink): boolean => held.has(`${node}/${network}`);
  const { links, left } = boundedLinks(wanted, { most: 2, others: 1 }, isAutomatic, isHeld);
  assert.equal(shown(links), 'r2/room2 r2/room3 r2/room9', 'what the other end dials is no matter of this one yet');
  assert.equal(shown(left), 'r2/room1');
  assert.equal(shown(boundedLinks(wanted, { most: 1, others: 1 }, isAutomatic, isHeld).left), 'r2/room1');
});

test('a node that has refused one holds no room, and a tunnel to it that is there stays', () => {
  const wanted = [link('r2', 'room1'), link('r2', 'room2'), link('r2', 'a'), link('r3', 'room1'), link('r3', 'room2')];
  const isHeld = ({ node, network }: WantedLink): boolean => node === 'r2' && network === 'room2';
  const { links, left } = boundedLinks(wanted, { most: 4, others: 2 }, isAutomatic, isHeld, (node) => node === 'r2');
  assert.equal(shown(links), 'r2/room2 r2/a r3/room1 r3/room2');
  assert.equal(shown(left), 'r2/room1');
});
