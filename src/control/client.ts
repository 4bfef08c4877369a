import type { ClientRequest, IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { EtherwsError } from '../errors.ts';
import { codeOf, explainConnectError } from '../net/connect-errors.ts';
import { CONTROL_TRUST_OPTIONS, explainTlsError } from '../net/tls-errors.ts';
import { type ControlAddress, controlAddress, controlFailure } from './control-address.ts';
import { ControlError, rejectionOf, resultOf } from './control-answer.ts';
import { METHOD_PREFIX, METHODS, type MethodName, type Methods, type Result } from './schema.ts';
import { invalid } from './shape.ts';
import { password, userName } from './values.ts';

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
  /** Takes any certificate. The password then goes to whoever answers. */
  isInsecure?: boolean;
  /** How long a call may take in all; default 60 000. */
  timeoutMs?: number;
}

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
    if (options.user !== undefined) userName.read(options.user, 'user');
    if (options.passwd !== undefined) {
      password.read(options.passwd, 'passwd');
      if (options.user === undefined)
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
  async call<M extends MethodName>(method: M, params: Methods[M]['params']): Promise<Result<Methods[M]['entry']>> {
    const shape = METHODS[method];
    const id = ++this.#calls;
    const request = { jsonrpc: '2.0', id, method: METHOD_PREFIX + method, params: shape.params.read(params, '') };
    const body = await this.#post(JSON.stringify(request));
    const result = resultOf(body, id, this.#address);
    try {
      return shape.result.read(result, 'result');
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
      if (!signal.aborted) throw this.#explain(error);
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

  #explain(error: unknown): Error {
    if (error instanceof EtherwsError || error instanceof ControlError) return error;
    const { isTls, host, port, socketPath } = this.#address;
    if (socketPath !== undefined) return explainSocketError(error, socketPath) ?? this.#notHttp(error);
    const ofTls = isTls ? explainTlsError(error, host, CONTROL_TRUST_OPTIONS) : undefined;
    const known = ofTls ?? explainConnectError(error, host, port);
    const hint = HINTS[codeOf(error)];
    if (known !== undefined && hint !== undefined && known.code === 'CONNECTION_REFUSED') {
      return new EtherwsError(known.code, known.message, { cause: error, hint });
    }
    if (known !== undefined) return known;
    return this.#notHttp(error);
  }

  #notHttp(error: unknown): EtherwsError {
    const { isTls, socketPath } = this.#address;
    const hint = isTls || socketPath !== undefined ? 'Check --ctlurl' : 'Try https://';
    return controlFailure(this.#address, 'does not speak HTTP', hint, error);
  }
}

/** Better than a tunnel's hints, since we know what should be there. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Is the switch running? Start it with: etherws sw; else check --ctlurl',
  ECONNRESET: 'If the control API has a certificate, write https:// in --ctlurl; else check the port number there',
};

/** Loaded only where TLS is spoken: `ctl` mostly does without. */
async function tlsOptions(ca: string | undefined): Promise<RequestOptions> {
  const { TLS_PARAMETERS } = await import('../net/tls-parameters.ts');
  if (ca === undefined) return TLS_PARAMETERS;
  const { trusting } = await import('../auth/certificate-file.ts');
  return { ...TLS_PARAMETERS, ...trusting(ca) };
}

function explainSocketError(error: unknown, path: string): EtherwsError | undefined {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') {
    const hint = 'Call it as root (sudo) or as the user of the switch; --ctlgroup GROUP lets a group in';
    return new EtherwsError('PERMISSION_DENIED', `This user may not open the socket "${path}"`, { cause: error, hint });
  }
  if (code !== 'ENOENT' && code !== 'ECONNREFUSED' && code !== 'ENOTSOCK' && code !== 'ENOTDIR') return undefined;
  const hint = 'Is the switch running, with --ctlsocket? Else check --ctlurl';
  return new EtherwsError('CONNECTION_REFUSED', `Nothing listens at "${path}"`, { cause: error, hint });
}

function basicAuthorization(user: string, passwd: string): string {
  return `Basic ${Buffer.from(`${user}:${passwd}`, 'utf8').toString('base64')}`;
}
