import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contestant, missingPrograms, type Tunnel } from '../contestant.ts';
import { run } from '../lab/command.ts';
import { type Lab, OVERLAY, RELAY_UNDERLAY, retry, SIDES, UNDERLAY } from '../lab/lab.ts';
import { aesOf, type Build, etherwsProgram } from './build.ts';
import { makeCertificate } from './certificate.ts';
import { EtherwsSwitch, LISTEN_PORT, tlsOptions } from './etherws-switch.ts';

/** The build and the Node of the switches. */
export interface Runtime {
  readonly build: Build;
  /** The Node that runs them, and its options, such as for profiling. */
  readonly node: string;
  readonly nodeOptions: readonly string[];
}

export interface EtherwsVariant {
  readonly name: string;
  readonly title: string;
  readonly wire: 'raw' | 'auto';
  readonly isTls: boolean;
  /** The implementation of AES-GCM, if not the fastest one. Such a variant is only a reference. */
  readonly aes?: 'openssl';
  /** Whether the listening switch applies an ingress policy to tunnels. */
  readonly hasPolicy?: boolean;
  /** Whether both switches have VLANs, spanning tree, multicast snooping and LLDP. */
  readonly isManaged?: boolean;
}

/** Rates, claims and guards with limits that no frame reaches, so that only their cost is measured. */
const POLICY = `default:
  tunnels:
    claim-first: 8
    rate: {frames: 100M, bits: 1000G}
    broadcast-rate: {frames: 1M}
    dhcp-server: false
    router-advertisements: false
`;

/** Two switches, each with a TAP device, and one tunnel between them. */
export function etherws(variant: EtherwsVariant, runtime: Runtime): Contestant {
  return {
    ...named(variant, runtime),
    unavailable: () => unavailable(variant, runtime),
    version: () => version(variant, runtime),
    ...(variant.aes === undefined ? {} : { isAside: true }),
    start: (lab) => start(lab, variant, runtime),
    controlCommand: async () => [process.execPath, await etherwsProgram(runtime.build), 'ctl', 'listport'],
    ...(variant.isTls ? {} : { webSocketPort: LISTEN_PORT }),
  };
}

/** Two switches that dial a third one, whose cost is measured. */
export function etherwsRelay(runtime: Runtime): Contestant {
  const variant: EtherwsVariant = {
    ...{ name: 'etherws-relay', title: 'etherws, relay, wss://', wire: 'auto', isTls: true },
  };
  return {
    ...named(variant, runtime),
    isRelay: true,
    unavailable: () => unavailable(variant, runtime),
    version: () => version(variant, runtime),
    start: async (lab) => {
      const files = await makeCertificate(lab, Object.values(RELAY_UNDERLAY));
      await EtherwsSwitch.start(lab, 'relay', { ...runtime, options: tlsOptions(files) });
      for (const side of SIDES) {
        const own = await EtherwsSwitch.start(lab, side, { ...runtime, options: [] });
        await own.addDevice(side);
        await own.dial(RELAY_UNDERLAY[side], files, []);
      }
      return { addresses: OVERLAY };
    },
  };
}

function named({ name, title }: EtherwsVariant, { build }: Runtime): Pick<Contestant, 'name' | 'title' | 'otherOf'> {
  return {
    name: `${name}${build.suffix}`,
    title: `${title}${build.mark}`,
    ...(build.suffix === '' ? {} : { otherOf: name }),
  };
}

async function unavailable(variant: EtherwsVariant, { build, node }: Runtime): Promise<string | undefined> {
  await etherwsProgram(build);
  if (!variant.isTls) return undefined;
  if (variant.aes !== undefined && !(await aesOf(build, node)).startsWith('ipsec-mb')) {
    return 'the same as without: needs libipsec-mb-dev, before npm ci';
  }
  return missingPrograms(['openssl'], 'openssl');
}

async function version(variant: EtherwsVariant, { build, node }: Runtime): Promise<string> {
  const program = await etherwsProgram(build);
  const own = (await run([process.execPath, program, '--version'])).trim();
  const runs = (await run([node, '--version'])).trim();
  const aes = variant.isTls ? `, AES-GCM by ${await aesOf(build, node, variant.aes)}` : '';
  return `${own}, Node ${runs}${aes}`;
}

async function start(lab: Lab, variant: EtherwsVariant, runtime: Runtime): Promise<Tunnel> {
  const wire = ['--wire', variant.wire];
  const options = [...wire, ...(variant.aes === undefined ? [] : ['--aes', variant.aes])];
  const files = variant.isTls ? await makeCertificate(lab, [UNDERLAY.server]) : undefined;
  const listening = [...options, ...tlsOptions(files), ...policyOptions(lab, variant)];
  const server = await EtherwsSwitch.start(lab, 'server', { ...runtime, options: listening });
  await server.addDevice('server');
  const client = await EtherwsSwitch.start(lab, 'client', { ...runtime, options });
  await client.addDevice('client');
  await client.dial(UNDERLAY.server, files, wire);
  if (variant.isManaged === true) for (const own of [server, client]) await manage(own);
  return { addresses: OVERLAY };
}

/** The device is an access port, and the tunnel a trunk, so that each frame gets a tag and loses it again. */
async function manage(own: EtherwsSwitch): Promise<void> {
  await own.ctl('setnet', 'default', '--stp', 'on', '--multicast-snooping', 'on', '--lldp', 'on');
  await own.ctl('setport', '1', '--vlan-mode', 'access', '--pvid', '10');
  await retry('trunk', () => own.ctl('setport', '2', '--vlan-mode', 'trunk', '--vlans', '10'));
}

function policyOptions(lab: Lab, { hasPolicy = false }: EtherwsVariant): string[] {
  if (!hasPolicy) return [];
  const file = join(lab.directory, 'policy.yaml');
  writeFileSync(file, POLICY);
  return ['--policy', file];
}
