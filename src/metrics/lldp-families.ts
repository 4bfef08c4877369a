import type { LldpUse } from '../networks/lldp/lldp-entity.ts';
import { type Family, single } from './exposition.ts';

/** The families of LLDP, as sums of all ports: single neighbours are in `listneighbor`. */
export function lldpFamilies(use: () => LldpUse): Family[] {
  const counter = (name: string, help: string, of: keyof LldpUse): Family =>
    single({ name: `etherws_lldp_${name}`, type: 'counter', help }, () => use()[of]);
  return [
    single(
      { name: 'etherws_lldp_neighbors', type: 'gauge', help: 'Neighbours that LLDP knows' },
      () => use().neighbors,
    ),
    counter('tx_frames', 'LLDPDUs sent', 'framesOut'),
    counter('rx_frames', 'LLDPDUs received', 'framesIn'),
    counter('rx_malformed', 'LLDPDUs discarded, since they break the rules', 'framesDiscarded'),
    counter('aged_neighbors', 'Neighbours that were silent for their TTL', 'ageouts'),
    counter('refused_neighbors', 'LLDPDUs of further neighbours while the table was full', 'tooManyNeighbors'),
  ];
}
