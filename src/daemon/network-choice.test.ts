import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AutoNetworks } from '../networks/auto-networks.ts';
import { Switch } from '../networks/switch.ts';
import { NetworkChooser } from './network-choice.ts';

test('the URL, the token and the policy choose the network of a tunnel together', (t) => {
  const target = new Switch();
  t.after(() => target.close());
  for (const name of ['lab', 'home']) target.addNetwork(name);
  let policy: readonly string[] | undefined;
  const chooser = new NetworkChooser(target, new AutoNetworks(target, 0), () => policy);
  const choice = (asked: string | undefined, networks?: readonly string[]): string | undefined => {
    const { network, refused } = chooser.choose(asked, { user: 'ann', networks, address: '192.0.2.1' });
    return network ?? refused;
  };
  assert.deepEqual(
    [undefined, 'default', 'lab', 'lob', '..'].map((asked) => choice(asked)),
    ['default', 'default', 'lab', 'unknown', 'unknown'],
  );
  const forLab = (asked: string | undefined): string | undefined => choice(asked, ['lab']);
  assert.deepEqual([undefined, 'lab', 'home', 'default', 'lob'].map(forLab), [
    'lab',
    'lab',
    'forbidden',
    'forbidden',
    'forbidden',
  ]);
  assert.deepEqual([choice(undefined, ['lab', 'default']), choice(undefined, [])], ['default', 'forbidden']);
  assert.equal(choice(undefined, ['gone']), 'unknown');
  policy = ['home', 'lab'];
  assert.deepEqual([choice(undefined), choice('lab'), choice('default')], ['home', 'lab', 'forbidden']);
  assert.deepEqual([choice(undefined, ['lab', 'default']), choice('home', ['lab'])], ['lab', 'forbidden'], 'both');
});
