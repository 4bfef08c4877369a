import type { Authenticator, Credentials, Verdict } from '../../auth/authenticator.ts';
import { LoginGuard } from '../../auth/login-guard.ts';
import type { ClusterKeys } from '../../cluster/cluster-key.ts';
import { ReplayWindow } from '../../cluster/replay-window.ts';
import type { EndpointCounters } from '../../net/endpoint-counters.ts';
import { readProof } from './mesh-proof.ts';

export interface MeshAuthenticatorOptions {
  readonly node: string;
  readonly boot: string;
  /** while none is known no proof can be checked */
  readonly keys: () => ClusterKeys;
}

/**
 * A node counts its proofs for all nodes and claims together, and takes the number of one when its connection stands. On the way
 * many others may overtake it, since the callers of the node may have it open many streams.
 */
const PROOFS_WINDOW = 4096;
const BEARER = /^bearer +([\w.-]+)$/i;
const MISSING: Verdict = { isAllowed: false, reason: 'missing' };
const WRONG: Verdict = { isAllowed: false, reason: 'wrong' };

/** The check of proofs with delays for wrong ones. @param counters count them */
export function guardedMeshAuthenticator(options: MeshAuthenticatorOptions, counters: EndpointCounters): Authenticator {
  return new LoginGuard(new MeshAuthenticator(options), { counters });
}

/** Admits the other nodes of the cluster, each as the user with its name, and answers their proofs with its own. */
export class MeshAuthenticator implements Authenticator {
  readonly challenge = 'Bearer realm="etherws-mesh"';
  readonly #options: MeshAuthenticatorOptions;
  readonly #window = new ReplayWindow(PROOFS_WINDOW);

  constructor(options: MeshAuthenticatorOptions) {
    this.#options = options;
  }

  authenticate({ authorization }: Credentials): Promise<Verdict> {
    return Promise.resolve(this.#verdict(authorization));
  }

  #verdict(authorization: string | undefined): Verdict {
    if (authorization === undefined) return MISSING;
    const { node, boot, keys } = this.#options;
    const proof = BEARER.exec(authorization)?.[1];
    const read = proof === undefined ? undefined : readProof(proof, keys());
    if (read === undefined) return WRONG;
    const { claim, answer } = read;
    if (claim.to !== node || claim.toBoot !== boot || claim.from === node) return WRONG;
    if (!this.#window.take(`${claim.from} ${claim.fromBoot}`, claim.number)) return WRONG;
    return { isAllowed: true, user: claim.from, networks: [claim.network], answer };
  }

  async close(): Promise<void> {}
}
