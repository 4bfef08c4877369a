import type { ClientRequest, IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { check, dottedNames, invalid } from '../schema/check.ts';
import { objectOf, type Table } from '../schema/table.ts';
import { password, userName } from '../schema/values.ts';
import { type ControlAddress, controlAddress, controlFailure } from './control-address.ts';
import { rejectionOf, resultOf } from './control-answer.ts';
import type { ControlStream, ControlStreamOptions, StreamListener } from './control-stream.ts';
import { LISTS, METHOD_PREFIX } from './entries.ts';
import type { WatchedEvent } from './event-stream.ts';
import type { LiveEntry, TableName } from './live/table-keys.ts';
import type { Entries, METHODS, MethodName, ParamsOf, Result } from './schema.ts';

export interface ControlClientOptions {
  /**
   * The URL of the control API, `http://` or `https://`, or `unix:` and the path of a Unix socket. Default
   * `http://127.0.0.1:7867/ctl`.
   */
  url?: string;
  /** For Basic authentication; a password needs a user. */
  user?: string;
  passwd?: string;
  /** Certificates to trust instead of the system's, in PEM. */
  ca?: string;
  /** Accepts any certificate. The password is then sent to whatever host responds. */
  isInsecure?: boolean;
  /** The timeout of a call, from connecting to the end of the response. Default 60 000. */
  timeoutMs?: number;
}

const CREDENTIALS = objectOf({
  user: { type: userName, help: 'user of the control API' },
  passwd: { type: password, secret: true, help: 'its password' },
} as const satisfies Table);

const TIMEOUT_MS = 60_000;
/** Limit of a response: ten times that of a full filtering database. */
const ANSWER_BYTES = 64 * 1024 * 1024;

/** Calls the control API of a switch by one HTTP request a call. It keeps no connection open between calls. */
export class ControlClient {
  readonly #address: ControlAddress;
  readonly #options: ControlClientOptions;
  #calls = 0;

  /** @throws EtherwsError ARGUMENT_INVALID */
  constructor(options: ControlClientOptions = {}) {
    this.#address = controlAddress(options.url);
    check(CREDENTIALS, { user: options.user, passwd: options.passwd });
    if (options.passwd !== undefined && options.user === undefined) {
      throw invalid('A control password was given without a user', 'Give the user, too');
    }
    this.#options = options;
  }

  /**
   * Calls a method.
   * @param method the name without prefix, such as `listPort`
   * @throws EtherwsError ARGUMENT_INVALID, ADDRESS_INVALID or PORT_TYPE_UNSUPPORTED before anything is sent
   * @throws ControlError if the call fails at the switch
   * @throws EtherwsError CONNECTION_REFUSED, HOST_UNREACHABLE, NAME_UNRESOLVED, CERTIFICATE_*, TLS_FAILED, AUTH_FAILED,
   *   AUTH_BUSY, REQUEST_REFUSED; CONTROL_FAILED if the server is no control API
   */
  async call<M extends MethodName>(method: M, params: ParamsOf<M>): Promise<Result<Entries[M]>> {
    const schema = await schemaOf(method);
    const id = ++this.#calls;
    const request = { jsonrpc: '2.0', id, method: METHOD_PREFIX + method, params: check(schema.params, params) };
    const body = await this.#post(JSON.stringify(request));
    const result = resultOf(body, id, this.#address);
    try {
      return check(schema.result, result, dottedNames('result')) as unknown as Result<Entries[M]>;
    } catch (error) {
      const complaint = error instanceof Error ? error.message : String(error);
      throw controlFailure(
        this.#address,
        `gave an answer that makes no sense: ${complaint}`,
        'Are the versions equal?',
      );
    }
  }

  /**
   * Subscribes to events of the switch, by a WebSocket. Resolves when the switch has accepted the subscription.
   * @param onEvent called for each event, and with `lost` where some are missing
   * @param onEnd called once, with the reason, when the connection ends without a call
   * @param method `subscribeCluster`: the events of all nodes of its cluster, with the member `at`
   * @returns the function that ends the subscription
   * @throws as `call`
   */
  async watch(
    params: ParamsOf<'subscribe'>,
    onEvent: (event: WatchedEvent) => void,
    onEnd: (error: Error) => void,
    method: 'subscribe' | 'subscribeCluster' = 'subscribe',
  ): Promise<() => void> {
    const { openEventStream } = await import('./event-stream.ts');
    return openEventStream({ ...(await this.#streamOptions()), method, params, onEvent, onEnd });
  }

  /**
   * Observes a table of the switch, by a WebSocket. Resolves when the switch has accepted that.
   * @param onChange called for the snapshot and after each difference, with all entries in any order
   * @param onEnd called once, with the reason, when the connection ends without a call
   * @returns the function that ends the observation
   * @throws as `call`
   */
  async observe(
    { table, interval }: { readonly table: TableName; readonly interval: number },
    onChange: (entries: Iterable<LiveEntry>) => void,
    onEnd: (error: Error) => void,
  ): Promise<() => void> {
    const { openObservation } = await import('./observation.ts');
    return openObservation({ ...(await this.#streamOptions()), table, interval, onChange, onEnd });
  }

  /**
   * Captures frames of this switch or of all nodes, by a WebSocket. Resolves when the capture has begun.
   * @throws as `call`
   */
  async capture(
    method: 'capture' | 'captureCluster',
    params: ParamsOf<'capture'> | ParamsOf<'captureCluster'>,
    listener: StreamListener,
  ): Promise<ControlStream> {
    const { ControlStream } = await import('./control-stream.ts');
    return ControlStream.open(await this.#streamOptions(), method, params, listener);
  }

  async #streamOptions(): Promise<ControlStreamOptions> {
    const { timeoutMs = TIMEOUT_MS, isInsecure = false, ca } = this.#options;
    const address = this.#address;
    const tls = address.isTls
      ? { ...((await tlsOptions(ca)) as ConnectionOptions), rejectUnauthorized: !isInsecure }
      : {};
    return { address, headers: this.#authorization(), tls, timeoutMs };
  }

  #authorization(): Readonly<Record<string, string>> {
    const { user, passwd = '' } = this.#options;
    return user === undefined ? {} : { Authorization: basicAuthorization(user, passwd) };
  }

  async #post(body: string): Promise<string> {
    const { timeoutMs = TIMEOUT_MS } = this.#options;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await this.#request(body, signal);
      const text = await this.#read(response);
      if (response.statusCode !== 200) throw rejectionOf(response.statusCode ?? 0, text, this.#address);
      return text;
    } catch (error) {
      if (!signal.aborted) {
        const { explainCallFailure } = await import('./call-failure.ts');
        throw explainCallFailure(error, this.#address);
      }
      const hint = 'The call may have been done nevertheless; look with listport';
      throw controlFailure(this.#address, `did not answer within ${timeoutMs / 1000} s`, hint, error);
    }
  }

  async #request(body: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { ca, isInsecure = false } = this.#options;
    const { isTls, host, port, path, socketPath } = this.#address;
    if (/^fe[89ab]/i.test(host)) await requireZone(host);
    const options: RequestOptions = {
      method: 'POST',
      ...(socketPath === undefined ? { host, port } : { socketPath }),
      path,
      signal,
      agent: false,
      headers: {
        'Content-Type': 'application/json',
        ...(socketPath === undefined ? {} : { Host: host }),
        'Content-Length': Buffer.byteLength(body),
        ...this.#authorization(),
      },
      ...(isTls ? { ...(await tlsOptions(ca)), rejectUnauthorized: !isInsecure } : {}),
    };
    const { request } = isTls ? await import('node:https') : await import('node:http');
    return new Promise((resolve, reject) => {
      const outgoing: ClientRequest = request(options, resolve);
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  async #read(response: IncomingMessage): Promise<string> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of response as AsyncIterable<Uint8Array>) {
      bytes += piece.byteLength;
      if (bytes > ANSWER_BYTES) throw controlFailure(this.#address, 'answers without end', 'Check --ctlurl');
      pieces.push(piece);
    }
    return Buffer.concat(pieces, bytes).toString('utf8');
  }
}

/** The schema of a method. The schemas of methods with parameters are loaded only when needed. */
export async function schemaOf<M extends MethodName>(name: M): Promise<(typeof METHODS)[M]> {
  const schemas = name in LISTS ? LISTS : (await import('./schema.ts')).METHODS;
  return (schemas as typeof METHODS)[name];
}

/** @throws the kernel's error for a link-local address without a zone, or with a zone that is no device */
async function requireZone(host: string): Promise<void> {
  const { linkLocalFault } = await import('../net/link-local.ts');
  const fault = linkLocalFault(host);
  if (fault !== undefined) throw fault;
}

/** Loads the modules on use, since most calls of `ctl` are without TLS. */
async function tlsOptions(ca: string | undefined): Promise<RequestOptions> {
  const { TLS_PARAMETERS } = await import('../net/tls-parameters.ts');
  if (ca === undefined) return TLS_PARAMETERS;
  const { trusting } = await import('../auth/certificate-file.ts');
  return { ...TLS_PARAMETERS, ...trusting(ca) };
}

function basicAuthorization(user: string, passwd: string): string {
  return `Basic ${Buffer.from(`${user}:${passwd}`, 'utf8').toString('base64')}`;
}
