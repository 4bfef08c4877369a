import { JetStreamApiError } from '@nats-io/jetstream';
import { AuthorizationError, errors } from '@nats-io/transport-node';
import { EtherwsError } from '../../errors.ts';

/** "wrong last sequence", for a stream and for one without the subject. */
const WRONG_LAST_SEQUENCE = [10071, 10164];
const STREAM_NOT_FOUND = 10059;
const INSUFFICIENT_RESOURCES = [10005, 10023, 10074, 10047];
const JETSTREAM_NOT_ENABLED = [10076, 10039];

export function isConflict(error: unknown): boolean {
  return error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.includes(error.code);
}

/** Whether the bucket was deleted, or the server that stands has lost it. */
export function isBucketMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND;
}

/** Whether a stream has more replicas than the servers can have now. */
export function isTooManyReplicas(error: unknown): boolean {
  return error instanceof JetStreamApiError && INSUFFICIENT_RESOURCES.includes(error.code);
}

/** @returns what an operator must change; undefined for failures that pass by themselves */
export function lastingFault(error: unknown, server: string): EtherwsError | undefined {
  if (isJetStreamMissing(error)) {
    return new EtherwsError('CLUSTER_STORE_UNUSABLE', `The NATS server ${server} has no JetStream`, {
      hint: 'Add the line "jetstream { store_dir: /var/lib/nats }" to its nats-server.conf, and restart it',
      cause: error,
    });
  }
  if (error instanceof AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) {
    return new EtherwsError('CLUSTER_STORE_UNUSABLE', `The NATS server ${server} refuses the credentials`, {
      hint: 'Check --cluster-creds, --cluster-nkey, --cluster-token, or the user and password in the URL of --cluster',
      cause: error,
    });
  }
  if (error instanceof errors.PermissionViolationError) {
    return new EtherwsError(
      'CLUSTER_STORE_UNUSABLE',
      `The NATS server ${server} does not allow ${error.operation} "${error.subject}"`,
      {
        hint: 'Allow its user "etherws.>", "_INBOX.>", "$JS.API.>" and "$KV.>" in nats-server.conf',
        cause: error,
      },
    );
  }
  return undefined;
}

function isJetStreamMissing(error: unknown): boolean {
  // The library does not export its class.
  if (error instanceof Error && error.name === 'JetStreamNotEnabled') return true;
  return error instanceof JetStreamApiError && JETSTREAM_NOT_ENABLED.includes(error.code);
}
