import type { SourceGuard } from '../../bridge/source-guard/source-guard.ts';
import { decodeLeaseAnswer, encodeLeaseAnswer, LEASE_MESSAGE } from '../../wire/mesh/lease-message.ts';
import type { MeshEntity, MeshParty } from './mesh-entity.ts';

/**
 * DHCP snooping over the nodes of a cluster: a node tells the others what servers behind its trusted ports have answered, and
 * takes from them what is for a client that waits at a port of its own. It is told on the mesh ports ahead of the answer
 * itself, so that a station may use its address as soon as it has it.
 */
export class SharedLeases implements MeshParty {
  readonly #guard: SourceGuard;

  constructor(mesh: Pick<MeshEntity, 'send' | 'join'>, guard: SourceGuard) {
    this.#guard = guard;
    guard.onAnswer = (answer) => void mesh.send(LEASE_MESSAGE, encodeLeaseAnswer(answer));
    mesh.join(this);
  }

  messageReceived(kind: number, _node: string, payload: Uint8Array, nowMs: number): void {
    if (kind !== LEASE_MESSAGE) return;
    const answer = decodeLeaseAnswer(payload);
    if (answer !== undefined) this.#guard.answered(answer, nowMs);
  }
}
