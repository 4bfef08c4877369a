import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Authenticator } from '../../auth/authenticator.ts';
import { type Refusal, refuseUpgrade } from '../../net/http-refusal.ts';
import { PendingUpgrades } from '../../net/pending-upgrades.ts';
import { limitInfo } from '../../observability/limited-logger.ts';
import type { Logger } from '../../observability/logger.ts';
import type { CaptureReaderBudget } from '../capture-entries.ts';
import { EventConnections } from '../event-connections.ts';
import { LiveSource } from '../live/live-source.ts';
import { LIVE_TABLES } from '../live/live-tables.ts';
import type { AllowedNetworks } from '../method-reach.ts';
import type { AllRights } from '../methods.ts';
import type { SwitchControl } from '../schema.ts';
import type { OwnRights } from './cluster-calls.ts';
import { CALLER_FIELD, callerOfField, STREAM_METHODS, type StreamCaller, streamClaim } from './node-stream.ts';

export interface NodeStreamServerOptions {
  /** checks the proofs of nodes, and answers them; their networks are what they claim */
  readonly authenticator: Authenticator;
  /** the header field of the answer */
  readonly answerField: string;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly service: SwitchControl;
  /** What the policy of this node lets a user do. Undefined: in the mesh of a service its first process has checked that. */
  readonly rights: OwnRights | undefined;
  readonly budget?: CaptureReaderBudget | undefined;
  readonly logger: Logger;
}

/** Limit of streams: for each caller at another node one of events and one of a capture. */
const MOST_STREAMS = 256;
/** Limit of those of the own service, with one for each table that is read at the first process. */
const MOST_OWN_STREAMS = 1024;
const ALL_RIGHTS: OwnRights = { mayCall: () => true, networksOf: () => undefined };

interface Asking {
  readonly caller: StreamCaller;
  /** the answer to the proof of the node */
  readonly answer: string | undefined;
}

/** Beside the calls of streams the methods whose right `observe` asks for. */
const SERVED: ReadonlySet<string> = new Set([
  ...STREAM_METHODS,
  ...Object.values(LIVE_TABLES).map(({ method }) => method),
]);
const NO_NODE: Refusal = {
  status: 401,
  headers: { 'WWW-Authenticate': 'Bearer realm="etherws-mesh"' },
  text: 'Only nodes of the cluster are served here.\n',
};
const FULL: Refusal = { status: 503, headers: { 'Retry-After': '1' }, text: 'Too many streams of other nodes.\n' };
const FULL_OF_USER: Refusal = { ...FULL, text: 'Too many streams of this user.\n' };
/** Limit of the streams of one user at other nodes, so that others can have some. */
const MOST_OF_A_USER = 8;
/** Limit of handshakes that wait: the answer to a wrong proof is delayed. */
const MOST_PENDING = 256;
const PENDING_MS = 10_000;
const NO_WEBSOCKET = { status: 426, text: 'Only WebSockets of nodes are served here.\n' };

/**
 * Serves streams of other nodes for their callers. A call is allowed if the asking node has found that the caller may make
 * it, and the policy of this node lets the user make it, too.
 */
export class NodeStreamServer {
  readonly #options: NodeStreamServerOptions;
  readonly #connections: EventConnections;
  readonly #pending = new PendingUpgrades({ most: () => MOST_PENDING, timeoutMs: () => PENDING_MS });
  readonly #logger: Logger;
  /** the number of streams by user */
  readonly #streams = new Map<string, number>();

  constructor(options: NodeStreamServerOptions) {
    this.#options = options;
    const { service, rights, logger, budget } = options;
    this.#logger = limitInfo(logger);
    this.#connections = new EventConnections({
      ...{ service, logger, budget, live: new LiveSource(service, logger) },
      most: rights === undefined ? MOST_OWN_STREAMS : MOST_STREAMS,
      ...{ logins: undefined, mayCall: () => false, networksOf: () => [] },
    });
  }

  handleRequest(_request: IncomingMessage, response: ServerResponse): void {
    const { status, text } = NO_WEBSOCKET;
    response.writeHead(status, { 'Content-Type': 'text/plain', Upgrade: 'websocket' }).end(text);
  }

  /** Accepts or refuses an opening handshake, and owns its socket from now on. Never throws. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    const decided = this.#pending.add(socket);
    this.#askingOf(request)
      .then((asking) => {
        decided();
        if (socket.destroyed) return;
        if (asking === undefined) refuseUpgrade(socket, NO_NODE);
        else if (this.#connections.refusal !== undefined) refuseUpgrade(socket, FULL);
        else if (!this.#count(asking.caller, socket)) refuseUpgrade(socket, FULL_OF_USER);
        else {
          const { caller, answer } = asking;
          const fields = answer === undefined ? [] : [`${this.#options.answerField}: ${answer}`];
          const reader = { user: caller.user, isPausing: true };
          this.#connections.accept(request, socket, head, reader, this.#rightsOf(caller), fields);
        }
      })
      .catch(() => socket.destroy());
  }

  close(): void {
    this.#pending.close();
    this.#connections.close();
  }

  /** Counts a stream until its socket is closed. @returns false: there are as many as there may be */
  #count({ user }: StreamCaller, socket: Duplex): boolean {
    // The first process bounds the callers of its service itself. Without users callers are not told apart.
    if (user === null || this.#options.rights === undefined) return true;
    const count = this.#streams.get(user) ?? 0;
    if (count >= MOST_OF_A_USER) return false;
    this.#streams.set(user, count + 1);
    socket.once('close', () => {
      const others = (this.#streams.get(user) ?? 0) - 1;
      if (others > 0) this.#streams.set(user, others);
      else this.#streams.delete(user);
    });
    return true;
  }

  async #askingOf(request: IncomingMessage): Promise<Asking | undefined> {
    const { authenticator, addressOf } = this.#options;
    const remoteAddress = addressOf(request);
    const field = request.headers[CALLER_FIELD.toLowerCase()];
    const caller = callerOfField(field);
    const { authorization } = request.headers;
    const verdict = await authenticator.authenticate({ authorization, remoteAddress });
    const isNode = verdict.isAllowed && verdict.networks?.includes(streamClaim(String(field))) === true;
    if (isNode && caller !== undefined) return { caller, answer: verdict.answer };
    this.#logger.info({ remoteAddress }, 'a caller without the proof of a node wanted a stream of one');
    return undefined;
  }

  #rightsOf({ networks }: StreamCaller): AllRights {
    const { rights = ALL_RIGHTS } = this.#options;
    return {
      mayCall: (user, method) => SERVED.has(method) && rights.mayCall(user, method),
      networksOf: (user) => within(networks, rights.networksOf(user)),
    };
  }
}

/** The networks that both allow. */
export function within(told: readonly string[] | null, own: AllowedNetworks): AllowedNetworks {
  return told === null ? own : told.filter((name) => own?.includes(name) ?? true);
}
