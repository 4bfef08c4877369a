import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contestant, missingPrograms } from '../contestant.ts';
import { run } from '../lab/command.ts';
import { type Lab, OVERLAY, SIDES, TUNNEL_DEVICE, UNDERLAY } from '../lab/lab.ts';

/** tinc as a switch over TCP, with the cipher and digest that it takes by itself. */
export const TINC: Contestant = {
  name: 'tinc',
  isAside: true,
  title: 'tinc, switch mode, TCP',
  unavailable: () => missingPrograms(['tincd'], 'tinc'),
  version: async () => (await run(['tincd', '--version'])).split(/\s/).slice(0, 3).join(' '),
  start: async (lab) => {
    await writeConfiguration(lab);
    for (const side of ['server', 'client'] as const) {
      const directory = join(lab.directory, side);
      lab.start(side, ['tincd', '-D', '-c', directory, `--pidfile=${join(directory, 'pid')}`]);
    }
    await lab.addressTunnel({ client: TUNNEL_DEVICE, server: TUNNEL_DEVICE });
    return { addresses: OVERLAY };
  },
};

/** Each side has a key of its own and a copy of both host files. */
async function writeConfiguration(lab: Lab): Promise<void> {
  for (const side of SIDES) {
    const directory = join(lab.directory, side);
    mkdirSync(join(directory, 'hosts'), { recursive: true });
    const settings = [
      `Name = ${side}`,
      'Mode = switch',
      `Interface = ${TUNNEL_DEVICE}`,
      'DeviceType = tap',
      'AddressFamily = ipv4',
    ];
    if (side === 'client') settings.push('ConnectTo = server');
    writeFileSync(join(directory, 'tinc.conf'), `${settings.join('\n')}\n`);
    writeFileSync(join(directory, 'hosts', side), `Address = ${UNDERLAY[side]}\nTCPOnly = yes\n`);
    await run(['tincd', '-c', directory, '-K2048']);
  }
  for (const side of SIDES) {
    const other = side === 'client' ? 'server' : 'client';
    await run(['cp', join(lab.directory, other, 'hosts', other), join(lab.directory, side, 'hosts', other)]);
    appendFileSync(join(lab.directory, side, 'tinc-up'), '');
  }
}
