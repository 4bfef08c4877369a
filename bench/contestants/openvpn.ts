import { type Contestant, missingPrograms } from '../contestant.ts';
import { run } from '../lab/command.ts';
import { OVERLAY, RELAY_UNDERLAY, SIDES, type Side, TUNNEL_DEVICE, UNDERLAY } from '../lab/lab.ts';
import { type CertificateFiles, makeCertificate } from './certificate.ts';

const LISTEN_PORT = '1194';

type Cipher = 'AES-128-GCM' | 'none';

function openvpn(name: string, title: string, cipher: Cipher): Contestant {
  return {
    ...common(name, title),
    start: async (lab) => {
      const files = await makeCertificate(lab, [UNDERLAY.server]);
      const roles: Record<Side, string[]> = {
        server: ['--tls-server', '--dh', 'none', '--proto', 'tcp-server', '--local', UNDERLAY.server],
        client: ['--tls-client', '--proto', 'tcp-client', '--remote', UNDERLAY.server, '--connect-retry', '1'],
      };
      for (const side of SIDES) lab.start(side, [...options(files, cipher), ...roles[side]]);
      await lab.addressTunnel({ client: TUNNEL_DEVICE, server: TUNNEL_DEVICE });
      return { addresses: OVERLAY };
    },
  };
}

function common(name: string, title: string): Omit<Contestant, 'start'> {
  return {
    name,
    title,
    isAside: true,
    unavailable: () => missingPrograms(['openvpn', 'openssl'], 'openvpn openssl'),
    version: async () => (await run(['sh', '-c', 'openvpn --version | head -n 1'])).split(' ').slice(0, 2).join(' '),
  };
}

function options(files: CertificateFiles, cipher: Cipher): string[] {
  return [
    ...['openvpn', '--dev', TUNNEL_DEVICE, '--dev-type', 'tap', '--port', LISTEN_PORT, '--socket-flags', 'TCP_NODELAY'],
    ...['--ca', files.certificate, '--cert', files.certificate, '--key', files.key],
    ...['--data-ciphers', cipher, '--data-ciphers-fallback', cipher, '--auth', cipher === 'none' ? 'none' : 'SHA256'],
    ...['--ping', '10', '--verb', '1'],
  ];
}

export const OPENVPN_TLS: Contestant = openvpn('openvpn', 'OpenVPN tap, TCP, AES-128-GCM', 'AES-128-GCM');
export const OPENVPN_PLAIN: Contestant = openvpn('openvpn-plain', 'OpenVPN tap, TCP, no cipher', 'none');

/** A server that forwards frames between its clients in user space, without its TAP device. */
export const OPENVPN_RELAY: Contestant = {
  ...common('openvpn-relay', 'OpenVPN client-to-client, TCP, AES-128-GCM'),
  isRelay: true,
  start: async (lab) => {
    const files = await makeCertificate(lab, Object.values(RELAY_UNDERLAY));
    const server = ['--mode', 'server', '--tls-server', '--dh', 'none', '--proto', 'tcp-server'];
    // Both clients use the same certificate.
    lab.start('relay', [...options(files, 'AES-128-GCM'), ...server, '--client-to-client', '--duplicate-cn']);
    for (const side of SIDES) {
      const client = ['--client', '--proto', 'tcp-client', '--remote', RELAY_UNDERLAY[side], '--connect-retry', '1'];
      lab.start(side, [...options(files, 'AES-128-GCM'), ...client]);
    }
    await lab.addressTunnel({ client: TUNNEL_DEVICE, server: TUNNEL_DEVICE });
    return { addresses: OVERLAY };
  },
};
