const LEAST_MS = 10_000;
const MOST_MS = 30_000;

/**
 * How long a node is not dialled that has refused a mesh tunnel of an automatic network at its bound.
 * @param askedMs the wait that the node asks for; from 10 s to 30 s of it are kept
 */
export function fullRestMs(askedMs: number): number {
  return Math.min(MOST_MS, Math.max(LEAST_MS, askedMs));
}
