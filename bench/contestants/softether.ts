import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Contestant, missingPrograms } from '../contestant.ts';
import { run } from '../lab/command.ts';
import { type Lab, OVERLAY, retry, type Side, UNDERLAY } from '../lab/lab.ts';

const LISTEN_PORT = '5555';
const HUB = 'BENCH';
const PASSWORD = 'bench';
/** SoftEther puts `tap_` before the name of the bridge's device and `vpn_` before that of the client's. */
const DEVICES: Readonly<Record<Side, string>> = { client: 'vpn_bench', server: 'tap_bench' };
/** Where Debian's build writes its settings, whatever the user says. */
const STATE_DIRECTORY = '/var/lib/softether';

function softether(name: string, title: string, isEncrypted: boolean): Contestant {
  return {
    name,
    title,
    isAside: true,
    unavailable: () =>
      missingPrograms(['vpnserver', 'vpnclient', 'vpncmd'], 'softether-vpnserver softether-vpnclient softether-vpncmd'),
    version: async () =>
      /SoftEther VPN .*|Version .*/.exec((await run(['sh', '-c', 'vpncmd /? | grep -m 1 ^Version'])).trim())?.[0] ?? '',
    start: async (lab) => {
      await startServer(lab);
      await startClient(lab, isEncrypted);
      await lab.addressTunnel(DEVICES);
      return { addresses: OVERLAY };
    },
  };
}

/**
 * A program with state and locks of its own: `/run` and the state directory are
 * fresh file systems that only it sees. The directory may not exist, so the one above it is replaced.
 */
function startPrivately(lab: Lab, side: Side, program: string): void {
  const script = [
    'mount -t tmpfs tmpfs /var/lib',
    `mkdir -p ${STATE_DIRECTORY}`,
    'mkdir -p /run/softether',
    `exec ${program} execsvc`,
  ].join(' && ');
  lab.start(side, ['unshare', '--mount', 'sh', '-c', script]);
}

async function startServer(lab: Lab): Promise<void> {
  startPrivately(lab, 'server', 'vpnserver');
  const command = (...args: string[]): Promise<string> =>
    lab.run('server', ['vpncmd', `127.0.0.1:${LISTEN_PORT}`, '/SERVER', '/CMD', ...args]);
  await retry('answer of vpnserver', () => command('ServerInfoGet'));
  await command('HubCreate', HUB, `/PASSWORD:${PASSWORD}`);
  await command('BridgeCreate', HUB, '/DEVICE:bench', '/TAP:yes');
  // Managing a hub needs its name before the command.
  const hub = (...args: string[]): Promise<string> =>
    lab.run('server', ['vpncmd', `127.0.0.1:${LISTEN_PORT}`, '/SERVER', `/ADMINHUB:${HUB}`, '/CMD', ...args]);
  await hub('UserCreate', 'bench', '/GROUP:none', '/REALNAME:none', '/NOTE:none');
  await hub('UserPasswordSet', 'bench', `/PASSWORD:${PASSWORD}`);
}

async function startClient(lab: Lab, isEncrypted: boolean): Promise<void> {
  startPrivately(lab, 'client', 'vpnclient');
  const command = (...args: string[]): Promise<string> =>
    lab.run('client', ['vpncmd', '127.0.0.1', '/CLIENT', '/CMD', ...args]);
  await retry('answer of vpnclient', () => command('VersionGet'));
  await command('NicCreate', 'bench');
  const target = [`/SERVER:${UNDERLAY.server}:${LISTEN_PORT}`, `/HUB:${HUB}`, '/USERNAME:bench', '/NICNAME:bench'];
  await command('AccountCreate', 'bench', ...target);
  await command('AccountPasswordSet', 'bench', `/PASSWORD:${PASSWORD}`, '/TYPE:standard');
  if (!isEncrypted) await command('AccountEncryptDisable', 'bench');
  // Left alone it moves the frames to UDP after a while; only the settings file can forbid that.
  const file = join(lab.directory, 'account');
  await command('AccountExport', 'bench', `/SAVEPATH:${file}`);
  writeFileSync(file, readFileSync(file, 'utf8').replace('NoUdpAcceleration false', 'NoUdpAcceleration true'));
  await command('AccountDelete', 'bench');
  // An absolute path would pass for an option.
  await command('AccountImport', relative(process.cwd(), file));
  await command('AccountConnect', 'bench');
}

export const SOFTETHER_TLS: Contestant = softether('softether', 'SoftEther, TLS', true);
export const SOFTETHER_PLAIN: Contestant = softether('softether-plain', 'SoftEther, unencrypted', false);
