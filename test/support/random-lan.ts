import type { MacAddress } from '../../src/wire/ethernet/mac-address.ts';
import { Random } from './random.ts';
import { differences, findLoop } from './tree-oracle.ts';
import { type VirtualBridge, VirtualLan, type VirtualPort } from './virtual-lan.ts';
import { VirtualMesh } from './virtual-mesh.ts';

const MAX_BRIDGES = 60;
/** Of the allowed times (IEEE 802.1D-2004, table 17-1) those for the longest paths. */
const TIMES = { maxAge: 40, forwardDelay: 30, helloTime: 2 } as const;
/**
 * The bound behind the last change: information of a former root ages out on its way, also at bridges with STP that repeat
 * it once a hello time; then ports pass both delays; and three hello times for what a full hold count delays (17.3).
 */
const BOUND_S = 2 * TIMES.maxAge + 2 * TIMES.forwardDelay + 3 * TIMES.helloTime;
const DISTURBED_MS = 60_000;

/**
 * Builds a random LAN, disturbs it for a minute, lets it rest for the bound, and compares it with the tree of its
 * topology.
 * @param hasMesh one of the bridges is a mesh of 2 to 4 nodes
 * @returns what is wrong; '' for nothing
 */
export function runRandomLan(seed: number, { hasMesh = false } = {}): string {
  const random = new Random(seed);
  const lan = new VirtualLan(random);
  const mesh = hasMesh ? addMesh(lan, random) : undefined;
  build(lan, random);
  lan.conditions.lossOneIn = random.pick([0, 50, 10, 3]);
  lan.conditions.maxDelayMs = random.pick([1, 20, 300]);
  const changes = random.below(20);
  for (let change = 0; change < changes; change++) {
    lan.run(random.below((2 * DISTURBED_MS) / (changes + 1)));
    disturb(lan, random, mesh);
  }
  mesh?.mend();
  for (const bridge of lan.bridges) if (!bridge.isOn) bridge.restart();
  lan.conditions.lossOneIn = 0;
  lan.conditions.maxDelayMs = 20;
  if (mesh !== undefined) mesh.conditions.lossOneIn = 0;
  lan.run(BOUND_S * 1000);
  const loop = findLoop(lan);
  return [...(loop === undefined ? [] : [loop]), ...differences(lan)].join('\n');
}

function addMesh(lan: VirtualLan, random: Random): VirtualMesh {
  const address = (0x0200_0000_0000 + random.below(1 << 20) * 64 + 63) as MacAddress;
  const mesh = new VirtualMesh(
    lan,
    { address, priority: 4096 * random.pick([7, 8, 9]), ...TIMES },
    random.between(2, 4),
  );
  mesh.conditions.lossOneIn = random.pick([0, 50, 5]);
  mesh.conditions.maxDelayMs = random.pick([1, 20, 300]);
  return mesh;
}

function build(lan: VirtualLan, random: Random): void {
  const count = random.between(2, MAX_BRIDGES);
  const hasOldBridges = random.once(3);
  for (let index = 0; index < count; index++) {
    lan.addBridge({
      address: (0x0200_0000_0000 + random.below(1 << 20) * 64 + index) as MacAddress,
      priority: 4096 * random.pick([7, 8, 8, 8, 9]),
      forceVersion: hasOldBridges && random.once(4) ? 'stp' : 'rstp',
      ...TIMES,
    });
  }
  const isEqualCost = random.once(3);
  const attach = (bridge: VirtualBridge, name: string) =>
    bridge.addPort(lan.segment(name), {
      pathCost: isEqualCost ? 20_000 : 20_000 * random.between(1, 20),
      priority: 16 * random.between(6, 10),
    });
  for (const [index, bridge] of lan.bridges.entries()) {
    if (index === 0) continue;
    const name = `tree ${index}`;
    attach(lan.bridges[random.below(index)] as VirtualBridge, name);
    attach(bridge, name);
  }
  for (let extra = random.below(2 * count); extra > 0; extra--) {
    const members = random.once(8) ? random.between(3, 5) : 2;
    // The same bridge may be there twice: a backup port.
    for (let member = 0; member < members; member++) attach(random.pick(lan.bridges), `extra ${extra}`);
  }
}

function disturb(lan: VirtualLan, random: Random, mesh?: VirtualMesh): void {
  if (mesh !== undefined && random.once(3)) {
    const [one, other] = [random.pick(mesh.nodes), random.pick(mesh.nodes)];
    if (one !== other) mesh.setLink(one, other, random.once(2));
    return;
  }
  const bridge = random.pick(lan.bridges);
  const port = random.pick(bridge.ports) as VirtualPort;
  const what = random.below(6);
  if (what === 0 && bridge.isOn) bridge.stop();
  else if (what <= 1) bridge.restart();
  else if (what === 2) bridge.configure(port, { pathCost: 20_000 * random.between(1, 20) });
  else if (what === 3) bridge.configure(port, { priority: 16 * random.between(6, 10) });
  else bridge.setUp(port, !port.isUp);
}
