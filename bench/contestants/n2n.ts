import { type Contestant, missingPrograms } from '../contestant.ts';
import { run } from '../lab/command.ts';
import { OVERLAY, OVERLAY_NETMASK, retry, SIDES, TUNNEL_DEVICE, UNDERLAY } from '../lab/lab.ts';

const LISTEN_PORT = '7777';

/** n2n: two edges and their supernode, over UDP: its TCP transport is experimental. */
export const N2N: Contestant = {
  name: 'n2n',
  isAside: true,
  title: 'n2n edges, UDP',
  unavailable: () => missingPrograms(['edge', 'supernode'], 'n2n'),
  version: async () => (await run(['sh', '-c', 'edge -h 2>&1 | head -n 1 || true'])).trim().replace('Welcome to ', ''),
  start: async (lab) => {
    lab.start('server', ['supernode', '-l', LISTEN_PORT]);
    // An edge that gets no answer repeats its request only after 20 s.
    await retry('a supernode', () => lab.run('server', ['sh', '-c', `ss -Huln sport = :${LISTEN_PORT} | grep -q .`]));
    for (const side of SIDES) {
      lab.start(side, [
        ...['edge', '-d', TUNNEL_DEVICE, '-a', OVERLAY[side], '-s', OVERLAY_NETMASK, '-M', '1500'],
        ...['-c', 'bench', '-k', 'bench', '-l', `${UNDERLAY.server}:${LISTEN_PORT}`, '-u', '0', '-g', '0'],
      ]);
    }
    return { addresses: OVERLAY };
  },
};
