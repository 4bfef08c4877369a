/**
 * Header fields of the opening handshake about the nodes of a cluster (docs/reference/protocol.md, Roaming).
 */

/** Of a request: `1` says that the client follows a redirect to another node. Of a response with status 307: this is one. */
export const REDIRECT_HEADER = 'Etherws-Redirect';

/** Of a response with a token: `1` says that the token is good at the other nodes of the cluster, too. */
export const ROAMING_HEADER = 'Etherws-Roaming';
