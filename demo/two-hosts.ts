import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Host, Lab } from '../test/support/namespaces.ts';
import type { Process } from '../test/support/process.ts';
import { pathOf } from '../test/support/tools.ts';
import { BULK_BYTES } from './bulk.ts';
import { COMMANDS, type HostName, INSIDE, LISTINGS, RELAY_NAME } from './commands.ts';
import { writeCredentials } from './credentials.ts';
import { describeRate, type Narrator } from './narrator.ts';

const ETHERWS = [process.execPath, fileURLToPath(new URL('../bundle/cli/etherws.js', import.meta.url))];
const TRANSFER = [process.execPath, fileURLToPath(new URL('transfer.js', import.meta.url))];
const UNDERLAY = { relay: '203.0.113.5', laptop: '203.0.113.77' } as const;
const TRANSFER_PORT = '5001';
const PING_PORT = '5002';
const COMMAND_TIMEOUT_MS = 60_000;
const TRANSFER_TIMEOUT_MS = 600_000;

type Hosts = Readonly<Record<HostName, Host>>;

/** Joins two hosts by the commands of the README, and sends traffic. @throws Error if a command fails or data is lost */
export async function joinTwoHosts(lab: Lab, narrator: Narrator): Promise<void> {
  const hosts = await layCable(lab, narrator);
  const directory = join(lab.directory, 'demo');
  mkdirSync(directory);
  const password = randomBytes(12).toString('base64url');
  await writeCredentials(directory, password);
  await lab.nameHosts({ [RELAY_NAME]: UNDERLAY.relay });

  const type = async (host: HostName, line: string): Promise<void> => {
    narrator.command(host, line);
    const command = line
      .replace(/^etherws/, '')
      .trim()
      .split(' ');
    const { status, stdout, stderr } = await hosts[host].run([...ETHERWS, ...command], {
      cwd: directory,
      env: { ETHERWS_CLIENT_PASSWD: password },
      timeoutMs: COMMAND_TIMEOUT_MS,
    });
    narrator.output(stdout + stderr);
    if (status !== 0) throw new Error(`\`${line}\` on ${host} ended with status ${status}`);
  };

  narrator.step('The relay: a switch that accepts tunnels, by TLS and with a password');
  for (const { host, line } of COMMANDS) if (host === 'relay') await type(host, line);
  narrator.step('The laptop: a switch that dials the relay (the password comes from ETHERWS_CLIENT_PASSWD)');
  for (const { host, line } of COMMANDS) if (host === 'laptop') await type(host, line);
  narrator.verified(`the tunnel is up: certificate of ${RELAY_NAME} verified, password accepted`);

  narrator.step(`One Ethernet now: ping from the laptop to the relay's tap`);
  await ping(hosts, narrator);

  narrator.step('256 MiB of TCP through the tunnel');
  const seconds = await transfer(hosts, narrator);

  for (const host of ['relay', 'laptop'] as const) {
    narrator.step(`What the ${host} has seen`);
    for (const line of LISTINGS) await type(host, line);
  }
  narrator.step('Done');
  narrator.verified(
    `256 MiB in ${seconds.toFixed(2)} s: ${describeRate(BULK_BYTES, seconds)}, every byte as it was sent`,
  );
}

async function layCable(lab: Lab, narrator: Narrator): Promise<Hosts> {
  const hosts = { relay: await lab.host('relay'), laptop: await lab.host('laptop') };
  await lab.link(
    { host: hosts.relay, device: 'eth0', addresses: [`${UNDERLAY.relay}/24`] },
    { host: hosts.laptop, device: 'eth0', addresses: [`${UNDERLAY.laptop}/24`] },
  );
  narrator.step('Two hosts (network namespaces) and a cable between them (veth)');
  narrator.note(`relay ${UNDERLAY.relay} ◄──────────► ${UNDERLAY.laptop} laptop`);
  return hosts;
}

async function ping({ relay, laptop }: Hosts, narrator: Narrator): Promise<void> {
  const isPingHere = pathOf('ping') !== undefined;
  if (!isPingHere) {
    narrator.note('no ping here (apt install iputils-ping): a UDP echo does instead');
    await relay.spawn([...TRANSFER, 'echo', INSIDE.relay, PING_PORT]).output(/listening/);
  }
  const command = isPingHere
    ? ['ping', '-c', '5', '-i', '0.2', '-W', '5', INSIDE.relay]
    : [...TRANSFER, 'ping', INSIDE.relay, PING_PORT];
  if (isPingHere) narrator.command('laptop', command.join(' '));
  const { status, stdout, stderr } = await laptop.run(command, { timeoutMs: COMMAND_TIMEOUT_MS });
  narrator.output(stdout + stderr);
  if (status !== 0) throw new Error('no answer came back through the tunnel');
  narrator.verified('the relay answers through the tunnel');
}

/** @returns the duration in seconds */
async function transfer({ relay, laptop }: Hosts, narrator: Narrator): Promise<number> {
  const options = { timeoutMs: TRANSFER_TIMEOUT_MS };
  const receiver = relay.spawn([...TRANSFER, 'receive', INSIDE.relay, TRANSFER_PORT], options);
  await receiver.output(/listening/);
  const sender = laptop.spawn([...TRANSFER, 'send', INSIDE.relay, TRANSFER_PORT], options);
  let seconds = 0;
  let bytes = 0;
  receiver.onLine((line) => {
    const fact = JSON.parse(line) as { bytes?: number; seconds?: number };
    if (fact.bytes === undefined || fact.seconds === undefined) return;
    ({ bytes, seconds } = fact as { bytes: number; seconds: number });
    narrator.progress(bytes, BULK_BYTES, seconds);
  });
  const [sent, received] = [await checksumOf(sender), await checksumOf(receiver)];
  if (bytes !== BULK_BYTES || sent !== received) {
    throw new Error(
      `what arrived is not what was sent: ${bytes} of ${BULK_BYTES} bytes, sha256 ${received}, not ${sent}`,
    );
  }
  narrator.note(`sent      sha256 ${sent}`);
  narrator.note(`received  sha256 ${received}`);
  narrator.verified('the checksums are equal');
  return seconds;
}

async function checksumOf(program: Process): Promise<string> {
  const { status, stdout, stderr } = await program.exited;
  const [, sha256] = /"sha256":"(\w+)"/.exec(stdout) ?? [];
  if (status !== 0 || sha256 === undefined) throw new Error(`the transfer broke off: ${stderr || `status ${status}`}`);
  return sha256;
}
