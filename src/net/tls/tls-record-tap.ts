import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { nativeAddon, pollNow } from '../../native/addon.ts';
import { descriptorOf } from '../socket-descriptor.ts';
import { forgetConnection } from './forgotten-connections.ts';
import { takeTrafficSecret } from './keylog-line.ts';
import { RecordFollower } from './record-follower.ts';

/** client_ and server_application_traffic_secret_0, from which the first application keys derive (RFC 8446, 7.1). */
export interface TrafficSecrets {
  client: Buffer | undefined;
  server: Buffer | undefined;
}

/** Complete records that were not passed to Node's TLS yet, and the last one of them. */
interface QueuedRecords {
  readonly octets: Buffer;
  readonly last: Buffer | undefined;
}

const NOTHING: Buffer = Buffer.alloc(0);

const TAPS = new WeakMap<TLSSocket, TlsRecordTap>();
/** The tap that is passing records to Node's TLS at this moment. */
let passing: TlsRecordTap | undefined;

/**
 * A stream between a TCP socket and Node's TLS, which makes it possible to take TLS over between two records. It passes
 * complete records only, and keeps the last record of either direction and the traffic secrets. Octets pass unchanged.
 */
export class TlsRecordTap extends Duplex {
  readonly raw: Socket;
  readonly role: 'client' | 'server';
  readonly #inbound = new RecordFollower();
  readonly #outbound = new RecordFollower();
  readonly #waiting: QueuedRecords[] = [];
  readonly #secrets: TrafficSecrets = { client: undefined, server: undefined };
  /** Node's TLS socket over this tap; undefined until its first `keylog` event. */
  #secured: TLSSocket | undefined;
  #lastGiven: Buffer | undefined;
  #isPassing = false;
  #isHeld = false;
  #isRawEnded = false;
  #discardsSecrets = false;

  /**
   * @param raw a connected socket; from now on only the tap may read and write it
   * @param role the role of Node's TLS
   */
  constructor(raw: Socket, role: 'client' | 'server') {
    super({ allowHalfOpen: raw.allowHalfOpen });
    this.raw = raw;
    this.role = role;
    // TLSSocket.setNoDelay does not reach the TCP socket through the tap.
    raw.setNoDelay(true);
    raw.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose);
    this.on('resume', () => this.#pass());
  }

  /** Keeps a traffic secret of the TLS socket over this tap. @param line of 'keylog'; it is overwritten */
  onKeylog(line: Buffer): void {
    const told = takeTrafficSecret(line);
    if (told === undefined) return;
    if (this.#discardsSecrets) told.secret.fill(0);
    else this.#secrets[told.owner] = told.secret;
  }

  /** Sets the TLS socket over this tap. */
  attach(socket: TLSSocket): void {
    this.#secured = socket;
  }

  get secrets(): Readonly<TrafficSecrets> {
    return this.#secrets;
  }

  /** The last record that was passed to Node's TLS. */
  get lastInbound(): Buffer | undefined {
    return this.#lastGiven;
  }

  /** The last record that Node's TLS sent. When `isQuiet`, the kernel has all of it. */
  get lastOutbound(): Buffer | undefined {
    return this.#outbound.last;
  }

  /** Whether no octets are in between: the kernel has all that was sent, TLS has read all that was passed, and neither end has closed. */
  get isQuiet(): boolean {
    const { raw } = this;
    const isLive = !this.destroyed && !raw.destroyed && !this.#isRawEnded && !this.writableEnded && raw.writable;
    const hasLeft = this.writableLength === 0 && raw.writableLength === 0 && this.#outbound.partial.length === 0;
    return isLive && hasLeft && this.readableLength === 0 && !this.#isPassing;
  }

  /** Passes nothing more to Node's TLS, until `forget`. */
  hold(): void {
    this.#isHeld = true;
    this.raw.pause();
  }

  /** Ends the tap; the socket then belongs to the caller. @returns the octets that were received and not passed on */
  takeOver(): Buffer {
    const { raw } = this;
    this.hold();
    raw.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose);
    raw.on('error', () => undefined);
    const rest = [...this.#waiting.splice(0).map(({ octets }) => octets), this.#inbound.stop()];
    for (let chunk = raw.read() as Buffer | null; chunk !== null; chunk = raw.read() as Buffer | null) rest.push(chunk);
    this.#forgetSecrets();
    return Buffer.concat(rest);
  }

  /** Renounces the take-over: overwrites the secrets, drops the records kept, and passes octets as they come. */
  forget(): void {
    this.#isHeld = false;
    this.#forgetSecrets();
    const octets = this.#inbound.stop();
    this.#outbound.stop();
    if (octets.length > 0) this.#waiting.push({ octets, last: undefined });
    this.#pass();
  }

  override _read(): void {
    // `#pass` pushes as soon as Node's TLS reads.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#outbound.follow(chunk);
    this.raw.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.raw.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#forgetSecrets();
    if (this.#secured !== undefined) forgetConnection(this.#secured);
    this.#waiting.length = 0;
    this.raw.destroy();
    done(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    // `#pass` runs the TLS handshake, the longest task that an unauthenticated peer can cause: forward frames before it.
    pollNow();
    const octets = this.#inbound.follow(chunk);
    if (octets.length > 0) this.#waiting.push({ octets, last: this.#inbound.last });
    this.#pass();
  };

  readonly #onEnd = (): void => {
    this.#isRawEnded = true;
    const octets = this.#inbound.stop();
    if (octets.length > 0) this.#waiting.push({ octets, last: undefined });
    this.#pass();
  };

  readonly #onError = (error: Error): void => {
    this.destroy(error);
  };

  readonly #onClose = (): void => {
    this.destroy();
  };

