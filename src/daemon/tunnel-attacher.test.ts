import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SwConfig } from '../config/sw-config.ts';
import { AutoNetworks } from '../networks/auto-networks.ts';
import { Switch } from '../networks/switch.ts';
import { SILENT } from '../observability/logger.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import type { BridgePortValues } from '../schema/bridge-port-options.ts';
import { IngressPolicies } from './ingress-policies.ts';
import { Lifetime } from './lifetime.ts';
import { NO_POLICY, SharedPolicySource } from './shared-policy.ts';
import { tunnelAttacher } from './tunnel-attacher.ts';

function attacherOf(t: TestContext, tunnelSettings: BridgePortValues = {}) {
  const etherSwitch = new Switch();
  t.after(() => etherSwitch.close());
  const lifetime = new Lifetime(SILENT);
  const source = new SharedPolicySource();
  const policy = IngressPolicies.of(source, NO_POLICY, SILENT, ({ number }) => void etherSwitch.detach(number));
  const roamed: string[] = [];
  const roaming = {
    attached: ({ number }: { number: number }, user: string | null) => void roamed.push(`${number} of ${user} came`),
    dropped: ({ number }: { number: number }) => void roamed.push(`${number} left`),
  };
  const attach = tunnelAttacher(new AutoNetworks(etherSwitch, 10), {
    ...{ config: { tunnelSettings }, lifetime, etherSwitch, policy },
    roaming: () => roaming,
  });
  const join = (user: string | null, network = 'default'): number =>
    attach(new MemoryPort(), user, { network, address: '192.0.2.1' });
  const setPolicy = async (text: string): Promise<void> => {
    source.set(text);
    await policy.refresh();
  };
  const reload = (settings: BridgePortValues): void =>
    lifetime.live.apply(['tunnels.settings'], { tunnelSettings: settings } as SwConfig);
  return { etherSwitch, join, setPolicy, reload, roamed };
}

test('a tunnel has the settings of its user, else of its network, else of the switch, also when they change', async (t) => {
  const { etherSwitch, join, setPolicy, reload } = attacherOf(t, { isolated: true, macLimit: 10 });
  etherSwitch.addNetwork('lab');
  const [here, there] = [join('ada'), join('ada', 'lab')];
  const valuesOf = (number: number): BridgePortValues => etherSwitch.attachedPort(number).values;
  const all = (): BridgePortValues[] => [here, there].map(valuesOf);
  const ofSwitch = { isolated: true, macLimit: 10 };
  assert.deepEqual(all(), [ofSwitch, ofSwitch]);

  etherSwitch.configureNetwork('lab', { tunnelSettings: { macLimit: 20 } });
  assert.deepEqual(all(), [ofSwitch, { isolated: true, macLimit: 20 }]);
  await setPolicy('users: {ada: {tunnels: {settings: {mac-limit: 30}}}}');
  assert.deepEqual(all(), Array(2).fill({ isolated: true, macLimit: 30 }));
  assert.deepEqual(valuesOf(join('bob', 'lab')), { isolated: true, macLimit: 20 });
  reload({});
  assert.deepEqual(all(), Array(2).fill({ macLimit: 30 }));
  assert.deepEqual(valuesOf(join('bob')), {});
});

test('the network that a tunnel wants is there as long as it has tunnels', async (t) => {
  const { etherSwitch, join, roamed } = attacherOf(t);
  const [first, second] = [join('ada', 'room'), join(null, 'room')];
  assert.deepEqual([etherSwitch.networkOf(first), etherSwitch.networkOf(second)], ['room', 'room']);
  await etherSwitch.detach(first);
  assert.ok(etherSwitch.hasNetwork('room'));
  await etherSwitch.detach(second);
  assert.ok(!etherSwitch.hasNetwork('room'));
  assert.deepEqual(roamed, ['1 of ada came', '2 of null came', '1 left', '2 left']);
  assert.throws(() => join('ada', 'no name'), { code: 'NETWORK_NOT_FOUND' });
});

test('the rules of its user hold from the first frame, and end with the tunnel', async (t) => {
  const { etherSwitch, join, setPolicy } = attacherOf(t);
  await setPolicy('users: {eve: {tunnels: {claim-first: 1}}}');
  const [eve, bob] = [join('eve'), join('bob')];
  assert.ok(etherSwitch.port(eve).policy !== undefined);
  assert.equal(etherSwitch.port(bob).policy, undefined);
  await etherSwitch.detach(bob);
  await setPolicy('default: {tunnels: {allowed: false}}');
  assert.deepEqual([...etherSwitch.ports.keys()], []);
});
