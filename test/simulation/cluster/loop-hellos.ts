import { LATER_HELLO_MS } from '../../../src/networks/mesh/shared-loops.ts';
import { INSTANCE_BYTES } from '../../../src/wire/ethernet/loop-probe.ts';
import { frameOctets } from './octets.ts';

/** The octets of the hellos of loop detection that a node sends and receives on one mesh port in this time. */
export function loopHelloOctets(ms: number): number {
  return (2 * frameOctets(new Uint8Array(INSTANCE_BYTES)) * ms) / LATER_HELLO_MS;
}
