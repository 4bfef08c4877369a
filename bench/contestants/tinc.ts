import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Contestant, missingPrograms } from '../contestant.ts';
import { run } from '../lab/command.ts';
import { type Lab, OVERLAY, type Place, RELAY_UNDERLAY, SIDES, TUNNEL_DEVICE, UNDERLAY } from '../lab/lab.ts';

/** A host that runs tinc, the host that it dials, and the address to dial. */
interface Node {
  readonly place: Place;
  readonly dials?: Place;
  readonly at?: string;
}

function tinc(name: string, title: string, nodes: readonly Node[], isRelay: boolean): Contestant {
  return {
    name,
    title,
    isAside: true,
    isRelay,
    unavailable: () => missingPrograms(['tincd'], 'tinc'),
    version: async () => (await run(['tincd', '--version'])).split(/\s/).slice(0, 3).join(' '),
    start: async (lab) => {
      await writeConfiguration(lab, nodes);
      for (const { place } of nodes) {
        const directory = join(lab.directory, place);
        lab.start(place, ['tincd', '-D', '-c', directory, `--pidfile=${join(directory, 'pid')}`]);
      }
      await lab.addressTunnel({ client: TUNNEL_DEVICE, server: TUNNEL_DEVICE });
      return { addresses: OVERLAY };
    },
  };
}

/** tinc in switch mode over TCP, with its default cipher and digest. */
export const TINC: Contestant = tinc(
  'tinc',
  'tinc, switch mode, TCP',
  [{ place: 'server' }, { place: 'client', dials: 'server', at: UNDERLAY.server }],
  false,
);

/** Two nodes with a third one between them. */
export const TINC_RELAY: Contestant = tinc(
  'tinc-relay',
  'tinc, through a middle node, TCP',
  [{ place: 'relay' }, ...SIDES.map((place): Node => ({ place, dials: 'relay', at: RELAY_UNDERLAY[place] }))],
  true,
);

/** Each node has its own key, and copies of the host files of the nodes that it connects to. */
async function writeConfiguration(lab: Lab, nodes: readonly Node[]): Promise<void> {
  for (const { place, dials } of nodes) {
    const directory = join(lab.directory, place);
    mkdirSync(join(directory, 'hosts'), { recursive: true });
    const settings = [
      `Name = ${place}`,
      'Mode = switch',
      `Interface = ${TUNNEL_DEVICE}`,
      'DeviceType = tap',
      'AddressFamily = ipv4',
    ];
    if (dials !== undefined) settings.push(`ConnectTo = ${dials}`);
    writeFileSync(join(directory, 'tinc.conf'), `${settings.join('\n')}\n`);
    writeFileSync(join(directory, 'hosts', place), 'TCPOnly = yes\n');
    await run(['tincd', '-c', directory, '-K2048']);
    appendFileSync(join(directory, 'tinc-up'), '');
  }
  for (const { place, dials, at } of nodes) {
    if (dials === undefined) continue;
    await run(['cp', join(lab.directory, place, 'hosts', place), join(lab.directory, dials, 'hosts', place)]);
    const known = join(lab.directory, place, 'hosts', dials);
    await run(['cp', join(lab.directory, dials, 'hosts', dials), known]);
    appendFileSync(known, `\nAddress = ${at}\n`);
  }
}
