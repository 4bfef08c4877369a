import type { Contestant } from '../contestant.ts';
import { UNDERLAY } from '../lab/lab.ts';

/** No tunnel at all: what the machine itself can carry between two namespaces. */
export const BARE_VETH: Contestant = {
  name: 'veth',
  title: 'bare veth, no tunnel',
  unavailable: async () => undefined,
  version: async () => 'the kernel',
  start: async () => ({ addresses: UNDERLAY }),
};