  /** Passes queued records as long as Node's TLS consumes them at once. If any are left, reading from the socket pauses. */
  #pass(): void {
    if (this.#isPassing || this.#isHeld || this.destroyed) return;
    while (!this.#isHeld && !this.destroyed && this.readableFlowing === true && this.readableLength === 0) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#lastGiven = next.last;
      this.#pushWhilePassing(next.octets);
    }
    if (this.#isHeld || this.destroyed) return;
    if (this.#waiting.length > 0) this.raw.pause();
    else if (this.#isRawEnded) this.push(null);
    else this.raw.resume();
  }

  #pushWhilePassing(octets: Buffer): void {
    const outer = passing;
    passing = this;
    this.#isPassing = true;
    try {
      this.push(octets);
    } finally {
      this.#isPassing = false;
      passing = outer;
    }
  }

  #forgetSecrets(): void {
    this.#discardsSecrets = true;
    for (const secret of [this.#secrets.client, this.#secrets.server]) secret?.fill(0);
    this.#secrets.client = undefined;
    this.#secrets.server = undefined;
    this.#lastGiven = NOTHING;
  }
}

/** Whether TLS over this socket can be taken over, so that a tap is useful: the addon has a record layer. */
export function canTakeRecords(raw: Socket): boolean {
  try {
    return (
      !(raw instanceof TLSSocket) && descriptorOf(raw) !== undefined && nativeAddon().startTlsRecords !== undefined
    );
  } catch {
    return false; // There is no addon.
  }
}

/** The tap under a TLS socket, if there is one. */
export function tapOf(socket: TLSSocket): TlsRecordTap | undefined {
  return TAPS.get(socket);
}

/**
 * The 'keylog' listener of a TLS server. Node does not say which stream a server's TLS socket was made over. But it emits
 * 'keylog' while it reads the record that the secrets follow from, so it is the tap that is passing a record.
 * @param line is overwritten
 */
export function onServerKeylog(line: Buffer, socket: TLSSocket): void {
  const tap = TAPS.get(socket) ?? passing;
  if (tap === undefined) {
    takeTrafficSecret(line)?.secret.fill(0);
    return;
  }
  TAPS.set(socket, tap);
  tap.attach(socket);
  tap.onKeylog(line);
}

/** Attaches a TLS client socket to the tap that it was made over, and listens for its secrets. */
export function onClientKeylog(socket: TLSSocket, tap: TlsRecordTap): void {
  TAPS.set(socket, tap);
  tap.attach(socket);
  socket.on('keylog', (line: Buffer) => tap.onKeylog(line));
}

/** Copies addresses and ports from the TCP socket to the TLS socket over a tap, which has none by itself. */
export function copyEndpoints(socket: TLSSocket): void {
  const raw = TAPS.get(socket)?.raw;
  if (raw === undefined) return;
  for (const name of ['remoteAddress', 'remoteFamily', 'remotePort', 'localAddress', 'localPort'] as const) {
    Object.defineProperty(socket, name, { value: raw[name], configurable: true });
  }
}
