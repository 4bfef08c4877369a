import { join } from 'node:path';
import { type Contestant, missingPrograms } from '../contestant.ts';
import { run } from '../lab/command.ts';
import { OVERLAY, SIDES, TUNNEL_DEVICE, UNDERLAY } from '../lab/lab.ts';

const LISTEN_PORT = '5001';

/** Two VDE switches whose plugs are connected by TCP. */
export const VDE: Contestant = {
  name: 'vde',
  isAside: true,
  title: 'VDE switch and plug, TCP',
  unavailable: () => missingPrograms(['vde_switch', 'vde_plug', 'socat'], 'vde2 socat'),
  version: async () => (await run(['sh', '-c', 'vde_switch --version | head -n 1'])).trim(),
  start: async (lab) => {
    const control = (side: string): string => join(lab.directory, `${side}.ctl`);
    for (const side of SIDES) lab.start(side, ['vde_switch', '-s', control(side), '-t', TUNNEL_DEVICE]);
    await lab.addressTunnel({ client: TUNNEL_DEVICE, server: TUNNEL_DEVICE });
    const plug = (side: string): string => `EXEC:vde_plug ${control(side)}`;
    lab.start('server', [
      'socat',
      `TCP-LISTEN:${LISTEN_PORT},bind=${UNDERLAY.server},reuseaddr,nodelay`,
      plug('server'),
    ]);
    lab.start('client', [
      'socat',
      `TCP:${UNDERLAY.server}:${LISTEN_PORT},retry=50,interval=0.1,nodelay`,
      plug('client'),
    ]);
    return { addresses: OVERLAY };
  },
};
