import { type Contestant, missingPrograms } from '../contestant.ts';
import { run } from '../lab/command.ts';
import { OVERLAY, SIDES, type Side, TUNNEL_DEVICE, UNDERLAY } from '../lab/lab.ts';
import { makeCertificate } from './certificate.ts';

const LISTEN_PORT = '1194';

function openvpn(name: string, title: string, cipher: 'AES-128-GCM' | 'none'): Contestant {
  return {
    name,
    title,
    isAside: true,
    unavailable: () => missingPrograms(['openvpn', 'openssl'], 'openvpn openssl'),
    version: async () => (await run(['sh', '-c', 'openvpn --version | head -n 1'])).split(' ').slice(0, 2).join(' '),
    start: async (lab) => {
      const files = await makeCertificate(lab);
      const common = [
        ...[
          'openvpn',
          '--dev',
          TUNNEL_DEVICE,
          '--dev-type',
          'tap',
          '--port',
          LISTEN_PORT,
          '--socket-flags',
          'TCP_NODELAY',
        ],
        ...['--ca', files.certificate, '--cert', files.certificate, '--key', files.key],
        ...[
          '--data-ciphers',
          cipher,
          '--data-ciphers-fallback',
          cipher,
          '--auth',
          cipher === 'none' ? 'none' : 'SHA256',
        ],
        ...['--ping', '10', '--verb', '1'],
      ];
      const roles: Record<Side, string[]> = {
        server: ['--tls-server', '--dh', 'none', '--proto', 'tcp-server', '--local', UNDERLAY.server],
        client: ['--tls-client', '--proto', 'tcp-client', '--remote', UNDERLAY.server, '--connect-retry', '1'],
      };
      for (const side of SIDES) lab.start(side, [...common, ...roles[side]]);
      await lab.addressTunnel({ client: TUNNEL_DEVICE, server: TUNNEL_DEVICE });
      return { addresses: OVERLAY };
    },
  };
}

export const OPENVPN_TLS: Contestant = openvpn('openvpn', 'OpenVPN tap, TCP, AES-128-GCM', 'AES-128-GCM');
export const OPENVPN_PLAIN: Contestant = openvpn('openvpn-plain', 'OpenVPN tap, TCP, no cipher', 'none');
