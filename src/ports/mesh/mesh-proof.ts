import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ClusterKeys } from '../../cluster/cluster-key.ts';

/** What the node that dials a mesh tunnel claims. */
export interface MeshClaim {
  /** the node that dials, and its start */
  readonly from: string;
  readonly fromBoot: string;
  /** the node that is dialled, and its start: so a proof is worthless after a restart */
  readonly to: string;
  readonly toBoot: string;
  readonly network: string;
  /** counts the proofs of `fromBoot`; each is accepted once */
  readonly number: number;
}

const SCHEME = 'etherws-mesh-2';
const MOST_CHARACTERS = 2048;
const NONCE_BYTES = 16;

/** The proof of a node, and the answer by which the dialled node proves itself. */
export interface MeshProof {
  /** a bearer token */
  readonly proof: string;
  /** @param answer of the dialled node; undefined: it gave none */
  readonly isAnswer: (answer: string | undefined) => boolean;
}

/**
 * Makes the proof of one attempt, when the connection stands: its number is taken then, so that a slow connect does not age it.
 * @throws EtherwsError CLUSTER_UNAVAILABLE, CLUSTER_NODE_UNPROVEN if it can no longer be made
 */
export type ProofMaker = () => MeshProof;

/**
 * The proof that a node of the cluster makes this claim. It is a challenge, too: random, so that no former answer is right,
 * even of a node that was restored from a snapshot.
 * @param key of the cluster
 */
export function makeProof(claim: MeshClaim, key: Buffer): MeshProof {
  const { from, fromBoot, to, toBoot, network, number } = claim;
  const nonce = randomBytes(NONCE_BYTES).toString('base64url');
  const payload = Buffer.from(JSON.stringify([from, fromBoot, to, toBoot, network, number, nonce])).toString(
    'base64url',
  );
  const proof = `${SCHEME}.${payload}.${macOf(payload, key).toString('base64url')}`;
  return { proof, isAnswer: (answer) => isAnswerTo(proof, answer, key) };
}

/** @returns the claim of a proof that was made with one of these keys, and the answer to it; undefined for all else */
export function readProof(
  proof: string,
  keys: ClusterKeys,
): { readonly claim: MeshClaim; readonly answer: string } | undefined {
  if (proof.length > MOST_CHARACTERS) return undefined;
  const [scheme, payload = '', mac = '', ...rest] = proof.split('.');
  if (scheme !== SCHEME || rest.length > 0) return undefined;
  const key = keys.find((one) => isEqual(mac, macOf(payload, one)));
  const claim = key === undefined ? undefined : claimOf(payload);
  if (key === undefined || claim === undefined) return undefined;
  return { claim, answer: answerMac(proof, key).toString('base64url') };
}

function isAnswerTo(proof: string, answer: string | undefined, key: Buffer): boolean {
  return answer !== undefined && isEqual(answer, answerMac(proof, key));
}

function isEqual(said: string, right: Buffer): boolean {
  const octets = Buffer.from(said, 'base64url');
  return octets.length === right.length && timingSafeEqual(octets, right);
}

function macOf(payload: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(`${SCHEME}.${payload}`).digest();
}

/** No proof is computed of such a text, so that no proof can be had as an answer, nor an answer as a proof (reflection). */
function answerMac(proof: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(`answer to ${proof}`).digest();
}

/** A payload whose code is right was made by a node, perhaps by one of a later version. */
function claimOf(payload: string): MeshClaim | undefined {
  try {
    const claim: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    if (!Array.isArray(claim)) return undefined;
    const [from, fromBoot, to, toBoot, network, number] = claim as unknown[];
    const texts = [from, fromBoot, to, toBoot, network];
    if (!texts.every((text) => typeof text === 'string') || !Number.isSafeInteger(number)) return undefined;
    return { from, fromBoot, to, toBoot, network, number } as MeshClaim;
  } catch {
    return undefined;
  }
}
