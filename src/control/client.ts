import type { ClientRequest, IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { check, dottedNames, invalid } from '../schema/check.ts';
import { objectOf, type Table } from '../schema/table.ts';
import { password, userName } from '../schema/values.ts';
import { type ControlAddress, controlAddress, controlFailure } from './control-address.ts';
import { rejectionOf, resultOf } from './control-answer.ts';
import { LISTS, METHOD_PREFIX } from './entries.ts';
import type { Entries, METHODS, MethodName, ParamsOf, Result } from './schema.ts';

export interface ControlClientOptions {
  /**
   * Where the control API is: `http://` or `https://`, host, port, path; default `http://127.0.0.1:7867/ctl`;
   * or `unix:` and the path of a Unix socket.
   */
  url?: string;
  /** For Basic authentication; a password needs a user. */
  user?: string;
  passwd?: string;
  /** Certificates to trust instead of the system's, in PEM. */
  ca?: string;
  /** Takes any certificate. The password then goes to any host that answers. */
  isInsecure?: boolean;
  /** How long a call may take in all; default 60 000. */
  timeoutMs?: number;
}

const CREDENTIALS = objectOf({
  user: { type: userName, help: 'user of the control API' },
  passwd: { type: password, secret: true, help: 'its password' },
} as const satisfies Table);

const TIMEOUT_MS = 60_000;
/** Ten times what a full filtering database takes. */
const ANSWER_BYTES = 64 * 1024 * 1024;

/** Calls the control API of a switch, one HTTP request a call. Holds nothing open between calls. */
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
   * Calls `method` by its name without prefix, as `listPort`.
   * @throws EtherwsError ARGUMENT_INVALID, ADDRESS_INVALID or PORT_TYPE_UNSUPPORTED before anything is sent
   * @throws ControlError when the switch refuses or fails the call
   * @throws EtherwsError CONNECTION_REFUSED, HOST_UNREACHABLE, NAME_UNRESOLVED, CERTIFICATE_*, TLS_FAILED, AUTH_FAILED,
   *   AUTH_BUSY, REQUEST_REFUSED, or CONTROL_FAILED when what answers is no control API
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
    const { user, passwd = '', ca, isInsecure = false } = this.#options;
    const { isTls, host, port, path, socketPath } = this.#address;
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
        ...(user === undefined ? {} : { Authorization: basicAuthorization(user, passwd) }),
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

/** The schema of a method. Those that take parameters are loaded only where one is called. */
export async function schemaOf<M extends MethodName>(name: M): Promise<(typeof METHODS)[M]> {
  const schemas = name in LISTS ? LISTS : (await import('./schema.ts')).METHODS;
  return (schemas as typeof METHODS)[name];
}

/** Loaded only where TLS is spoken: `ctl` mostly does without. */
async function tlsOptions(ca: string | undefined): Promise<RequestOptions> {
  const { TLS_PARAMETERS } = await import('../net/tls-parameters.ts');
  if (ca === undefined) return TLS_PARAMETERS;
  const { trusting } = await import('../auth/certificate-file.ts');
  return { ...TLS_PARAMETERS, ...trusting(ca) };
}

function basicAuthorization(user: string, passwd: string): string {
  return `Basic ${Buffer.from(`${user}:${passwd}`, 'utf8').toString('base64')}`;
}
