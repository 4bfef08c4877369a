import type { Contestant } from '../contestant.ts';
import { UNDERLAY } from '../lab/lab.ts';

/** No tunnel: what the machine can carry between two network namespaces. */
export const BARE_VETH: Contestant = {
  name: 'veth',
  title: 'bare veth, no tunnel',
  unavailable: async () => undefined,
  version: async () => 'the kernel',
  start: async () => ({ addresses: UNDERLAY }),
};
