import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { configOf, type SwOptions } from '../../test/support/sw-options.ts';
import { until } from '../../test/support/waits.ts';
import { ALLOW_ALL } from '../auth/authenticator.ts';
import { EndpointCounters } from '../net/endpoint-counters.ts';
import { HttpListener } from '../net/http-listener.ts';
import { Switch } from '../networks/switch.ts';
import { SILENT } from '../observability/logger.ts';
import { dialTunnel } from '../ports/tunnel/dial/dial-tunnel.ts';
import { SwitchInstance } from '../ports/tunnel/switch-instance.ts';
import { acceptTunnels } from './accept-tunnels.ts';
import { Lifetime } from './lifetime.ts';
import { LIMITS_OF_TUNNELS } from './tunnel-limits.ts';

async function acceptorOf(t: TestContext, options: SwOptions) {
  const config = configOf(options);
  const etherSwitch = new Switch();
  const lifetime = new Lifetime(SILENT);
  const listener = new HttpListener({ host: '127.0.0.1', listenPort: 0 });
  const accepted: number[] = [];
  acceptTunnels({
    ...{ config, lifetime, etherSwitch, policy: undefined, instance: new SwitchInstance(), logger: SILENT },
    service: {
      ...{ config: config.tunnels, identity: undefined, authenticator: ALLOW_ALL },
      ...{ counters: new EndpointCounters(), listener },
    },
    roaming: () => undefined,
    accepted: (_port, number) => accepted.push(number),
  });
  await listener.listen();
  t.after(async () => {
    await lifetime.close();
    await etherSwitch.close();
    await listener.close();
  });
  const dial = async (network: string): Promise<void> => {
    const near = await dialTunnel({ url: `ws://127.0.0.1:${listener.address.port}/${network}` });
    t.after(() => near.close('shutdown'));
  };
  const reload = (names: readonly string[], changed: SwOptions): void => lifetime.live.apply(names, configOf(changed));
  return { etherSwitch, lifetime, accepted, dial, reload };
}

test('a tunnel joins the network that its URL names, which options of a reload may make', async (t) => {
  const { etherSwitch, accepted, dial, reload } = await acceptorOf(t, {});
  await dial('');
  await assert.rejects(dial('room'), /404/);
  reload(['auto-net'], { autoNet: '5' });
  await dial('room');
  await until(() => accepted.length === 2);
  assert.deepEqual(
    accepted.map((number) => etherSwitch.networkOf(number)),
    ['default', 'room'],
  );
});

test('limits hold from the start, and those of a reload for the tunnels to come; none is taken after the end', async (t) => {
  const { accepted, dial, reload, lifetime } = await acceptorOf(t, { maxTunnels: '1' });
  await dial('');
  await until(() => accepted.length === 1);
  await assert.rejects(dial(''), /503/);
  reload(LIMITS_OF_TUNNELS, { maxTunnels: '2' });
  await dial('');
  await until(() => accepted.length === 2);
  reload(LIMITS_OF_TUNNELS, { maxTunnels: '9' });
  await lifetime.close();
  await assert.rejects(dial(''), /503/);
  assert.equal(accepted.length, 2);
});
