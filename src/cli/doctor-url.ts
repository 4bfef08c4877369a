import { isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { TLSSocket } from 'node:tls';
import { readCaCerts } from '../auth/certificate-file.ts';
import { parsePins } from '../auth/parse-pins.ts';
import { EtherwsError } from '../errors.ts';
import { nativeAddon } from '../native/addon.ts';
import { canTakeRecords, TlsRecordTap } from '../net/tls/tls-record-tap.ts';
import { addressesOf, connectTcp } from '../ports/tunnel/connect/connect-tcp.ts';
import { connectTls, type TlsIdentityOptions } from '../ports/tunnel/connect/connect-tls.ts';
import { DialAttempt } from '../ports/tunnel/connect/dial-attempt.ts';
import { explainDialError } from '../ports/tunnel/dial/dial-errors.ts';
import { type DialledTunnel, type DialOptions, dial } from '../ports/tunnel/dial/opening-handshake.ts';
import { parseTunnelUrl, type TunnelUrl } from '../ports/tunnel/dial/tunnel-url.ts';
import { connectThrough } from '../ports/tunnel/proxy/connect-through.ts';
import { proxyFromEnvironment } from '../ports/tunnel/proxy/proxy-environment.ts';
import { type ProxyServer, parseProxyUrl } from '../ports/tunnel/proxy/proxy-url.ts';
import { type Finding, fail, ok, validityOf, warn } from '../runtime/finding.ts';
import { formatMs } from './units.ts';
import { checkUsage } from './usage-error.ts';

/** The checks of `etherws doctor URL`: each step of dialling, by the code of a client port. */

export interface UrlOptions {
  readonly user?: string;
  readonly passwd?: string;
  readonly cacerts?: string;
  readonly insecure?: boolean;
  readonly proxy?: string;
  readonly servername?: string;
  readonly pin?: string;
}

const STEP_MS = 10_000;
/** Longer than two packets of 1500 octets, and below the limit of servers for a head, usually 8 KiB. */
const LONG_FIELD = 'x'.repeat(3000);
/** A close message of a client with code 1000, masked by zeros (RFC 6455, 5.5.1). */
const CLOSE = Buffer.from('888200000000' + '03e8', 'hex');

/**
 * @param tell called for each finding as it comes; a step that fails is the last one
 * @throws UsageError for a URL or a proxy that cannot be
 */
export async function examineUrl(text: string, options: UrlOptions, tell: (finding: Finding) => void): Promise<void> {
  const url = await checkUsage(() => parseTunnelUrl(text));
  const proxy = await checkUsage(() => proxyOf(url, options.proxy));
  const tls = await tlsOptions(options, tell);
  if (tls === undefined) return;
  tell(ok('proxy', proxy === undefined ? 'none' : `${proxy.kind} ${proxy.host}:${proxy.listenPort}`));
  const examination = new Examination(url, proxy, tls, tell);
  // With a proxy the look-up is no step of its own: the proxy does it, or, for socks5, `connect`.
  if (proxy === undefined && !(await examination.lookUp())) return;
  if (!(await examination.connect())) return;
  await examination.handshake(authorizationOf(url, options));
}

function proxyOf(url: TunnelUrl, given: string | undefined): ProxyServer | undefined {
  if (given === 'direct') return undefined;
  return given === undefined ? proxyFromEnvironment(url, process.env) : parseProxyUrl(given, '--proxy');
}

async function tlsOptions(
  { cacerts, insecure, servername, pin }: UrlOptions,
  tell: (finding: Finding) => void,
): Promise<TlsIdentityOptions | undefined> {
  try {
    return {
      cacerts: cacerts === undefined ? undefined : await readCaCerts(cacerts),
      isInsecure: insecure,
      servername,
      pins: pin === undefined ? undefined : parsePins(pin),
    };
  } catch (error) {
    tell(fail('--cacerts', error));
    return undefined;
  }
}

function authorizationOf(url: TunnelUrl, { user = url.user, passwd = url.passwd }: UrlOptions): string | undefined {
  if (user === undefined) return undefined;
  return `Basic ${Buffer.from(`${user}:${passwd ?? ''}`, 'utf8').toString('base64')}`;
}

class Examination {
  readonly #url: TunnelUrl;
  readonly #proxy: ProxyServer | undefined;
  readonly #tls: TlsIdentityOptions;
  readonly #tell: (finding: Finding) => void;

  constructor(
    url: TunnelUrl,
    proxy: ProxyServer | undefined,
    tls: TlsIdentityOptions,
    tell: (finding: Finding) => void,
  ) {
    this.#url = url;
    this.#proxy = proxy;
    this.#tls = tls;
    this.#tell = tell;
  }

  async lookUp(): Promise<boolean> {
    if (isIP(this.#url.host) !== 0) return true;
    return this.#step('name', async (attempt) => {
      const startMs = performance.now();
      const addresses = await addressesOf(this.#url.dialHost, {}, attempt);
      return ok('name', `${this.#url.host} is ${addresses.join(', ')} (${formatMs(performance.now() - startMs)})`);
    });
  }

  /** TCP, and TLS over it. */
  async connect(): Promise<boolean> {
    return this.#step('TCP', async (attempt) => {
      const { dialHost, host, listenPort, isSecure } = this.#url;
      const startMs = performance.now();
      const socket =
        this.#proxy === undefined
          ? await connectTcp(dialHost, listenPort, {}, attempt)
          : await connectThrough(this.#proxy, host, listenPort, this.#tls, attempt);
      const took = formatMs(performance.now() - startMs);
      this.#tell(
        ok('TCP', `connected with ${socket.remoteAddress ?? 'the proxy'} port ${socket.remotePort} in ${took}`),
      );
      this.#tell(mtuOf(socket));
      if (!isSecure) return warn('TLS', 'none: others on the way can read and change frames', 'Dial wss://');
      attempt.stage = 'tls';
      const carrier = canTakeRecords(socket) ? new TlsRecordTap(socket, 'client') : socket;
      return this.#tlsOf(await connectTls(carrier, host, this.#tls, attempt));
    });
  }

  #tlsOf(socket: TLSSocket): Finding {
    const agreed = `${socket.getProtocol()}, ${socket.getCipher().name}`;
    if (this.#tls.isInsecure === true) return warn('TLS', `${agreed}; not verified`, 'Leave --insecure out');
    this.#tell(ok('TLS', agreed));
    const { valid_from: validFrom, valid_to: validTo } = socket.getPeerCertificate();
    return validityOf('certificate', `that of ${this.#url.host}`, { validFrom, validTo }, Date.now());
  }

  /** The opening handshake, and a second one with a long head, which needs packets of full length. */
  async handshake(authorization: string | undefined): Promise<void> {
    const startMs = performance.now();
    const first = await this.#dial({ authorization });
    if (first instanceof EtherwsError) {
      this.#tell(fail(AUTH_CODES.has(first.code) ? 'credentials' : 'WebSocket', first));
      return;
    }
    end(first);
    const isNamed = authorization !== undefined;
    this.#tell(ok('credentials', isNamed ? 'accepted' : 'none were given, and none asked for'));
    this.#tell(ok('WebSocket', `opened in ${formatMs(performance.now() - startMs)}`));
    if (first.wire === 'batched') this.#tell(ok('wire', 'batched'));
    else
      this.#tell(
        warn('wire', 'raw, as of 1.x', 'The other end is no etherws 2, or its --wire is raw: frames cost more'),
      );
    const second = await this.#dial({ authorization, headers: [['X-Etherws-Doctor', LONG_FIELD]] });
    if (!(second instanceof EtherwsError)) end(second);
    const isStuck = second instanceof EtherwsError && second.code === 'HANDSHAKE_TIMEOUT';
    if (!isStuck) this.#tell(ok('long packets', 'pass'));
    else {
      const advice = 'A device on the way drops packets of full length: lower the MTU of the device, or let ICMP pass';
      this.#tell(fail('long packets', 'a short request is answered, and a long one is not', advice));
    }
  }

  async #dial(options: Pick<DialOptions, 'authorization' | 'headers'>): Promise<DialledTunnel | EtherwsError> {
    try {
      const way = { url: this.#url, proxy: this.#proxy, ...this.#tls };
      return await dial({ ...way, ...options, offersBatchedWire: true, timeoutMs: STEP_MS });
    } catch (error) {
      if (error instanceof EtherwsError) return error;
      throw error;
    }
  }

  /** @returns whether it succeeded; a failure is given to `tell` */
  async #step(check: string, run: (attempt: DialAttempt) => Promise<Finding>): Promise<boolean> {
    const late = new EtherwsError('HANDSHAKE_TIMEOUT', `No answer within ${STEP_MS / 1000} s`, {
      hint: 'Does a firewall drop the packets?',
    });
    const giveUp = new AbortController();
    const attempt = new DialAttempt(giveUp.signal);
    const timer = setTimeout(() => giveUp.abort(late), STEP_MS);
    if (check === 'name') attempt.stage = 'lookup';
    try {
      this.#tell(await run(attempt));
      return true;
    } catch (error) {
      const { stage } = attempt;
      const explained = error instanceof EtherwsError ? error : explainDialError(error, this.#url, stage);
      this.#tell(fail(stage === 'tls' ? 'TLS' : check, explained));
      return false;
    } finally {
      clearTimeout(timer);
      await attempt.abandon();
    }
  }
}

const AUTH_CODES: ReadonlySet<string> = new Set(['AUTH_FAILED', 'AUTH_BUSY', 'TUNNEL_FORBIDDEN']);

/** Ends a tunnel in order. */
function end({ socket }: DialledTunnel): void {
  socket.on('error', () => undefined);
  socket.end(CLOSE);
  socket.destroySoon();
}

/** The MTU of the device with the connection's local address. */
function mtuOf({ localAddress = '' }: Socket): Finding {
  const address = localAddress.replace(/^::ffff:(?=[\d.]+$)/, '');
  const [name] =
    Object.entries(networkInterfaces()).find(([, all]) => all?.some((one) => one.address === address)) ?? [];
  if (name === undefined) return ok('MTU', 'not known: the connection leaves by no device of this host');
  try {
    return ok('MTU', `${nativeAddon().readLink(name).mtu} bytes at ${name}, by which it leaves`);
  } catch {
    return ok('MTU', `not known of ${name}`);
  }
}
