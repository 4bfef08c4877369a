/** What the sessions of a cluster ask of its membership. */
export interface SessionNodes {
  /** the name of this node */
  readonly self: string;
  /** Whether a node is a member. Without the store it is told what was known last. */
  isAlive(node: string): boolean;
  /** the member whose name sorts first, this node included: it removes what nodes that are gone have left */
  readonly lowest: string;
  /** @param listener called when a node came or went. @returns stops that */
  onChange(listener: () => void): () => void;
}
