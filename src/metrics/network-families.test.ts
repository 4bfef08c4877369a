import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Switch } from '../networks/switch.ts';
import { MemoryPort } from '../ports/memory-port.ts';
import { linesOf } from './exposition.ts';
import { networkFamilies } from './network-families.ts';

test('each network has its ports and addresses, and a removed one has nothing', async (t) => {
  const etherSwitch = new Switch({ fdbCapacity: 9 });
  t.after(() => etherSwitch.close());
  etherSwitch.addNetwork('lab', { fdbSize: 1, stp: 'off' });
  const port = new MemoryPort();
  etherSwitch.attach(port, { network: 'lab' });
  for (const station of [1, 2]) {
    const frame = Buffer.alloc(60, 0xff);
    frame.writeUIntBE(0x02_0000_0000_00 + station, 6, 6);
    port.deliver(frame);
  }
  const lines = (): string[] =>
    [...linesOf(networkFamilies(etherSwitch), 'text')]
      .join('')
      .split('\n')
      .filter((line) => line.includes('network="'));
  assert.deepEqual(lines(), [
    'etherws_network_ports{network="default"} 0',
    'etherws_network_ports{network="lab"} 1',
    'etherws_network_fdb_entries{network="default"} 0',
    'etherws_network_fdb_entries{network="lab"} 1',
    'etherws_network_fdb_capacity{network="default"} 9',
    'etherws_network_fdb_capacity{network="lab"} 1',
    'etherws_network_fdb_displaced_total{network="default"} 0',
    'etherws_network_fdb_displaced_total{network="lab"} 1',
  ]);
  await etherSwitch.removeNetwork('lab', true);
  assert.equal(lines().length, 4);
});
