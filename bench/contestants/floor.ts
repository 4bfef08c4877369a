import type { Contestant } from '../contestant.ts';
import { OVERLAY, TUNNEL_DEVICE, UNDERLAY } from '../lab/lab.ts';

const LISTEN_PORT = '5000';

function floor(name: string, title: string, mode: 'vnet' | 'plain'): Contestant {
  return {
    name,
    title,
    unavailable: async () => undefined,
    version: async () => 'bench/programs/floor.c',
    start: async (lab, programs) => {
      const server = lab.start('server', [programs.floor, 'listen', UNDERLAY.server, LISTEN_PORT, TUNNEL_DEVICE, mode]);
      await server.printed('listening');
      lab.start('client', [programs.floor, 'dial', UNDERLAY.server, LISTEN_PORT, TUNNEL_DEVICE, mode]);
      await lab.addressTunnel({ client: TUNNEL_DEVICE, server: TUNNEL_DEVICE });
      return { addresses: OVERLAY };
    },
  };
}

/** The user-space floor with the kernel's super-frames. */
export const FLOOR: Contestant = floor('floor', 'C floor, virtio-net header', 'vnet');
/** The floor as a tunnel without offload has it: one frame of at most 1514 bytes a system call. */
export const FLOOR_PLAIN: Contestant = floor('floor-plain', 'C floor, plain frames', 'plain');
