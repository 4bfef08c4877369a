import type { Contestant } from '../contestant.ts';
import { OVERLAY, TUNNEL_DEVICE, UNDERLAY } from '../lab/lab.ts';
import { hasOpenSslHeaders, type Programs } from '../programs/programs.ts';

const LISTEN_PORT = '5000';

interface FloorVariant extends Pick<Contestant, 'isAside'> {
  readonly name: string;
  readonly title: string;
  readonly mode: 'vnet' | 'plain';
  readonly isSealed?: boolean;
}

function floor({ name, title, mode, isAside = false, isSealed = false }: FloorVariant): Contestant {
  const programOf = ({ floor, sealedFloor }: Programs): string => (isSealed ? (sealedFloor ?? '') : floor);
  return {
    name,
    title,
    isAside,
    unavailable: async () =>
      isSealed && !(await hasOpenSslHeaders()) ? 'needs the headers of OpenSSL: apt install libssl-dev' : undefined,
    version: async () => 'bench/programs/floor.c',
    start: async (lab, programs) => {
      const program = programOf(programs);
      const server = lab.start('server', [program, 'listen', UNDERLAY.server, LISTEN_PORT, TUNNEL_DEVICE, mode]);
      await server.printed('listening');
      lab.start('client', [program, 'dial', UNDERLAY.server, LISTEN_PORT, TUNNEL_DEVICE, mode]);
      await lab.addressTunnel({ client: TUNNEL_DEVICE, server: TUNNEL_DEVICE });
      return { addresses: OVERLAY };
    },
  };
}

/** The C floor with super-frames. */
export const FLOOR: Contestant = floor({ name: 'floor', title: 'C floor, virtio-net header', mode: 'vnet' });
/** The same with TLS records, the minimal cost of a TLS tunnel. */
export const FLOOR_SEALED: Contestant = floor({
  name: 'floor-sealed',
  title: 'C floor, virtio-net header, AES-128-GCM',
  mode: 'vnet',
  isAside: true,
  isSealed: true,
});
/** The C floor without offload: one frame of at most 1514 octets in each system call. */
export const FLOOR_PLAIN: Contestant = floor({ name: 'floor-plain', title: 'C floor, plain frames', mode: 'plain' });
