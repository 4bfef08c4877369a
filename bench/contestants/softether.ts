import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Contestant, missingPrograms } from '../contestant.ts';
import { run } from '../lab/command.ts';
import { type Lab, OVERLAY, type Place, RELAY_UNDERLAY, retry, SIDES, type Side, UNDERLAY } from '../lab/lab.ts';

const LISTEN_PORT = '5555';
const HUB = 'BENCH';
const PASSWORD = 'bench';
/** SoftEther adds the prefix `tap_` to the name of the bridge's device, and `vpn_` to that of the client's. */
const DEVICES: Readonly<Record<Side, string>> = { client: 'vpn_bench', server: 'tap_bench' };
/** Debian's build writes its settings there; the path cannot be changed. */
const STATE_DIRECTORY = '/var/lib/softether';

function softether(name: string, title: string, isEncrypted: boolean): Contestant {
  return {
    ...common(name, title),
    start: async (lab) => {
      await startHub(lab, 'server', true);
      await startClient(lab, 'client', UNDERLAY.server, isEncrypted);
      await lab.addressTunnel(DEVICES);
      return { addresses: OVERLAY };
    },
  };
}

function common(name: string, title: string): Omit<Contestant, 'start'> {
  return {
    name,
    title,
    isAside: true,
    unavailable: () =>
      missingPrograms(['vpnserver', 'vpnclient', 'vpncmd'], 'softether-vpnserver softether-vpnclient softether-vpncmd'),
    version: async () =>
      /SoftEther VPN .*|Version .*/.exec((await run(['sh', '-c', 'vpncmd /? | grep -m 1 ^Version'])).trim())?.[0] ?? '',
  };
}

/** The directory of its lock files, which prevent a second instance. */
const LOCK_DIRECTORY = '/run/softether';

/**
 * Starts a program with its own state and lock files: both directories are on new file systems in
 * its mount namespace. The state directory may not exist, so its parent is replaced.
 */
function startPrivately(lab: Lab, place: Place, program: string): void {
  const script = [
    'mount -t tmpfs tmpfs /var/lib',
    `mkdir -p ${STATE_DIRECTORY} ${LOCK_DIRECTORY}`,
    `mount -t tmpfs tmpfs ${LOCK_DIRECTORY}`,
    `exec ${program} execsvc`,
  ].join(' && ');
  lab.start(place, ['unshare', '--mount', 'sh', '-c', script]);
}

/** @param isBridged whether the hub has a TAP device */
async function startHub(lab: Lab, place: Place, isBridged: boolean): Promise<void> {
  startPrivately(lab, place, 'vpnserver');
  const command = (...args: string[]): Promise<string> =>
    lab.run(place, ['vpncmd', `127.0.0.1:${LISTEN_PORT}`, '/SERVER', '/CMD', ...args]);
  await retry('answer of vpnserver', () => command('ServerInfoGet'));
  await command('HubCreate', HUB, `/PASSWORD:${PASSWORD}`);
  if (isBridged) await command('BridgeCreate', HUB, '/DEVICE:bench', '/TAP:yes');
  // Commands for a hub need its name.
  const hub = (...args: string[]): Promise<string> =>
    lab.run(place, ['vpncmd', `127.0.0.1:${LISTEN_PORT}`, '/SERVER', `/ADMINHUB:${HUB}`, '/CMD', ...args]);
  await hub('UserCreate', 'bench', '/GROUP:none', '/REALNAME:none', '/NOTE:none');
  await hub('UserPasswordSet', 'bench', `/PASSWORD:${PASSWORD}`);
}

async function startClient(lab: Lab, side: Side, hub: string, isEncrypted: boolean): Promise<void> {
  startPrivately(lab, side, 'vpnclient');
  const command = (...args: string[]): Promise<string> =>
    lab.run(side, ['vpncmd', '127.0.0.1', '/CLIENT', '/CMD', ...args]);
  await retry('answer of vpnclient', () => command('VersionGet'));
  await command('NicCreate', 'bench');
  const target = [`/SERVER:${hub}:${LISTEN_PORT}`, `/HUB:${HUB}`, '/USERNAME:bench', '/NICNAME:bench'];
  await command('AccountCreate', 'bench', ...target);
  await command('AccountPasswordSet', 'bench', `/PASSWORD:${PASSWORD}`, '/TYPE:standard');
  if (!isEncrypted) await command('AccountEncryptDisable', 'bench');
  // By default it changes to UDP after a while. Only the settings file can forbid that.
  const file = join(lab.directory, `account-${side}`);
  await command('AccountExport', 'bench', `/SAVEPATH:${file}`);
  writeFileSync(file, readFileSync(file, 'utf8').replace('NoUdpAcceleration false', 'NoUdpAcceleration true'));
  await command('AccountDelete', 'bench');
  // vpncmd would take an absolute path for an option.
  await command('AccountImport', relative(process.cwd(), file));
  await command('AccountConnect', 'bench');
}

export const SOFTETHER_TLS: Contestant = softether('softether', 'SoftEther, TLS', true);
export const SOFTETHER_PLAIN: Contestant = softether('softether-plain', 'SoftEther, unencrypted', false);

/** A hub without a device, between two clients. */
export const SOFTETHER_RELAY: Contestant = {
  ...common('softether-relay', "SoftEther's hub, TLS"),
  isRelay: true,
  start: async (lab) => {
    await startHub(lab, 'relay', false);
    for (const side of SIDES) await startClient(lab, side, RELAY_UNDERLAY[side], true);
    await lab.addressTunnel({ client: DEVICES.client, server: DEVICES.client });
    return { addresses: OVERLAY };
  },
};
