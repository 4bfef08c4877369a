import { fileURLToPath } from 'node:url';
import { type Contestant, missingPrograms, type Tunnel } from '../contestant.ts';
import { run } from '../lab/command.ts';
import { type Lab, OVERLAY, OVERLAY_NETMASK, retry, SIDES, type Side, TUNNEL_DEVICE, UNDERLAY } from '../lab/lab.ts';
import { makeCertificate } from './certificate.ts';

/** This file runs as dist/bench/contestants/etherws.js, beside the product that it measures. */
const ETHERWS = fileURLToPath(new URL('../../src/cli/etherws.js', import.meta.url));
const AES = new URL('../../src/ports/stream/tls/aes.js', import.meta.url).href;
const LISTEN_PORT = 8000;

export interface EtherwsVariant {
  readonly name: string;
  readonly title: string;
  readonly wire: 'raw' | 'auto';
  readonly isTls: boolean;
  /** Who does AES-GCM, if not the fastest that is there: a variant beside the one that counts. */
  readonly aes?: 'openssl';
  /** The Node that runs the switches, and options for it, say to profile them. */
  readonly node: string;
  readonly nodeOptions: readonly string[];
}

/** Two switches as a user starts them, each with a TAP device, joined by one tunnel. */
export function etherws(variant: EtherwsVariant): Contestant {
  return {
    name: variant.name,
    title: variant.title,
    unavailable: async () => {
      if (variant.wire === 'auto' && !(await knowsWireOption())) return 'this build knows the raw wire only';
      if (!variant.isTls) return undefined;
      if (variant.aes !== undefined && !(await aesOf(variant.node)).startsWith('ipsec-mb')) {
        return 'the same as without: needs libipsec-mb-dev, before npm ci';
      }
      return missingPrograms(['openssl'], 'openssl');
    },
    version: async () => {
      const [etherwsVersion, node] = await Promise.all(
        [
          [process.execPath, ETHERWS, '--version'],
          [variant.node, '--version'],
        ].map((argv) => run(argv)),
      );
      const aes = variant.isTls ? `, AES-GCM by ${await aesOf(variant.node, variant.aes)}` : '';
      return `${etherwsVersion?.trim()}, Node ${node?.trim()}${aes}`;
    },
    ...(variant.aes === undefined ? {} : { isAside: true }),
    start: (lab) => start(lab, variant),
    ...(variant.isTls ? {} : { webSocketPort: LISTEN_PORT }),
  };
}

async function start(lab: Lab, variant: EtherwsVariant): Promise<Tunnel> {
  const node = [variant.node, ...variant.nodeOptions, ETHERWS];
  const wire = (await knowsWireOption()) ? ['--wire', variant.wire] : [];
  const aes = variant.aes === undefined ? [] : ['--aes', variant.aes];
  const files = variant.isTls ? await makeCertificate(lab) : undefined;
  const tls = files === undefined ? [] : ['--sslkey', files.key, '--sslcert', files.certificate];
  const ctl = (side: Side, ...args: string[]): Promise<string> =>
    lab.run(side, [process.execPath, ETHERWS, 'ctl', ...args]);

  for (const side of SIDES) {
    const listen = ['--port', String(LISTEN_PORT), ...(side === 'server' ? tls : [])];
    lab.start(side, [...node, 'sw', '--foreground', ...listen, ...MANY_OF_ONE_ADDRESS, ...wire, ...aes]);
    await retry('answer of the control API', () => ctl(side, 'listport'));
    await ctl(side, 'addport', 'tap', TUNNEL_DEVICE);
    await ctl(side, 'setif', '1', '--address', OVERLAY[side], '--netmask', OVERLAY_NETMASK);
  }
  const scheme = variant.isTls ? 'wss' : 'ws';
  const trust = files === undefined ? [] : ['--cacerts', files.certificate];
  await ctl('client', 'addport', 'client', `${scheme}://${UNDERLAY.server}:${LISTEN_PORT}/`, ...trust, ...wire);
  return { addresses: OVERLAY };
}

/** All idle clients come from one host, which a relay would not like. */
const MANY_OF_ONE_ADDRESS = ['--max-per-address', '10000', '--max-unproven', '10000'];

/** Who does AES-GCM in tunnels of a Node. */
async function aesOf(node: string, choice = 'auto'): Promise<string> {
  const program = `import { chooseAes } from ${JSON.stringify(AES)}; console.log(chooseAes(process.argv[1]) ?? 'Node');`;
  return (await run([node, '--input-type=module', '--eval', program, choice])).trim();
}

let helpText: Promise<string> | undefined;

/** Whether this build speaks the batched wire, told by its own help. */
async function knowsWireOption(): Promise<boolean> {
  helpText ??= run([process.execPath, ETHERWS, 'sw', '--help']);
  return (await helpText).includes('--wire');
}
